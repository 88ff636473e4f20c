"""Logging: one line an event, with ids and never a person's words, and no library that would say more.

For people by default, for programs with LOG_FORMAT=json. Each line names what it is about (observe/logs.py): the turn,
the case, the conversation.
"""

from __future__ import annotations

import logging
from traceback import walk_tb
from types import TracebackType

from pythonjsonlogger.json import JsonFormatter

from observe.logs import LINE, NAMES, RESERVED, for_programs, with_ids

# httpx logs addresses, and Telegram's hold the token; the SDK warns of its newer version at every call.
QUIET = ("httpx", "httpcore", "telegram", "rasa_sdk", "alembic", "asyncio", "sqlalchemy", "sse_starlette", "dateparser")


ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Kind(logging.Formatter):
    """Formats an exception as its type and where it happened; its message may hold what a person wrote."""

    def formatException(self, ei: ExcInfo) -> str:
        """The exception's kind, and the files and lines it passed."""
        kind, _, trace = ei
        places = [f"{frame.f_code.co_filename.rsplit('/', 2)[-1]}:{line}" for frame, line in walk_tb(trace)]
        return f"{kind.__name__ if kind else 'unknown'} at {' > '.join(places[-8:])}"


class Json(Kind, JsonFormatter):
    """One JSON object a line: time, level, logger, message, the ids, and of an exception its kind."""


def formatter() -> logging.Formatter:
    """As LOG_FORMAT says; anything but "json" is for people."""
    if for_programs():
        return Json(LINE, rename_fields=NAMES | {"exc_info": "exception"}, reserved_attrs=RESERVED)
    return Kind("%(asctime)s %(levelname)s %(name)s%(about)s %(message)s")


def configure(level: int = logging.INFO) -> None:
    """Set up logging for a process."""
    handler = logging.StreamHandler()
    handler.addFilter(with_ids)
    handler.setFormatter(formatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("telegram").setLevel(logging.CRITICAL)  # it quotes an answer that it cannot read
