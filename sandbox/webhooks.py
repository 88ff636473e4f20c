"""Posting updates to the bot's webhook until it takes them."""

import asyncio
import re
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from sandbox.updates import Pending

if TYPE_CHECKING:
    from sandbox.world import World

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
ANSWER_WITHIN = 30.0
# Only loopback is ever asked: loading the certificates of the world would be slow and of no use.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass
class Webhook:
    """Where updates are posted, and how that went. One update of a chat is under way at a time."""

    url: str
    secret: str = ""
    max_connections: int = 40
    last_error: tuple[int, str] | None = None
    under_way: set[int] = field(default_factory=set)
    pauses: dict[int, float] = field(default_factory=dict)

    def info(self) -> dict[str, Any]:
        """The fields of WebhookInfo that a set webhook has."""
        body: dict[str, Any] = {"url": self.url, "max_connections": self.max_connections, "ip_address": "127.0.0.1"}
        if self.last_error:
            body |= {"last_error_date": self.last_error[0], "last_error_message": self.last_error[1]}
        return body


class Deliverer:
    """Runs beside the server: posts what waits, chat by chat in order, chats side by side."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            async with httpx.AsyncClient(timeout=ANSWER_WITHIN, trust_env=False, verify=NO_CERTIFICATES) as client:
                while True:
                    webhook, update = await self._next()
                    webhook.under_way.add(update.chat_id)
                    task = asyncio.create_task(self._deliver(client, webhook, update))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
        finally:
            for task in self._tasks:
                task.cancel()

    async def _next(self) -> tuple[Webhook, Pending]:
        """The next update that may be posted, when there is one."""

        def ready() -> tuple[Webhook, Pending] | None:
            webhook = self._world.webhook
            if webhook is None or len(webhook.under_way) >= webhook.max_connections:
                return None
            waiting = (u for u in self._world.updates.pending() if u.chat_id not in webhook.under_way)
            return next(((webhook, update) for update in waiting), None)

        while True:
            found = await self._world.bell.until(ready, 3600)
            if found is not None:
                return found
            if self._world.bell.closed:
                await asyncio.get_running_loop().create_future()

    async def _deliver(self, client: httpx.AsyncClient, webhook: Webhook, update: Pending) -> None:
        """Post one update; after a failure pause, twice as long each time, before its chat has its turn again."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret} if webhook.secret else {}
        try:
            response = await client.post(webhook.url, json=update.body, headers=headers)
            error = None if response.is_success else wrong(response)
        except httpx.TimeoutException:
            error = "Read timeout expired"
        except httpx.TransportError:
            error = "Connection refused" if urlsplit(webhook.url).scheme == "http" else "SSL error"
        if error is None:
            webhook.pauses.pop(update.chat_id, None)
            self._world.updates.remove(update)
        else:
            webhook.last_error = (self._world.clock.date(), error)
            pause = webhook.pauses.get(update.chat_id, FIRST_PAUSE)
            webhook.pauses[update.chat_id] = min(pause * 2, LONGEST_PAUSE)
            self._world.bell.ring()
            await self._world.clock.sleep(pause)
        webhook.under_way.discard(update.chat_id)
        self._world.bell.ring()


def wrong(response: httpx.Response) -> str:
    """What getWebhookInfo says of an answer that is not 2xx."""
    return f"Wrong response from the webhook: {response.status_code} {response.reason_phrase}"
