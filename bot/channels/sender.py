"""What goes out to Telegram: one row of the outbox -> calls of the Bot API, and what their errors mean for it."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from telegram import Bot, InlineKeyboardMarkup, InputFile, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, RetryAfter, TelegramError

from bot.casework import Casework, Outgoing
from bot.casework.outbound import Later, Never
from bot.channels import web_files
from bot.channels.bot_api import DeskChat, reason, seconds
from bot.channels.budget import Budget
from bot.channels.telegram_text import LIMIT, escaped, keyboard, named, parts, quiet, text_of, units
from bot.channels.topics import CaseGone, Topics
from bot.settings import Settings

log = logging.getLogger(__name__)

SEND_SECONDS = 45  # less than a lease: nobody else takes a row that is still being sent
WAIT_FOR_TOKEN = 300.0
MAX_ANSWER = 200
CAPTION_LIMIT = 1024
WITH_CAPTION = ("document", "photo", "voice", "video", "audio")
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class TelegramSender:
    """Sends rows of the outbox. Without a bot only what needs no Telegram is done; the rest waits."""

    def __init__(
        self,
        bot: Bot | None,
        casework: Casework,
        settings: Settings,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bot, self._casework = bot, casework
        self._files_dir, self._max_file_bytes = settings.files_dir, settings.max_file_bytes
        self._budget = Budget(settings.group_sends_per_minute, now)
        self._kinds: dict[str, Callable[[Outgoing], Awaitable[int | None]]] = {"unlink": self._unlink}
        if bot is not None:
            chat = DeskChat(casework, settings)
            person, topic = ToPerson(bot), ToTopic(bot, casework, chat, self._budget, self._files_dir)
            self._kinds |= person.kinds | topic.kinds | {"fetch": lambda outgoing: self._fetch(bot, outgoing)}

    async def send(self, outgoing: Outgoing) -> int | None:
        """Send one row. Returns the message's id, if it made one. Raises Later or Never."""
        act = self._kinds.get(outgoing.kind)
        if act is None:
            if self._bot is None:
                raise Later("Telegram is not set up", WAIT_FOR_TOKEN)
            raise Never(f"nothing can send {outgoing.kind}")
        try:
            async with asyncio.timeout(SEND_SECONDS):
                return await act(outgoing)
        except CaseGone:
            return None
        except TimeoutError:
            raise Later("it took too long") from None
        except TelegramError as error:
            raise self._meaning(outgoing, error) from None

    def _meaning(self, outgoing: Outgoing, error: TelegramError) -> Exception:
        """What an error means for the row. BadRequest comes before its parent NetworkError, which is tried again."""
        if isinstance(error, RetryAfter):
            if outgoing.kind.startswith(("topic.", "group.")):
                self._budget.close(seconds(error))
            return Later("flood control", seconds(error))
        if isinstance(error, InvalidToken):
            log.error("Telegram does not know TELEGRAM_BOT_TOKEN")
            return Later(reason(error), WAIT_FOR_TOKEN)
        if isinstance(error, Forbidden):
            return Never(reason(error), blocked=bool(outgoing.address))
        if isinstance(error, BadRequest | ChatMigrated):
            return Never(reason(error))
        return Later(reason(error))

    async def _unlink(self, outgoing: Outgoing) -> None:
        """Remove a file of an erased case."""
        path = web_files.locate(self._files_dir, str(outgoing.payload["path"]))
        if path is not None:
            path.unlink(missing_ok=True)

    async def _fetch(self, bot: Bot, outgoing: Outgoing) -> None:
        """Take a coordinator's file over into our folder, so that the widget can show it."""
        file = await bot.get_file(str(outgoing.payload["telegram_file_id"]))
        if (file.file_size or 0) > self._max_file_bytes:
            raise Never("file is too big")
        content = bytes(await file.download_as_bytearray())
        path = self._files_dir / secrets.token_hex(16)
        await asyncio.to_thread(_keep, path, content)
        if not await self._casework.fetched(str(outgoing.payload["file"]), path.name, len(content)):
            path.unlink()


class ToPerson:
    """What goes to a person's own chat."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self.kinds: dict[str, Callable[[Outgoing], Awaitable[int | None]]] = {
            "say": self._say,
            "card": self._card,
            "settle": self._settle,
            "copy": self._copy,
            "callback": self._callback,
        }

    async def _say(self, outgoing: Outgoing) -> int | None:
        """Words with their buttons, under the name of a coordinator who says them."""
        blocks = outgoing.payload["blocks"]
        return await self._words(outgoing, text_of(blocks), _speaker(outgoing.payload), keyboard(blocks))

    async def _card(self, outgoing: Outgoing) -> int | None:
        """The checklist, in the place where it stands; sent anew when it is asked for, or cannot be edited."""
        blocks = outgoing.payload["blocks"]
        text, buttons = escaped(parts(text_of(blocks))[0]), keyboard(blocks)
        standing = outgoing.card_message_id
        if standing and not outgoing.payload.get("fresh") and await self._edit(outgoing, standing, text, buttons):
            return standing
        return await self._text(outgoing, text, buttons)

    async def _settle(self, outgoing: Outgoing) -> None:
        """A question that was answered by a button: its text stays, with what was chosen in place of the buttons."""
        asked = parts(text_of(outgoing.payload["blocks"]))[-1]
        answered = f"{asked}\n\n→ {outgoing.payload['chosen']}"
        text = escaped(answered if units(answered) <= LIMIT else asked)
        await self._edit(outgoing, int(outgoing.payload["message_id"]), text, None)

    async def _copy(self, outgoing: Outgoing) -> int | None:
        """What a coordinator sent, under their name; where it takes no caption the name goes before it."""
        payload = outgoing.payload
        name, text, takes_caption = (
            _speaker(payload),
            str(payload.get("text", "")),
            payload.get("media") in WITH_CAPTION,
        )
        fits = takes_caption and units(f"{name}\n{text}") <= CAPTION_LIMIT
        if not fits:
            await self._words(outgoing, text, name)
        caption = named(name, text) if fits else ("" if takes_caption else None)
        copy = await self._bot.copy_message(
            outgoing.address, payload["chat_id"], payload["message_id"], caption=caption, parse_mode=ParseMode.HTML
        )
        return copy.message_id

    async def _callback(self, outgoing: Outgoing) -> None:
        """A word to whoever pressed a button. Who waited too long is not told any more."""
        try:
            await self._bot.answer_callback_query(
                outgoing.payload["callback_id"], str(outgoing.payload["text"])[:MAX_ANSWER]
            )
        except BadRequest as error:
            log.info("outgoing %d: %s", outgoing.id, reason(error))

    async def _words(
        self, outgoing: Outgoing, text: str, name: str = "", buttons: InlineKeyboardMarkup | None = None
    ) -> int:
        """Words in as many messages as they need: a speaker's name above the first, the buttons under the last."""
        *before, last = parts(f"{name}\n{text}" if name else text)
        shown = [escaped(piece) for piece in (*before, last)]
        if name:
            first = before[0] if before else last
            shown[0] = named(name, first[len(name) :].lstrip())
        for piece in shown[:-1]:
            await self._text(outgoing, piece, None)
        return await self._text(outgoing, shown[-1], buttons)

    async def _text(self, outgoing: Outgoing, text: str, buttons: InlineKeyboardMarkup | None) -> int:
        message = await self._bot.send_message(
            outgoing.address,
            text or "…",
            parse_mode=ParseMode.HTML,
            link_preview_options=NO_PREVIEW,
            reply_markup=buttons,
        )
        return message.message_id

    async def _edit(self, outgoing: Outgoing, message_id: int, text: str, buttons: InlineKeyboardMarkup | None) -> bool:
        """Edit a message in place. False when that cannot be done; one that reads so already is as good as edited."""
        try:
            await self._bot.edit_message_text(
                text,
                outgoing.address,
                message_id,
                parse_mode=ParseMode.HTML,
                link_preview_options=NO_PREVIEW,
                reply_markup=buttons,
            )
        except BadRequest as error:
            return "message is not modified" in error.message.lower()
        return True


class ToTopic:
    """What goes to the case's topic in the coordinators' group."""

    def __init__(self, bot: Bot, casework: Casework, chat: DeskChat, budget: Budget, files_dir: Path) -> None:
        self._bot, self._casework, self._budget, self._files_dir = bot, casework, budget, files_dir
        self._topics = Topics(bot, casework, chat, budget)
        self.kinds: dict[str, Callable[[Outgoing], Awaitable[int | None]]] = {
            "topic.open": lambda outgoing: self._topics.open(_case(outgoing)),
            "topic.post": self._post,
            "topic.copy": self._copy,
            "topic.file": self._file,
            "topic.card": lambda outgoing: self._topics.refresh(_case(outgoing)),
            "topic.transcript": self._transcript,
            "topic.close": self._close,
            "topic.reopen": self._reopen,
            "topic.delete": self._delete,
            "group.post": lambda outgoing: self._topics.announce(str(outgoing.payload["text"])),
            "group.board": lambda outgoing: self._topics.board(),
        }

    async def _post(self, outgoing: Outgoing) -> int | None:
        return await self._topics.say(_case(outgoing), str(outgoing.payload["text"]), str(outgoing.payload["mark"]))

    async def _copy(self, outgoing: Outgoing) -> int | None:
        """What a person sent, as it is; only a caption that would call somebody is written anew."""
        payload, text = outgoing.payload, str(outgoing.payload.get("text", ""))
        caption = escaped(quiet(text)) if quiet(text) != text and units(quiet(text)) <= CAPTION_LIMIT else None

        async def act(chat: int, topic: int) -> int:
            self._budget.take()
            copy = await self._bot.copy_message(
                chat,
                payload["chat_id"],
                payload["message_id"],
                message_thread_id=topic,
                caption=caption,
                parse_mode=ParseMode.HTML,
            )
            await self._casework.topic_posted(_case(outgoing), chat, copy.message_id, str(payload["mark"]))
            return copy.message_id

        return await self._topics.post(_case(outgoing), act)

    async def _file(self, outgoing: Outgoing) -> int | None:
        """A person's file: by Telegram's id in the form in which it came, else as a document, which changes nothing."""
        payload = outgoing.payload
        kind, media = (
            ("document", await self._read(payload)) if not payload["file"] else (payload["kind"], payload["file"])
        )
        methods: dict[str, Callable[..., Awaitable[Any]]] = {
            "photo": self._bot.send_photo,
            "video": self._bot.send_video,
            "audio": self._bot.send_audio,
            "voice": self._bot.send_voice,
            "video_note": self._bot.send_video_note,
        }
        send = methods.get(kind, self._bot.send_document)

        async def act(chat: int, topic: int) -> int:
            self._budget.take()
            message = await send(chat, media, message_thread_id=topic)
            await self._casework.topic_posted(_case(outgoing), chat, message.message_id, str(payload["mark"]))
            return int(message.message_id)

        return await self._topics.post(_case(outgoing), act)

    async def _read(self, payload: dict[str, Any]) -> InputFile:
        path = web_files.locate(self._files_dir, str(payload["path"]))
        if path is None:
            raise Never("the file is not in the files folder")
        return InputFile(await asyncio.to_thread(path.read_bytes), filename=str(payload["name"]) or "file")

    async def _transcript(self, outgoing: Outgoing) -> int | None:
        """What was said before, for a topic that was opened anew; as a file when it is long."""
        case_id = _case(outgoing)
        text = await self._casework.transcript(case_id)
        if units(text) <= LIMIT:
            return await self._topics.say(case_id, quiet(text), "note") if text else None

        async def act(chat: int, topic: int) -> int:
            self._budget.take()
            document = InputFile(text.encode(), filename="transcript.txt")
            return (await self._bot.send_document(chat, document, message_thread_id=topic)).message_id

        return await self._topics.post(case_id, act)

    async def _close(self, outgoing: Outgoing) -> None:
        if outgoing.topic_id is not None:
            await self._topics.close(_case(outgoing), outgoing.topic_id)

    async def _reopen(self, outgoing: Outgoing) -> None:
        if outgoing.topic_id is not None:
            await self._topics.reopen(_case(outgoing), outgoing.topic_id)

    async def _delete(self, outgoing: Outgoing) -> None:
        await self._topics.delete(int(outgoing.payload["topic_id"]))


def _case(outgoing: Outgoing) -> str:
    if outgoing.case_id is None:
        raise Never("it belongs to no case")
    return outgoing.case_id


def _speaker(payload: dict[str, Any]) -> str:
    """The name to show: of a coordinator; the assistant has none."""
    return str(payload.get("name", "")).strip() if payload.get("role") == "coordinator" else ""


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)
