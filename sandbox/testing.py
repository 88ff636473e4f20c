"""For tests: a sandbox on a free port in the test's event loop, and a client that plays the people.

async with running() as box:
    bot = Bot(box.token, base_url=box.base_url, base_file_url=box.base_file_url)
    await box.say(ADA, "Hello")
    answer = await box.wait(ADA, contains="Welcome")
    await box.press(ADA, answer, label="Start")
"""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
from starlette.middleware import Middleware

from sandbox.app import create_app
from sandbox.chats import Json
from sandbox.server import LOOPBACK, serving
from sandbox.webhooks import NO_CERTIFICATES
from sandbox.world import ADA, BEN, DEFAULT_TOKEN, GROUP_ID, LUIS, MEI, World

__all__ = ["ADA", "BEN", "GROUP_ID", "LUIS", "MEI", "ControlError", "Sandbox", "running"]


class ControlError(Exception):
    """The control API refused: the test asks for what Telegram's apps would not let happen."""


class Sandbox:
    """A client of the control API of a running sandbox."""

    def __init__(self, url: str, http: httpx.AsyncClient, token: str = DEFAULT_TOKEN, world: World | None = None):
        self.url = url
        self.token = token
        self._http = http
        self._world = world

    @property
    def base_url(self) -> str:
        """What python-telegram-bot takes as base_url."""
        return f"{self.url}/bot"

    @property
    def base_file_url(self) -> str:
        """What python-telegram-bot takes as base_file_url."""
        return f"{self.url}/file/bot"

    @property
    def world(self) -> World:
        """The world itself, when the sandbox runs in this event loop."""
        if self._world is None:
            raise ControlError("the sandbox runs in another process: use the control API")
        return self._world

    async def get(self, path: str, **query: Any) -> Any:
        """GET /sandbox/{path}."""
        return self._checked(await self._http.get(f"{self.url}/sandbox/{path}", params=query))

    async def post(self, path: str, **body: Any) -> Any:
        """POST /sandbox/{path}."""
        return self._checked(await self._http.post(f"{self.url}/sandbox/{path}", json=body))

    @staticmethod
    def _checked(response: httpx.Response) -> Any:
        if response.status_code != 200:
            raise ControlError(f"{response.status_code}: {response.text}")
        return response.json()

    async def say(self, person: int, text: str = "", chat: int | None = None, **more: Any) -> Json:
        """A person writes: text, or `document={…}`, `photo={…}`, … ; see POST /sandbox/messages."""
        body: Json = {"from": person, "chat": chat or person} | ({"text": text} if text else {}) | more
        return await self._json("messages", body)

    async def edit(self, person: int, message: Json, **more: Any) -> Json:
        """A person edits an own message: `text=` or `caption=`."""
        return await self._json("edits", self._of(person, message) | more)

    async def delete(self, person: int, message: Json) -> Json:
        """A person deletes a message."""
        return await self._json("deletions", self._of(person, message))

    async def press(self, person: int, message: Json, wait: float | None = None, **button: Any) -> Json:
        """A person presses a button, named by `label=` or `data=`; `wait` waits for the bot's answer."""
        more = {} if wait is None else {"wait": wait}
        return await self._json("presses", self._of(person, message) | button | more)

    async def wait(self, chat: int, contains: str = "", within: float = 10.0, **more: Any) -> Json:
        """The bot's message in a chat (`after=` a message_id, `since=` a change, `thread=`), or TimeoutError."""
        return await self._found(chat=chat, contains=contains, timeout=within, **more)

    async def wait_topic(self, contains: str = "", chat: int = GROUP_ID, within: float = 10.0, **more: Any) -> Json:
        """A topic with such a name; TimeoutError without it."""
        return await self._found(chat=chat, contains=contains, timeout=within, kind="topic", **more)

    async def _found(self, **query: Any) -> Json:
        found: Json | None = (await self.get("wait", **query))["found"]
        if found is None:
            raise TimeoutError(f"the bot did not do it within {query['timeout']} s: {query}")
        return found

    async def clear_faults(self) -> None:
        """Take back all ordered faults."""
        self._checked(await self._http.delete(f"{self.url}/sandbox/faults"))

    async def messages(self, chat: int, **query: Any) -> list[Json]:
        """What stands in a chat."""
        found: list[Json] = await self.get(f"chats/{chat}/messages", **query)
        return found

    async def calls(self, method: str = "", **query: Any) -> list[Json]:
        """The log of Bot API calls."""
        found: list[Json] = await self.get("calls", method=method, **query)
        return found

    async def _json(self, path: str, body: Json) -> Json:
        answer: Json = await self.post(path, **body)
        return answer

    @staticmethod
    def _of(person: int, message: Json) -> Json:
        return {"from": person, "chat": message["chat"]["id"], "message_id": message["message_id"]}


@contextlib.asynccontextmanager
async def running(
    world: World | None = None, port: int = 0, middleware: Sequence[Middleware] = ()
) -> AsyncIterator[Sandbox]:
    """A sandbox on a free loopback port, in this event loop."""
    world = world or World()
    # A control call may wait for up to a minute of its own.
    async with (
        serving(create_app(world, middleware), world.bell, port) as bound,
        httpx.AsyncClient(timeout=90, trust_env=False, verify=NO_CERTIFICATES) as http,
    ):
        yield Sandbox(f"http://{LOOPBACK}:{bound}", http, world.token, world)
