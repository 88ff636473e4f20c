"""Stopping in order: readiness goes down first, people are sent elsewhere, and what is in hand is finished."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import FrameType

import uvicorn

CONNECTIONS_SECONDS = 10  # for requests in hand, once no new ones are taken
TURNS_SECONDS = 30.0  # for turns in hand: longer than the engine is waited for
SENDS_SECONDS = 5.0  # for what the last turns said


class Stopping:
    """Whether the process was told to stop. Whoever answers for its readiness looks here."""

    def __init__(self) -> None:
        self.begun = False


class Server(uvicorn.Server):
    """Goes on serving for `notice` seconds after it was told to stop, so that a load balancer can see that.

    A second signal ends the notice. `last` is called at its end: open streams have to end, or they would be waited for.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        stopping: Stopping,
        *,
        notice: float = 0.0,
        last: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._stopping, self._notice, self._last = stopping, notice, last
        self._until = 0.0
        self._signal: tuple[int, FrameType | None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Readiness goes down; the rest follows when the notice is over."""
        self._until = time.monotonic() + self._notice if not self._stopping.begun else 0.0
        self._stopping.begun = True
        self._signal = sig, frame

    async def on_tick(self, counter: int) -> bool:
        """uvicorn looks here ten times a second whether it is to end."""
        if self._signal is not None and time.monotonic() >= self._until:
            self._last()
            super().handle_exit(*self._signal)
            self._signal = None
        return await super().on_tick(counter)
