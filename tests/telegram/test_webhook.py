"""The webhook: only Telegram may post, and 200 says that an update is stored."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.channels.updates import Poller, prepare, webhook_address, webhook_routes, webhook_secret
from bot.settings import Settings
from sandbox.clock import Bell
from sandbox.server import serving
from sandbox.testing import ADA, BEN, Sandbox
from sandbox.webhooks import NO_CERTIFICATES
from tests.telegram.conftest import Waypoint

HEADER = "X-Telegram-Bot-Api-Secret-Token"


@dataclass
class Hook:
    """A served webhook, and somebody who posts to it."""

    settings: Settings
    http: httpx.AsyncClient

    async def post(self, body: Any, secret: str | None = None) -> int:
        """Post as Telegram does. Returns the status."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {HEADER: webhook_secret(self.settings) if secret is None else secret}
        return (await self.http.post(webhook_address(self.settings), content=content, headers=headers)).status_code


@pytest.fixture
async def hook(waypoint: Waypoint) -> AsyncIterator[Hook]:
    app = Starlette()
    async with serving(app, Bell()) as port, httpx.AsyncClient(verify=NO_CERTIFICATES) as http:
        settings = waypoint.settings.model_copy(update={"telegram_webhook_url": f"http://127.0.0.1:{port}/hook"})
        app.router.routes.extend(webhook_routes(waypoint.bot, waypoint.casework, waypoint.wake, settings))
        yield Hook(settings, http)


async def an_update(box: Sandbox, text: str = "Hello", person: int = ADA) -> dict[str, Any]:
    await box.say(person, text)
    update = box.world.updates.pending()[-1].body
    box.world.updates.drop()
    return update


async def texts(waypoint: Waypoint) -> list[str]:
    return [row.payload["text"] for row in await waypoint.inbox()]


async def test_telegram_delivers_to_the_webhook_that_was_set(waypoint: Waypoint, box: Sandbox, hook: Hook) -> None:
    await prepare(waypoint.bot, waypoint.casework, hook.settings)
    with waypoint.wake.watch("inbox") as watch:
        await box.say(ADA, "Hello")
        assert await watch.wait(10)
    assert await texts(waypoint) == ["Hello"]
    (call,) = await box.calls("setWebhook")
    assert call["params"]["allowed_updates"] == [
        "message",
        "edited_message",
        "callback_query",
        "message_reaction",
        "my_chat_member",
        "chat_member",
    ]


async def test_with_a_webhook_the_poller_only_greets(waypoint: Waypoint, box: Sandbox, hook: Hook) -> None:
    await Poller(waypoint.bot, waypoint.casework, waypoint.wake, hook.settings).run()
    assert box.world.webhook is not None
    assert await box.calls("getUpdates") == []


@pytest.mark.parametrize("secret", ["", "wrong", "é"])
async def test_whoever_does_not_know_the_secret_is_refused(
    waypoint: Waypoint, box: Sandbox, hook: Hook, secret: str
) -> None:
    response = await hook.http.post(
        webhook_address(hook.settings),
        json=await an_update(box),
        headers=[(HEADER.encode(), secret.encode())],
    )
    assert response.status_code == 403
    assert await waypoint.inbox() == []


async def test_the_secret_depends_on_the_secret_key(settings: Settings) -> None:
    other = settings.model_copy(update={"secret_key": type(settings.secret_key)("another")})
    assert webhook_secret(settings) != webhook_secret(other)


async def test_an_update_delivered_twice_is_stored_once(waypoint: Waypoint, box: Sandbox, hook: Hook) -> None:
    update = await an_update(box)
    assert [await hook.post(update) for _ in range(2)] == [200, 200]
    assert await texts(waypoint) == ["Hello"]


async def test_an_update_that_cannot_be_stored_is_not_acknowledged(
    waypoint: Waypoint, box: Sandbox, hook: Hook
) -> None:
    update = await an_update(box)
    for table in ("inbox", "facts"):
        await waypoint.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
    assert [await hook.post(update) for _ in range(5)] == [503] * 5
    for table in ("inbox", "facts"):
        await waypoint.execute(f"ALTER TABLE {table}_away RENAME TO {table}")
    assert await hook.post(update) == 200
    assert await texts(waypoint) == ["Hello"]


async def test_an_update_that_alone_cannot_be_stored_is_acknowledged_in_the_end(
    waypoint: Waypoint, box: Sandbox, hook: Hook
) -> None:
    update = await an_update(box)
    await waypoint.execute("ALTER TABLE inbox RENAME TO inbox_away")
    assert [await hook.post(update) for _ in range(3)] == [503, 503, 200]


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"{}", {"update_id": 1, "message": {"text": 5}}])
async def test_what_is_no_update_is_acknowledged_and_forgotten(waypoint: Waypoint, hook: Hook, body: Any) -> None:
    assert await hook.post(body) == 200
    assert await waypoint.inbox() == []


async def test_halves_of_characters_are_dropped(waypoint: Waypoint, box: Sandbox, hook: Hook) -> None:
    update = await an_update(box)
    update["message"]["text"] = "a\ud83db"
    assert await hook.post(update) == 200
    assert await texts(waypoint) == ["ab"]


async def test_a_body_that_is_too_long_is_refused(waypoint: Waypoint, hook: Hook) -> None:
    assert await hook.post(b" " * (1024 * 1024 + 1)) == 413


async def test_updates_of_one_person_keep_their_order(waypoint: Waypoint, box: Sandbox, hook: Hook) -> None:
    await prepare(waypoint.bot, waypoint.casework, hook.settings)
    for number in range(10):
        await box.say(ADA, f"{number}")
        await box.say(BEN, "Hello")
    with waypoint.wake.watch("inbox") as watch:
        while len(await waypoint.inbox()) < 20:
            assert await watch.wait(10)
    assert [text for text in await texts(waypoint) if text != "Hello"] == [f"{n}" for n in range(10)]


def test_without_a_webhook_there_is_no_route(waypoint: Waypoint) -> None:
    assert webhook_routes(waypoint.bot, waypoint.casework, waypoint.wake, waypoint.settings) == []


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://chat.example", "https://chat.example/telegram"),
        ("https://chat.example/", "https://chat.example/telegram"),
        ("https://chat.example/a/b", "https://chat.example/a/b"),
    ],
)
def test_an_address_without_a_path_gets_one(settings: Settings, given: str, used: str) -> None:
    assert webhook_address(settings.model_copy(update={"telegram_webhook_url": given})) == used
