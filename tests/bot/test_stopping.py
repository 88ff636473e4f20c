"""SIGTERM: readiness goes down first, the turn in hand is finished, and nothing that came in meanwhile is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from actions.turns import heard
from bot import database
from bot.casework import Casework
from bot.guide import Guide
from sandbox.testing import ADA, GROUP_ID, Sandbox, running
from tests.bot.rules import decisions
from tests.conftest import ROOT
from tests.keys import keys

DEADLINE = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until[T](look: Callable[[], Awaitable[T | None]], what: str) -> T:
    """Look until something is there."""
    end = time.monotonic() + DEADLINE
    while True:
        if (found := await look()) is not None:
            return found
        assert time.monotonic() < end, f"waited in vain until {what}"
        await asyncio.sleep(0.02)  # between two looks at another process


@dataclass
class SlowEngine:
    """An engine that says when a turn is in its hands, and does not let go of it before it is told to."""

    casework: Casework
    held: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def turn(self, request: Request) -> Response:
        """The whole way through engine and actions."""
        body = await request.json()
        self.held.set()
        await self.go_on.wait()
        parsed = {"text": "", **body["parse"], "intent": {"name": body["parse"]["intent"], "confidence": 1.0}}
        says = await self.casework.take_turn(body["turn"], heard(parsed), decisions()[body["parse"]["intent"]])
        return JSONResponse({"says": [{"say": say.say} for say in says]})

    async def health(self, request: Request) -> Response:
        """It is well."""
        return JSONResponse({})

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """On a port of its own."""
        port = free_port()
        probes = [Route(path, self.health) for path in ("/health", "/ready")]
        app = Starlette(routes=[Route("/turn", self.turn, methods=["POST"]), *probes])
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
        task = asyncio.create_task(server._serve())  # without its handlers of signals: this is the test's process
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        await task


@dataclass
class Bot:
    """The bot process."""

    environment: dict[str, str]
    address: str

    async def start(self) -> asyncio.subprocess.Process:
        """Start it, and wait until it is ready."""
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", cwd=ROOT, env=self.environment)

        async def look() -> bool | None:
            return True if await self.probe("/readyz") == 200 else None

        await until(look, "the bot was ready")
        return process

    async def probe(self, path: str) -> int:
        """The status of a probe; 0 where nobody answers."""
        async with httpx.AsyncClient(base_url=self.address, trust_env=False) as http:
            try:
                return (await http.get(path)).status_code
            except httpx.HTTPError:
                return 0


@dataclass
class World:
    engine: SlowEngine
    bot: Bot
    box: Sandbox
    casework: Casework


@pytest.fixture
async def world(db: AsyncEngine, guide: Guide, database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    # The bot's own clock: with a hand that stands in the past, its sweep deletes as too old what was just said.
    casework = Casework(database.sessions(db, keys()), guide)
    engine = SlowEngine(casework)
    async with engine.serving() as engine_url, running() as box:
        environment = {
            "PATH": os.environ["PATH"],
            "PORT": str(free_port()),
            "DATABASE_URL": database_url,
            "FILES_DIR": str(tmp_path / "files"),
            "SECRET_KEY": "s" * 40,
            "ENGINE_SECRET": "e" * 40,
            "ENGINE_URLS": engine_url,
            "TELEGRAM_BOT_TOKEN": box.token,
            "TELEGRAM_API_BASE": box.url,
            "COORDINATORS_CHAT_ID": str(GROUP_ID),
            "STOP_NOTICE_SECONDS": "2",
        }
        yield World(engine, Bot(environment, f"http://127.0.0.1:{environment['PORT']}"), box, casework)


async def test_sigterm_takes_readiness_down_first_and_finishes_the_turn_in_hand(world: World) -> None:
    process = await world.bot.start()
    await world.box.say(ADA, "/start")
    async with asyncio.timeout(DEADLINE):
        await world.engine.held.wait()
    process.send_signal(signal.SIGTERM)

    async def unready() -> bool | None:
        return True if await world.bot.probe("/readyz") == 503 else None

    await until(unready, "it said that it is not ready")
    assert await world.bot.probe("/healthz") == 200
    world.engine.go_on.set()
    async with asyncio.timeout(DEADLINE):
        await process.wait()
    assert (await world.box.wait(ADA))["text"]  # what the turn said was sent before the process ended


async def test_what_comes_in_during_the_notice_is_kept_and_answered_by_whoever_comes_next(world: World) -> None:
    process = await world.bot.start()
    async with httpx.AsyncClient(base_url=world.bot.address, trust_env=False, timeout=DEADLINE) as http:
        session = (await http.post("/api/sessions")).json()
        headers = {"Authorization": f"Bearer {session['token']}"}
        process.send_signal(signal.SIGTERM)

        async def write() -> bool | None:
            message: dict[str, Any] = {"id": str(uuid.uuid4()), "text": "/start"}
            if await world.bot.probe("/readyz") != 503:
                return None
            return (await http.post("/api/messages", json=message, headers=headers)).status_code == 202

        assert await until(write, "it was stopping")
    process.send_signal(signal.SIGTERM)  # a second signal ends the notice
    world.engine.go_on.set()
    async with asyncio.timeout(DEADLINE):
        await process.wait()
    successor = await world.bot.start()

    async def answered() -> bool | None:
        events = await world.casework.events_after(session["conversation"], 0)
        return True if any(event["role"] == "assistant" for event in events) else None

    await until(answered, "an answer")
    successor.terminate()
    await successor.wait()
