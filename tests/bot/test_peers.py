"""Processes on one PostgreSQL: they wake one another, never take the same thing, and one of them leads."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest

from bot.database import for_libpq
from bot.peers import CHANNEL, PostgresPeers, running
from bot.wake import Wake
from tests.bot.conftest import execute
from tests.postgres import NAME, postgres_url

PATIENCE = 20.0
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_%' AND pid <> pg_backend_pid()"


class Process:
    """One process: what it hears, and whether it leads."""

    def __init__(self, url: str) -> None:
        self.wake = Wake()
        self.peers = PostgresPeers(for_libpq(url)[0], None, self.wake)
        self.leading = asyncio.Event()
        self.ended = asyncio.Event()

    async def loop(self) -> None:
        """What only the leader does."""
        self.leading.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.leading.clear()
            self.ended.set()


@pytest.fixture
async def start(migrated_postgresql: Path) -> AsyncIterator[Callable[[], object]]:
    """Starts processes, which end with the test; or sooner, by the stack that comes with each."""
    async with AsyncExitStack() as all_of_them:

        async def begin() -> tuple[Process, AsyncExitStack]:
            process = Process(postgres_url(migrated_postgresql, NAME))
            stack = await all_of_them.enter_async_context(AsyncExitStack())
            await stack.enter_async_context(running(lambda: [process.peers.run()]))
            await stack.enter_async_context(running(lambda: [process.peers.lead(lambda: [process.loop()])]))
            async with asyncio.timeout(PATIENCE):
                with process.wake.watch("connected") as watch:  # who has connected is woken for everything
                    await watch.wait(PATIENCE)
            return process, stack

        yield begin


async def test_a_notice_wakes_who_waits_in_another_process_and_is_not_sent_round(start: Callable) -> None:
    (one, _), (other, _) = await start(), await start()
    told: list[str] = []
    tell = other.wake.tell
    assert tell is not None
    other.wake.tell = lambda key: (told.append(key), tell(key))  # type: ignore[func-returns-value]
    with other.wake.watch("a conversation") as there, one.wake.watch("a conversation") as here:
        one.wake.notify("a conversation")
        assert await here.wait(PATIENCE)
        assert await there.wait(PATIENCE)
    assert told == []


async def test_one_process_leads_and_the_next_one_as_soon_as_it_stops(start: Callable) -> None:
    first, stack = await start()
    async with asyncio.timeout(PATIENCE):
        await first.leading.wait()
        second, _ = await start()
        assert not second.peers.leads
        await stack.aclose()
        assert first.ended.is_set()
        await second.leading.wait()


async def test_a_leader_that_loses_its_connection_stops_leading_before_it_tries_again(
    start: Callable, migrated_postgresql: Path
) -> None:
    process, _ = await start()
    async with asyncio.timeout(PATIENCE):
        await process.leading.wait()
        await execute(migrated_postgresql, OTHERS)
        await process.ended.wait()
        await process.leading.wait()  # connected anew, and nobody else was there


async def test_what_one_process_has_taken_no_other_takes_until_it_is_given_back(start: Callable) -> None:
    (one, _), (other, _) = await start(), await start()
    assert await one.peers.claim("lane")
    assert not await other.peers.claim("lane")
    assert await other.peers.claim("another lane")
    await one.peers.release("lane")
    assert await other.peers.claim("lane")


async def test_what_a_process_had_taken_is_free_when_it_is_gone(start: Callable) -> None:
    (one, stack), (other, _) = await start(), await start()
    assert await one.peers.claim("lane")
    await stack.aclose()
    assert await other.peers.claim("lane")


async def test_a_connection_that_does_not_answer_in_time_is_given_up_with_all_that_it_held(
    start: Callable, migrated_postgresql: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.peers.ANSWER_SECONDS", 0.3)
    (one, _), (other, _) = await start(), await start()
    assert await one.peers.claim("lane")
    assert await one.peers.claim("another lane")
    server = one.peers._connection.get_server_pid()
    os.kill(server, signal.SIGSTOP)
    await one.peers.release("lane")
    os.kill(server, signal.SIGCONT)
    async with asyncio.timeout(PATIENCE):
        while not await other.peers.claim("another lane"):  # noqa: ASYNC110  # it is the server that lets go
            await asyncio.sleep(0.01)


async def test_who_was_not_connected_looks_at_everything_once_it_is(start: Callable, migrated_postgresql: Path) -> None:
    process, _ = await start()
    with process.wake.watch("a conversation") as watch:
        await execute(migrated_postgresql, OTHERS)
        assert await watch.wait(PATIENCE)


async def test_a_notice_that_is_no_key_of_ours_does_no_harm(start: Callable, migrated_postgresql: Path) -> None:
    process, _ = await start()
    connection = await asyncpg.connect(user="postgres", database=NAME, host=str(migrated_postgresql))
    for key in ("", "x" * 7_000, "'; DROP TABLE cases; --"):
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, key)
    await connection.execute("SELECT pg_notify($1, 'inbox')", CHANNEL)
    await connection.close()
    with process.wake.watch("inbox") as watch:
        process.wake.notify("inbox")
        assert await watch.wait(PATIENCE)
