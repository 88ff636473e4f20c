"""What both directions of Telegram share: which group is the coordinators', and what an error says."""

from __future__ import annotations

import os

from telegram.error import BadRequest, Conflict, Forbidden, RetryAfter, TelegramError

from bot.casework import Casework
from bot.settings import Settings

# The library asks to opt in to spans of time as `timedelta`; without it every flood control would also be a warning.
os.environ.setdefault("PTB_TIMEDELTA", "true")

_MESSAGE_LENGTH = 150


class DeskChat:
    """The coordinators' group: the one that is configured, or the supergroup that it has become since."""

    def __init__(self, casework: Casework, settings: Settings) -> None:
        self._casework = casework
        self.configured = settings.coordinators_chat_id
        # The fact names the configured group, so that it says nothing about another group configured later.
        self._fact = f"desk.chat.{self.configured}"

    async def id(self) -> int | None:
        """Its id now; None when no group is configured."""
        if self.configured is None:
            return None
        return int(await self._casework.fact(self._fact) or self.configured)

    async def moved(self, chat_id: int) -> None:
        """Telegram gave the group another id."""
        await self._casework.remember(self._fact, str(chat_id))


def reason(error: TelegramError) -> str:
    """What an error says, for a log: Telegram's own words where they are about the request, else the error's kind.

    The words of other errors may quote what was being sent.
    """
    if isinstance(error, BadRequest | Forbidden | Conflict):
        return error.message[:_MESSAGE_LENGTH]
    return type(error).__name__


def seconds(error: RetryAfter) -> float:
    """How long Telegram asks to wait."""
    wait = error.retry_after
    return float(wait) if isinstance(wait, int | float) else wait.total_seconds()
