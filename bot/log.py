"""Logging: one line an event, with ids and never a person's words, and no library that would say more."""

from __future__ import annotations

import logging
from traceback import walk_tb
from types import TracebackType

# httpx logs addresses, and Telegram's hold the token; the SDK warns of its newer version at every call.
QUIET = ("httpx", "httpcore", "telegram", "rasa_sdk", "alembic", "asyncio", "sqlalchemy", "sse_starlette", "dateparser")


ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class OneLine(logging.Formatter):
    """Formats an exception as its type and where it happened; its message may hold what a person wrote."""

    def formatException(self, ei: ExcInfo) -> str:
        """The exception's kind, and the files and lines it passed."""
        kind, _, trace = ei
        places = [f"{frame.f_code.co_filename.rsplit('/', 2)[-1]}:{line}" for frame, line in walk_tb(trace)]
        return f"{kind.__name__ if kind else 'unknown'} at {' > '.join(places[-8:])}"


def configure(level: int = logging.INFO) -> None:
    """Set up logging for a process."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("telegram").setLevel(logging.CRITICAL)  # it quotes an answer that it cannot read
