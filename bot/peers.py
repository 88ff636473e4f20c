"""Several bot processes on one PostgreSQL: they wake one another, share out the turns, and one of them leads.

All three live on one connection of its own, so that whatever a process held is free at once when it dies: notices are
LISTEN and NOTIFY, a turn in hand and the lead are advisory locks of the session
(https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS). On SQLite there is one process, which
leads: `Alone`. See docs/decisions/0008-more-machines.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, Protocol

import asyncpg

from bot.wake import Wake

log = logging.getLogger(__name__)

CHANNEL = "waypoint"
LEAD, LED = "lead", "led"  # the lock of the leader; the notice that it is free
LOOK_SECONDS = 2.0  # whether the connection still answers, and whether the lead is free
ANSWER_SECONDS = 5.0
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
LONGEST_KEY = 200

Loops = Callable[[], Sequence[Coroutine[Any, Any, None]]]


class Peers(Protocol):
    """What a process needs to know of the others."""

    async def run(self) -> None:
        """Stay in touch until cancelled."""

    async def lead(self, loops: Loops) -> None:
        """Run `loops` whenever this process leads, until cancelled."""

    @property
    def leads(self) -> bool:
        """Whether it is this process that leads."""

    async def claim(self, key: str) -> bool:
        """Take what only one process may do at a time. False when another one does."""

    async def release(self, key: str) -> None:
        """Let go of it."""


class Alone:
    """The only process: it always leads, and nobody else takes anything."""

    async def run(self) -> None:
        """There is nobody to stay in touch with."""

    async def lead(self, loops: Loops) -> None:
        """Run them."""
        async with running(loops):
            await asyncio.Event().wait()

    @property
    def leads(self) -> bool:
        """Who else."""
        return True

    async def claim(self, key: str) -> bool:
        """It is free."""
        return True

    async def release(self, key: str) -> None:
        """Nothing was taken."""


class PostgresPeers:
    """Processes on one PostgreSQL.

    While the connection is lost every claim is granted: a turn that two take is said once (bot/casework/turns.py), and
    one that nobody takes is not said at all.
    """

    def __init__(self, address: str, password: str | None, wake: Wake) -> None:
        """`address` is one that libpq takes, without the password."""
        self._address, self._password = address, password
        self._wake = wake
        self._connection: asyncpg.Connection | None = None
        self._one_at_a_time = asyncio.Lock()  # a connection does one thing at a time
        self._leads, self._follows = asyncio.Event(), asyncio.Event()
        self._follows.set()
        self._look = asyncio.Event()  # before the next look is due
        self._news: set[str] = set()
        wake.tell = self._tell

    async def run(self) -> None:
        """Connect, and connect anew whenever the connection is lost, after pauses that grow."""
        lost = 0
        try:
            while True:
                try:
                    async with self._connected():
                        lost = 0
                        # Whatever was written while nobody listened.
                        self._wake.notify_all()
                        await self._stay()
                except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                    log.warning("the other processes cannot be reached: %s", type(error).__name__)
                await asyncio.sleep(PAUSES[min(lost, len(PAUSES) - 1)])
                lost += 1
        finally:
            self._wake.tell = None

    async def lead(self, loops: Loops) -> None:
        """Run `loops` from when the lead is ours to when it is lost."""
        while True:
            await self._leads.wait()
            log.info("this process leads")
            async with running(loops):
                await self._follows.wait()
            log.info("this process leads no more")

    @property
    def leads(self) -> bool:
        """Whether the lock of the lead is ours."""
        return self._leads.is_set()

    async def claim(self, key: str) -> bool:
        """Take a lock that nobody else holds."""
        return await self._ask("SELECT pg_try_advisory_lock($1)", _number(key), otherwise=True)

    async def release(self, key: str) -> None:
        """Give it back."""
        await self._ask("SELECT pg_advisory_unlock($1)", _number(key), otherwise=True)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        connection = await asyncpg.connect(
            self._address, password=self._password, timeout=ANSWER_SECONDS, command_timeout=ANSWER_SECONDS
        )
        try:
            await connection.add_listener(CHANNEL, self._hear)
            connection.add_termination_listener(lambda _: self._look.set())
            self._connection = connection
            yield
        finally:
            self._connection = None
            self._stop_leading()
            with contextlib.suppress(Exception):  # what it held is free as soon as it is closed, however that goes
                await connection.execute("SELECT pg_advisory_unlock_all(), pg_notify($1, $2)", CHANNEL, LED)
            with contextlib.suppress(Exception):
                await connection.close(timeout=1)

    async def _stay(self) -> None:
        while True:
            self._look.clear()
            if self._news:
                keys, self._news = list(self._news), set()
                await self._do("SELECT pg_notify($1, key) FROM unnest($2::text[]) key", CHANNEL, keys)
            if self._leads.is_set():
                await self._do("SELECT true")
            elif await self._do("SELECT pg_try_advisory_lock($1)", _number(LEAD)):
                self._follows.clear()
                self._leads.set()
            if not self._news:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._look.wait(), LOOK_SECONDS)

    async def _do(self, query: str, *arguments: Any) -> Any:
        async with self._one_at_a_time:
            if self._connection is None:
                raise asyncpg.InterfaceError("the connection is closed")
            return await self._connection.fetchval(query, *arguments)

    async def _ask(self, query: str, *arguments: Any, otherwise: bool) -> bool:
        try:
            return bool(await self._do(query, *arguments))
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            # Whether it was taken or given back is not known; without the connection nothing is held.
            if self._connection is not None:
                self._connection.terminate()
            return otherwise

    def _stop_leading(self) -> None:
        self._leads.clear()
        self._follows.set()

    def _tell(self, key: str) -> None:
        """Of something new here, the others are told with the next look, which is at once."""
        if len(key) <= LONGEST_KEY:
            self._news.add(key)
            self._look.set()

    def _hear(self, connection: Any, process: int, channel: str, key: str) -> None:
        if process == connection.get_server_pid():  # our own
            return
        if key == LED:
            self._look.set()
        else:
            self._wake.notify(key, tell=False)


@contextlib.asynccontextmanager
async def running(loops: Loops) -> AsyncIterator[None]:
    """Run loops side by side while the block lasts. One that fails is seen in the log, and ends none of the others."""
    tasks = [asyncio.create_task(loop) for loop in loops()]
    for task in tasks:
        task.add_done_callback(_seen)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _seen(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a loop ended: %s", type(error).__name__, exc_info=error)


def _number(key: str) -> int:
    """The advisory lock of a key. Two keys that share one, of 2^64, would only wait for one another."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), signed=True)
