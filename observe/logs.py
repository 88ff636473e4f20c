"""What a line of a log is about, and what it looks like to programs (LOG_FORMAT=json)."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pythonjsonlogger.core import RESERVED_ATTRS

# Of a JsonFormatter: one object a line, with time, level, logger, message and the ids.
LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"
NAMES = {"asctime": "time", "levelname": "level", "name": "logger"}
RESERVED = [*RESERVED_ATTRS, "about"]

_ids: ContextVar[dict[str, str]] = ContextVar("ids", default={})  # noqa: B039  # it is replaced, never changed


@contextmanager
def about(**ids: str | None) -> Iterator[None]:
    """Put ids beside every line that is logged in this block, and in whatever it starts."""
    token = _ids.set(_ids.get() | {name: value for name, value in ids.items() if value})
    try:
        yield
    finally:
        _ids.reset(token)


def with_ids(record: logging.LogRecord) -> bool:
    """A handler's filter that drops nothing: it gives a line its ids, and `about`, which is all of them as text."""
    record.__dict__.update(_ids.get())
    record.about = "".join(f" {name}={value}" for name, value in _ids.get().items())
    return True


def for_programs() -> bool:
    """Whether programs read the log rather than people."""
    return os.environ.get("LOG_FORMAT") == "json"
