"""Bot processes in tests: real ones, with an engine that does what the test tells it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from actions.turns import heard
from bot.casework import Casework
from sandbox.testing import Sandbox
from scripts.run import free_port
from tests.bot.rules import decisions
from tests.conftest import ROOT

DEADLINE = 30.0


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
    turns: int = 0
    held: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def turn(self, request: Request) -> Response:
        """The whole way through engine and actions."""
        body = await request.json()
        self.turns += 1
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

    def beside(self) -> Bot:
        """Another one, on the same database."""
        port = str(free_port())
        return Bot(self.environment | {"PORT": port}, f"http://127.0.0.1:{port}")


@dataclass
class World:
    """What a test of processes has."""

    engine: SlowEngine
    bot: Bot
    box: Sandbox
    casework: Casework
