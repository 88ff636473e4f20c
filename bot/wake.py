"""Tell those who wait that there is something new to look at: in this process, and in the others (bot/peers.py).

It only shortens a wait: a notice may be lost, so whoever waits looks again after a while. One that nobody is waiting
for is forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Watch:
    """One waiter's view of a key. A notice given between two waits is not lost."""

    def __init__(self) -> None:
        self._news = asyncio.Event()

    def set(self) -> None:
        """Mark that there is something new."""
        self._news.set()

    async def wait(self, timeout: float) -> bool:  # noqa: ASYNC109
        """Wait for a notice, at most `timeout` seconds. True when one came."""
        try:
            async with asyncio.timeout(timeout):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True


class Wake:
    """Notices by key: a conversation's id, `inbox`, `outbox`. Call it from the event loop's thread only."""

    def __init__(self) -> None:
        self._watches: dict[str, set[Watch]] = {}
        self._closed = False
        self.tell: Callable[[str], None] | None = None  # how the other processes are told

    @property
    def closed(self) -> bool:
        """True once the process is shutting down: whoever holds a stream open should end it."""
        return self._closed

    def notify(self, key: str, *, tell: bool = True) -> None:
        """Wake all who wait for `key`, also in the other processes unless `tell` is false."""
        for watch in self._watches.get(key, ()):
            watch.set()
        if tell and self.tell is not None:
            self.tell(key)

    def notify_all(self) -> None:
        """Wake all who wait here for anything: notices may have been lost."""
        for key in self._watches:
            self.notify(key, tell=False)

    def close(self) -> None:
        """Wake everyone, for good, so that open streams end and the server can stop."""
        self._closed = True
        self.notify_all()

    @contextmanager
    def watch(self, key: str) -> Iterator[Watch]:
        """Listen for `key` from here on: look first, then wait, and nothing falls between the two."""
        watch = Watch()
        self._watches.setdefault(key, set()).add(watch)
        try:
            yield watch
        finally:
            watches = self._watches[key]
            watches.discard(watch)
            if not watches:
                del self._watches[key]

    async def wait(self, key: str, timeout: float) -> bool:  # noqa: ASYNC109
        """Wait once for a notice of `key`, at most `timeout` seconds. True when one came."""
        with self.watch(key) as watch:
            return await watch.wait(timeout)
