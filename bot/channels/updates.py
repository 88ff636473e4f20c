"""Updates of Telegram, by polling or webhook: each is stored first, and only then confirmed.

Storing is idempotent by the update's number, so whatever happens between the two only makes Telegram send it again.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeChatAdministrators,
    CallbackQuery,
    ChatMemberUpdated,
    Message,
    Update,
)
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import BadRequest, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.casework import Casework, DeskInbound, Inbound, TooFast
from bot.casework.commands import COMMANDS, Command
from bot.casework.links import USERNAME
from bot.casework.trouble import passes
from bot.channels import desk, telegram
from bot.channels.bot_api import DeskChat, reason, seconds
from bot.channels.web_http import TOO_LARGE, ApiError, limited
from bot.settings import Settings
from bot.wake import Wake

log = logging.getLogger(__name__)

ALLOWED = ("message", "edited_message", "callback_query", "message_reaction", "my_chat_member", "chat_member")
FOR_PEOPLE = ("start", "status", "back", "human", "link", "stop", "restart", "mydata", "delete")
TROUBLE = "telegram.trouble"  # the fact that names the update that last could not be stored
ATTEMPTS = 3
POLL_SECONDS = 25
PAUSES = (1, 2, 5, 15, 30, 60)
MAX_BODY = 1024 * 1024
WEBHOOK_PATH = "/telegram"  # where the webhook's address names none

UPDATES = Counter("waypoint_telegram_updates", "Updates received from Telegram", ["outcome"])
BAD_TOKEN = "Telegram does not know TELEGRAM_BOT_TOKEN (any more). Ask @BotFather for a token and start again."  # noqa: S105


class Again(Exception):
    """An update could not be stored now; Telegram is to send it again."""


class Intake:
    """Takes updates as they come over the wire, one at a time."""

    def __init__(self, bot: Bot, casework: Casework, settings: Settings) -> None:
        self._bot, self._casework = bot, casework
        self._desk = DeskChat(casework, settings)
        self._failures: dict[int, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, raw: Any) -> None:
        """Store one update. What can never be stored is skipped and logged by its number. Raises Again."""
        number = raw.get("update_id") if isinstance(raw, dict) else None
        if not isinstance(number, int):
            return self._skip("without number", "it has no update_id")
        try:
            update = Update.de_json(raw, self._bot)
        except Exception as error:  # whatever is in it that the library cannot read, the next one must not wait for it
            return self._skip(number, type(error).__name__)
        try:
            stored = await self._store(update)
        except Exception as error:
            if passes(error) or not await self._is_poison(number):
                raise Again(type(error).__name__) from error
            return self._skip(number, type(error).__name__)
        self._failures.pop(number, None)
        UPDATES.labels("stored" if stored else "ignored").inc()

    def _skip(self, number: int | str, why: str) -> None:
        UPDATES.labels("skipped").inc()
        log.error("update %s was skipped: %s", number, why)

    async def _is_poison(self, number: int) -> bool:
        """Whether the fault lies in the update: the database takes other things, and this one failed repeatedly."""
        try:
            await self._casework.remember(TROUBLE, str(number))
        except Exception:
            return False
        self._failures[number] = self._failures.get(number, 0) + 1
        return self._failures[number] >= ATTEMPTS and bool(self._failures.pop(number))

    async def _store(self, update: Update) -> bool:
        """Put an update where it belongs. False when it is none of our business."""
        external_id = str(update.update_id)
        if update.my_chat_member is not None:
            return await self._membership(update.my_chat_member)
        if update.chat_member is not None:
            ours = update.chat_member.chat.id == await self._desk.id()
            return ours and await self._to_desk(external_id, desk.from_leaving(update.chat_member))
        if update.callback_query is not None:
            return await self._press(external_id, update.callback_query)
        if update.message_reaction is not None:
            change = update.message_reaction
            ours = change.chat.id == await self._desk.id()
            return ours and await self._to_desk(external_id, desk.from_reaction(change))
        message = update.message or update.edited_message
        if message is None:
            return False
        if message.chat.type == ChatType.PRIVATE:
            inbound = telegram.from_message(message) if update.message else telegram.from_edit(message)
            return await self._person(external_id, telegram.address(message), message, inbound)
        return await self._group(external_id, message, edited=update.message is None)

    async def _person(self, external_id: str, address: str, message: Message, inbound: Inbound | None) -> bool:
        if inbound is None:
            return False
        language = telegram.language(message.from_user)
        conversation = await self._casework.open_conversation("telegram", address, language)
        return await self._receive(conversation, external_id, inbound)

    async def _receive(self, conversation: str, external_id: str, inbound: Inbound) -> bool:
        """Store what a person sent. False when it is too much, of which they were told."""
        try:
            await self._casework.receive(conversation, external_id, inbound)
        except TooFast:
            UPDATES.labels("too_fast").inc()
            return False
        return True

    async def _press(self, external_id: str, query: CallbackQuery) -> bool:
        if query.message is None:
            return False
        chat = query.message.chat
        if chat.id == await self._desk.id():
            return await self._to_desk(external_id, desk.from_press(query))
        self._soon(query.answer())
        inbound = telegram.from_press(query)
        if chat.type != ChatType.PRIVATE or inbound is None:
            return False
        language = telegram.language(query.from_user)
        conversation = await self._casework.open_conversation("telegram", str(chat.id), language)
        return await self._receive(conversation, external_id, inbound)

    async def _group(self, external_id: str, message: Message, *, edited: bool) -> bool:
        ours = await self._desk.id()
        if ours is not None and ours in (message.chat.id, message.migrate_from_chat_id):
            if new_id := message.migrate_to_chat_id or (message.migrate_from_chat_id and message.chat.id):
                await self._desk.moved(new_id)
                log.info("the coordinators' group is now %s", new_id)
                return True
            said = desk.from_edit(message) if edited else desk.from_message(message) or desk.from_closing(message)
            return await self._to_desk(external_id, said)
        if ours is None:
            log.info(
                "a message in group %s: to make it the coordinators', set COORDINATORS_CHAT_ID to that", message.chat.id
            )
        elif message.chat.id != self._desk.configured:  # what it was before a migration is left already
            log.warning("leaving group %s, which is not the coordinators'", message.chat.id)
            self._soon(message.chat.leave())
        return False

    async def _to_desk(self, external_id: str, said: DeskInbound | None) -> bool:
        if said is None:
            return False
        await self._casework.receive_desk(external_id, asdict(said), said.thread_id or None)
        return True

    async def _membership(self, change: ChatMemberUpdated) -> bool:
        """A person blocked the bot or took it back; or our rights in the coordinators' group changed.

        A group that is not ours is left at its first message, not here: when a group becomes a supergroup this
        update may come before the one that says so.
        """
        status = change.new_chat_member.status
        if change.chat.type == ChatType.PRIVATE:
            await self._casework.set_blocked(str(change.chat.id), blocked=status == ChatMemberStatus.BANNED)
            return True
        if change.chat.id == await self._desk.id():
            if status == ChatMemberStatus.ADMINISTRATOR:
                self._soon(offer_commands(self._bot, self._casework, change.chat.id))
            else:
                log.error(
                    "in the coordinators' group the bot is %s: make it an administrator that manages topics", status
                )
        return False

    def _soon(self, call: Coroutine[Any, Any, Any]) -> None:
        """Do something beside storing that storing must not wait for, and that may fail."""
        task = asyncio.create_task(_quietly(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _quietly(call: Coroutine[Any, Any, Any]) -> None:
    try:
        await call
    except TelegramError as error:
        log.info("%s", reason(error))


class Poller:
    """Asks Telegram for updates. `run_once` is one look; `run` looks until it is cancelled."""

    def __init__(
        self,
        bot: Bot,
        casework: Casework,
        wake: Wake,
        settings: Settings,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._bot, self._casework, self._wake, self._settings = bot, casework, wake, settings
        self._intake = Intake(bot, casework, settings)
        self._sleep = sleep
        self._offset = 0

    async def run(self) -> None:
        """Greet Telegram, then look for updates until cancelled; with a webhook, only greet.

        Whatever goes wrong is tried again after growing pauses, except a token that Telegram does not know.
        """
        if await self._persist(self._greet, forever=False) and not self._settings.telegram_webhook_url:
            await self._persist(self.run_once, forever=True)

    async def _persist(self, step: Callable[[], Awaitable[object]], *, forever: bool) -> bool:
        """Do a step until it succeeds, or over and over. False when the token is not good."""
        failures = 0
        while True:
            pause: float
            try:
                await step()
            except InvalidToken:
                log.error(BAD_TOKEN)
                return False
            except RetryAfter as error:
                failures, pause, why = failures + 1, seconds(error), "flood control"
            except TelegramError as error:
                failures += 1
                pause, why = PAUSES[min(failures, len(PAUSES)) - 1], reason(error)
            except Again as error:
                failures += 1
                pause, why = PAUSES[min(failures, len(PAUSES)) - 1], f"an update could not be stored ({error})"
            except Exception as error:  # such as the database being away while we greet
                failures += 1
                pause, why = PAUSES[min(failures, len(PAUSES)) - 1], type(error).__name__
            else:
                if not forever:
                    return True
                failures = 0
                continue
            log.warning("Telegram: %s; trying again in %g s", why, pause)
            await self._sleep(pause)

    async def _greet(self) -> None:
        try:
            await prepare(self._bot, self._casework, self._settings)
        except BadRequest as error:  # another try would say the same
            log.error("Telegram refuses the bot's settings: %s", reason(error))

    async def run_once(self, timeout: int = POLL_SECONDS) -> int:  # noqa: ASYNC109
        """Ask once, waiting at most `timeout` seconds, and store what came. Returns how many updates came.

        Asking confirms the updates of the time before. Raises TelegramError, and Again at the first update that
        could not be stored; those before it are not asked for again.
        """
        updates = await self._fetch(timeout)
        try:
            for raw in updates:
                await self._intake.take(raw)
                self._offset = max(self._offset, raw["update_id"] + 1)
        finally:
            if updates:
                self._wake.notify("inbox")
        return len(updates)

    async def _fetch(self, timeout: int) -> list[Any]:  # noqa: ASYNC109
        """The updates as plain data.

        `Bot.get_updates` would read all of them at once, fail on one that it cannot read, and log everybody's words.
        """
        query = urlencode({"offset": self._offset, "timeout": timeout, "allowed_updates": json.dumps(ALLOWED)})
        answer = await self._bot.request.post(f"{self._bot.base_url}/getUpdates?{query}", read_timeout=timeout + 10)
        if not isinstance(answer, list) or not all(isinstance(raw, dict) and "update_id" in raw for raw in answer):
            raise NetworkError("the answer holds no updates")
        return answer


def webhook_routes(bot: Bot, casework: Casework, wake: Wake, settings: Settings) -> list[Route]:
    """The route that Telegram posts updates to; none when polling is used."""
    if not settings.telegram_webhook_url:
        return []
    intake = Intake(bot, casework, settings)
    secret = webhook_secret(settings).encode()
    too_large = ApiError(TOO_LARGE, "too_large", "An update is not that long.")

    async def receive(request: Request) -> Response:
        given = request.headers.get("x-telegram-bot-api-secret-token", "").encode()
        if not hmac.compare_digest(given, secret):
            return Response(status_code=403)
        try:
            body = b"".join([piece async for piece in limited(request, MAX_BODY, too_large)])
            raw = json.loads(body)
        except ApiError as error:
            return error.response()
        except ValueError:
            raw = None
        try:
            await intake.take(raw)
        except Again as error:
            log.warning("an update could not be stored (%s); Telegram will send it again", error)
            return Response(status_code=503)
        wake.notify("inbox")
        return Response()

    return [Route(urlsplit(webhook_address(settings)).path, receive, methods=["POST"])]


def webhook_address(settings: Settings) -> str:
    """The address that Telegram posts to: the configured one, with a path of its own where it has none."""
    parts = urlsplit(settings.telegram_webhook_url)
    return urlunsplit(parts._replace(path=parts.path if parts.path.strip("/") else WEBHOOK_PATH))


def webhook_secret(settings: Settings) -> str:
    """What Telegram says with every post, so that nobody else can post: derived, so there is no secret more to keep."""
    key = settings.secret_key.get_secret_value().encode()
    return hmac.new(key, b"waypoint.telegram.webhook", hashlib.sha256).hexdigest()


async def offer_commands(bot: Bot, casework: Casework, chat_id: int) -> None:
    """The menu of commands in the coordinators' group; administrators see theirs, too. Raises TelegramError."""

    def menu(commands: Iterable[Command]) -> list[BotCommand]:
        return [BotCommand(command.name, casework.words(command.says)) for command in commands]

    everybodys = (command for command in COMMANDS.values() if not command.administrators)
    await bot.set_my_commands(menu(everybodys), BotCommandScopeChat(chat_id))
    await bot.set_my_commands(menu(COMMANDS.values()), BotCommandScopeChatAdministrators(chat_id))


async def prepare(bot: Bot, casework: Casework, settings: Settings) -> None:
    """Greet Telegram: who we are, the menu of commands in every language of the guide, and how updates come.

    Raises TelegramError.
    """
    me = await bot.get_me()
    await casework.remember(USERNAME, me.username or "")
    for language in casework.guide.languages:
        commands = [
            BotCommand(name, casework.guide.entry(f"command.{name}", language).text("self", 0, {}))
            for name in FOR_PEOPLE
        ]
        # English is for everybody whose language the guide does not have. Telegram takes two letters.
        code = None if language == "en" else language[:2]
        await bot.set_my_commands(commands, BotCommandScopeAllPrivateChats(), code)
    group = await DeskChat(casework, settings).id()
    if group is not None:
        await _quietly(offer_commands(bot, casework, group))  # it may not be in the group yet
    if settings.telegram_webhook_url:
        await bot.set_webhook(webhook_address(settings), allowed_updates=ALLOWED, secret_token=webhook_secret(settings))
    else:
        await bot.delete_webhook()
