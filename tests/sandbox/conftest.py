"""A sandbox, the real python-telegram-bot in front of it, and a check of every answer that passes between them."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from telegram import Bot
from telegram.request import HTTPXRequest

from sandbox.clock import Clock
from sandbox.testing import ADA, Sandbox, running
from sandbox.webhooks import NO_CERTIFICATES
from sandbox.world import World
from tests.sandbox.spec import answer_problems

MONDAY = 1_800_000_000.0

type Api = Callable[..., Any]


class Checked:
    """Middleware that checks each JSON answer of the Bot API against its description."""

    def __init__(self, app: ASGIApp, findings: list[str]) -> None:
        self.app = app
        self.findings = findings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/bot"):
            await self.app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))
            await send(message)

        await self.app(scope, receive, watch)
        if start and b"application/json" in dict(start["headers"]).get(b"content-type", b""):
            method = scope["path"].rpartition("/")[2]
            self.findings += answer_problems(method, start["status"], json.loads(body))


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still on a Monday; tests put it forward."""
    clock = Clock(lambda: MONDAY)
    clock.freeze(True)
    return clock


@pytest.fixture
async def box(clock: Clock) -> AsyncIterator[Sandbox]:
    """A running sandbox; the test fails if any answer of the Bot API was not as described."""
    findings: list[str] = []
    async with running(World(clock), middleware=[Middleware(Checked, findings)]) as box:
        yield box
    assert not findings


@pytest.fixture
async def bot(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bot]:
    """The bot, by the real client library, unpatched."""
    # Durations as timedelta; the old integers raise a deprecation warning, which is an error in tests.
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    plain = {"verify": NO_CERTIFICATES}
    request = HTTPXRequest(connection_pool_size=8, read_timeout=10, httpx_kwargs=plain)
    updates = HTTPXRequest(connection_pool_size=8, read_timeout=10, httpx_kwargs=plain)
    async with Bot(
        box.token, base_url=box.base_url, base_file_url=box.base_file_url, request=request, get_updates_request=updates
    ) as bot:
        yield bot


@pytest.fixture
async def ada(box: Sandbox) -> int:
    """Ada, who has written to the bot, so that it may write to her; her update is gone."""
    await box.say(ADA, "Hello")
    box.world.updates.drop()
    return ADA


@pytest.fixture
async def api(box: Sandbox) -> AsyncIterator[Api]:
    """Calls of the Bot API as they go over the wire: api("sendMessage", chat_id=…) -> the JSON of the answer."""
    async with httpx.AsyncClient(timeout=20, verify=NO_CERTIFICATES) as http:

        async def call(method: str, token: str | None = None, **params: Any) -> dict[str, Any]:
            response = await http.post(f"{box.base_url}{token or box.token}/{method}", json=params)
            answer: dict[str, Any] = response.json()
            return answer

        yield call
