"""Logging: ids and kinds of fault, never a person's words. For people by default, for programs with LOG_FORMAT=json."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog
from pythonjsonlogger.core import RESERVED_ATTRS as RESERVED
from pythonjsonlogger.json import JsonFormatter

_ids: ContextVar[dict[str, str]] = ContextVar("ids", default={})  # noqa: B039  # replaced, never changed


@contextmanager
def about(**ids: str) -> Iterator[None]:
    """Put ids beside every line that is logged in this block."""
    token = _ids.set({**_ids.get(), **ids})
    try:
        yield
    finally:
        _ids.reset(token)


def _with_ids(record: logging.LogRecord) -> bool:
    record.__dict__.update(_ids.get())
    record.about = "".join(f" {name}={value}" for name, value in _ids.get().items())
    return True


def configure() -> None:
    """Send warnings and worse to the error stream. Call it before Rasa is imported.

    Rasa's structlog would otherwise print its debug lines, which quote what people wrote.
    """
    handler = logging.StreamHandler()
    handler.addFilter(_with_ids)
    if os.environ.get("LOG_FORMAT") == "json":
        names = {"asctime": "time", "levelname": "level", "name": "logger"}
        line = "%(asctime)s %(levelname)s %(name)s %(message)s"
        handler.setFormatter(JsonFormatter(line, rename_fields=names, reserved_attrs=[*RESERVED, "about"]))
    else:
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s%(about)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR), cache_logger_on_first_use=True
    )
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)  # deprecations inside Rasa, which is frozen
    logging.getLogger("rasa").setLevel(logging.ERROR)
