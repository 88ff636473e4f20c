"""Which engine is asked, when there are several and some are away. The engines here answer everything, and count."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from bot.engine import AWAY_SECONDS, Engine, EngineAway, EngineFault

CASES = [f"case {number}" for number in range(60)]
READ = {"intent": {"name": "faq.is_it_normal", "confidence": 1.0}, "entities": []}


@dataclass
class Counted:
    """An engine that counts who asks it; without a `status` it hangs up."""

    url: str = ""
    status: int | None = 200
    asked: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request for each connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        self.asked += 1
        if self.status is not None:
            body = json.dumps(READ).encode()
            start = f"HTTP/1.1 {self.status} -\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            writer.write(start.encode() + b"connection: close\r\n\r\n" + body)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def counted() -> AsyncIterator[Counted]:
    """One that listens."""
    engine = Counted()
    server = await asyncio.start_server(engine.answer, "127.0.0.1", 0)
    engine.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield engine


@pytest.fixture
async def engines() -> AsyncIterator[list[Counted]]:
    """Three of them."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(counted()) for _ in range(3)]


@asynccontextmanager
async def asking(engines: list[Counted], clock: Callable[[], float] = lambda: 0.0) -> AsyncIterator[Engine]:
    """A client of some engines."""
    client = Engine(tuple(engine.url for engine in engines), "secret", timeout=5, clock=clock)
    yield client
    await client.close()


async def homes(engines: list[Counted]) -> list[int]:
    """Which of the engines each case asks."""
    found = []
    async with asking(engines) as client:
        for case in CASES:
            before = [engine.asked for engine in engines]
            await client.parse(case, "hello")
            [home] = [place for place, engine in enumerate(engines) if engine.asked > before[place]]
            found.append(home)
    return found


async def test_cases_are_shared_out_and_only_those_of_an_engine_that_comes_or_goes_move(engines: list[Counted]) -> None:
    two, three = await homes(engines[:2]), await homes(engines)
    assert set(two) == {0, 1}
    assert set(three) == {0, 1, 2}
    assert all(now in (before, 2) for before, now in zip(two, three, strict=True))


async def test_an_engine_that_is_away_costs_one_attempt_in_a_while(engines: list[Counted]) -> None:
    now = [0.0]
    engines[0].status = None
    async with asking(engines, lambda: now[0]) as client:
        for case in CASES:
            await client.parse(case, "hello")
        assert engines[0].asked == 1
        now[0] += AWAY_SECONDS + 1
        engines[0].status = 200
        for case in CASES:
            await client.parse(case, "hello")
    assert engines[0].asked > 2


async def test_a_turn_is_tried_at_one_other_engine_and_then_later(engines: list[Counted]) -> None:
    for engine in engines:
        engine.status = None
    async with asking(engines) as client:
        with pytest.raises(EngineAway):
            await client.turn("case", "turn", text="hello")
    assert sum(engine.asked for engine in engines) == 2


async def test_what_both_engines_fail_at_is_a_fault_of_the_message(engines: list[Counted]) -> None:
    for engine in engines:
        engine.status = 500
    async with asking(engines) as client:
        with pytest.raises(EngineFault):
            await client.turn("case", "turn", text="hello")
