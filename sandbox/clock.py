"""Time that a test can move, and the bell that wakes whoever waits for a change."""

import asyncio
import time
from collections.abc import Callable

from starlette.requests import Request


class Clock:
    """Seconds since the epoch, as `source` gives them, plus what tests added; it can stand still."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._offset = 0.0
        self._frozen_at: float | None = None
        self._moved = asyncio.Event()

    def now(self) -> float:
        """The sandbox's present, in seconds since the epoch."""
        moment = self._source() if self._frozen_at is None else self._frozen_at
        return moment + self._offset

    def date(self) -> int:
        """The present as the Bot API writes it: whole seconds."""
        return int(self.now())

    @property
    def frozen(self) -> bool:
        """Whether time passes only by `advance`."""
        return self._frozen_at is not None

    def advance(self, seconds: float) -> None:
        """Move the present forward and wake every sleeper."""
        self._offset += seconds
        self._wake()

    def freeze(self, frozen: bool) -> None:
        """Stop time at its present value, or let it run on from there."""
        present, moment = self.now(), self._source()
        self._frozen_at = moment if frozen else None
        self._offset = present - moment
        self._wake()

    async def sleep(self, seconds: float) -> None:
        """Return when the sandbox's clock, not the machine's, is `seconds` further."""
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            moved = self._moved
            try:
                await asyncio.wait_for(moved.wait(), None if self.frozen else left)
            except TimeoutError:
                continue

    def _wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()


class Bell:
    """Rung at every change of the world; whoever waits looks again whether what it waits for is there."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.closed = False

    def ring(self) -> None:
        """Wake all who wait."""
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    def close(self) -> None:
        """End all waiting: the server stops."""
        self.closed = True
        self.ring()

    async def until[T](self, ready: Callable[[], T | None], within: float) -> T | None:
        """What `ready` gives as soon as it gives something; None after `within` seconds of the machine's clock."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while True:
            rung = self._rung
            if (found := ready()) is not None:
                return found
            left = deadline - loop.time()
            if left <= 0 or self.closed:
                return None
            try:
                await asyncio.wait_for(rung.wait(), left)
            except TimeoutError:
                continue


async def while_connected[T](request: Request, work: asyncio.Task[T]) -> T | None:
    """The result of `work`, or None if the client hangs up first (the work is then cancelled)."""

    async def hung_up() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    gone = asyncio.create_task(hung_up())
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        return await work if work.done() else None
    finally:
        for task in (work, gone):
            task.cancel()
