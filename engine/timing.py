"""Where the time of a turn goes, as the engine tells the bot with each answer: that keeps the figures of all three."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from observe.traces import span


class Timing:
    """How long the parts of one request took, as its answer tells (https://www.w3.org/TR/server-timing/)."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure a part, with a span of its own."""
        began = time.perf_counter()
        try:
            with span(name):
                yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - began

    def __str__(self) -> str:
        """The header."""
        return ", ".join(f"{name};dur={seconds * 1000:.2f}" for name, seconds in self._seconds.items())
