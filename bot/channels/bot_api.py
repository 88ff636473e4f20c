"""What both directions of Telegram share: the client, which group is the coordinators', and what an error says."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable

from telegram import Bot, ChatMember, ChatMemberRestricted
from telegram.constants import ChatMemberStatus
from telegram.error import BadRequest, Conflict, Forbidden, RetryAfter, TelegramError
from telegram.request import HTTPXRequest

from bot.casework import Casework
from bot.casework.base import Membership
from bot.settings import Settings

log = logging.getLogger(__name__)

# The library asks to opt in to spans of time as `timedelta`; without it every flood control would also be a warning.
os.environ.setdefault("PTB_TIMEDELTA", "true")

MEMBER_SECONDS = 60.0
# What Telegram says of a request without quoting it. It has no codes for these and no list; they are those that
# https://github.com/tdlib/telegram-bot-api and the servers behind it send for the methods that are used here.
_SAYINGS = (
    "bot can't initiate conversation with a user",
    "bot can't send messages to bots",
    "bot is not a member",
    "bot was blocked by the user",
    "bot was kicked",
    "business_connection_invalid",
    "button_data_invalid",
    "can't parse entities",
    "can't use getupdates method while webhook is active",
    "chat not found",
    "chat_admin_required",
    "chat_write_forbidden",
    "file is temporarily unavailable",
    "file is too big",
    "file must be non-empty",
    "group chat was upgraded",
    "image_process_failed",
    "invalid file_id",
    "media_caption_too_long",
    "message can't be copied",
    "message can't be deleted",
    "message can't be edited",
    "message caption is too long",
    "message is not modified",
    "message is too long",
    "message text is empty",
    "message thread not found",
    "message to be replied not found",
    "message to copy not found",
    "message to delete not found",
    "message to edit not found",
    "message to react not found",
    "message_id_invalid",
    "need administrator rights",
    "not a forum",
    "not enough rights",
    "peer_id_invalid",
    "photo_invalid_dimensions",
    "query is too old",
    "reaction_invalid",
    "terminated by other getupdates request",
    "topic_closed",
    "topic_deleted",
    "topic_id_invalid",
    "topic_not_modified",
    "topics_too_much",
    "user is deactivated",
    "user not found",
    "voice_messages_forbidden",
    "webhook",
    "wrong file identifier",
    "wrong remote file identifier",
)


def client(settings: Settings) -> Bot | None:
    """The Bot API's client, or None when no token is set: then only the website is served."""
    token = settings.telegram_bot_token.get_secret_value()
    if not token:
        return None
    base = settings.telegram_api_base.rstrip("/")
    return Bot(
        token,
        base_url=f"{base}/bot",
        base_file_url=f"{base}/file/bot",
        request=HTTPXRequest(connection_pool_size=32),
        get_updates_request=HTTPXRequest(connection_pool_size=2),
    )


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


class Members:
    """Who is what in the coordinators' group, as Telegram says; what it said holds for a minute."""

    def __init__(self, bot: Bot, now: Callable[[], float] = time.monotonic) -> None:
        self._bot, self._now = bot, now
        self._known: dict[tuple[int, int], tuple[float, Membership]] = {}

    async def membership(self, chat_id: int, user_id: int) -> Membership | None:
        """What a user is in a group; None when Telegram cannot say now."""
        if user_id == chat_id:  # only administrators may write as the group itself
            return "administrator"
        asked, known = self._known.get((chat_id, user_id), (-MEMBER_SECONDS, "stranger"))
        if self._now() - asked < MEMBER_SECONDS:
            return known
        try:
            member = await self._bot.get_chat_member(chat_id, user_id)
        except BadRequest:  # nobody whom Telegram knows there
            return "stranger"
        except TelegramError as error:
            log.warning("it cannot be known who is a member of the coordinators' group: %s", reason(error))
            return None
        known = _membership(member)
        self._known[chat_id, user_id] = self._now(), known
        return known


def _membership(member: ChatMember) -> Membership:
    if member.status in (ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR):
        return "administrator"
    if member.status == ChatMemberStatus.MEMBER or (isinstance(member, ChatMemberRestricted) and member.is_member):
        return "member"
    return "stranger"


def reason(error: TelegramError) -> str:
    """What an error says, for logs and the desk: its kind, and of Telegram's own words only those that quote nothing.

    The rest of them may repeat what was being sent, which is a person's.
    """
    kind = type(error).__name__
    if isinstance(error, BadRequest | Forbidden | Conflict):
        said = error.message.lower()
        return next((f"{kind}: {saying}" for saying in _SAYINGS if saying in said), kind)
    return kind


def seconds(error: RetryAfter) -> float:
    """How long Telegram asks to wait."""
    wait = error.retry_after
    return float(wait) if isinstance(wait, int | float) else wait.total_seconds()
