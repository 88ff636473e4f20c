"""Requests have to come in within a time: who sends theirs a byte at a time would hold a connection for ever.

uvicorn itself bounds only how long a connection may be idle between two requests (`timeout_keep_alive`).
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PromptProtocol(HttpToolsProtocol):
    """uvicorn's HTTP. It ends a connection whose request does not come in: its head, then all of its body, in time."""

    HEAD_SECONDS = 20.0
    BODY_SECONDS = 900.0  # the largest file over a line of 25 KB a second

    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """From here on the first request's head is waited for."""
        super().connection_made(transport)
        self._wait(self.HEAD_SECONDS)

    def on_message_begin(self) -> None:
        """A request begins: the first one, or the next on the same connection."""
        super().on_message_begin()
        if self._due is None:
            self._wait(self.HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        """The head is there: its body is waited for."""
        self._wait(self.BODY_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of it is there; an answer may take as long as it likes."""
        self._arrived()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._arrived()
        super().connection_lost(exc)

    def _wait(self, seconds: float) -> None:
        self._arrived()
        self._due = self.loop.call_later(seconds, self.transport.abort)

    def _arrived(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
