"""What goes out to Telegram: one row of the outbox -> calls of the Bot API, and what their errors mean for it."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

from telegram import Bot, InlineKeyboardMarkup, InputFile, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, RetryAfter, TelegramError

from bot import keys
from bot.casework import Casework, Outgoing
from bot.casework.outbound import Later, Never, lease_of
from bot.channels import albums, web_files
from bot.channels.bot_api import DeskChat, reason, seconds
from bot.channels.budget import Budget
from bot.channels.data_page import DATA_NAME, PAGE_NAME, as_json, as_page
from bot.channels.telegram_text import LIMIT, escaped, keyboard, named, parts, quiet, text_of, units
from bot.channels.topics import CaseGone, Post, Topics
from bot.chart import drawn
from bot.sealing import new_key
from bot.settings import Settings

log = logging.getLogger(__name__)

SEND_SHARE = 0.75  # of a lease: nobody else takes a row that is still being sent
WAIT_FOR_TOKEN = 300.0
LONG_WAIT = 120.0  # the group's minute being full is none
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
        self._keys_file = settings.keys_file
        self._budget = Budget(settings.group_sends_per_minute, now)
        self._kinds: dict[str, Callable[[Outgoing], Awaitable[int | None]]] = {
            "unlink": self._unlink,
            "keys": self._keep_keys,
        }
        if bot is not None:
            chat = DeskChat(casework, settings)
            person, topic = (
                ToPerson(bot, casework, self._files_dir),
                ToTopic(bot, casework, chat, self._budget, self._files_dir),
            )
            self._kinds |= person.kinds | topic.kinds | {"fetch": lambda outgoing: self._fetch(bot, outgoing)}

    async def send(self, outgoing: Outgoing) -> int | None:
        """Send one row. Returns the message's id, if it made one. Raises Later or Never."""
        act = self._kinds.get(outgoing.kind)
        if act is None:
            if self._bot is None:
                raise Later("Telegram is not set up", WAIT_FOR_TOKEN)
            raise Never(f"nothing can send {outgoing.kind}")
        try:
            async with asyncio.timeout(lease_of(outgoing.kind).total_seconds() * SEND_SHARE):
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

    async def _keep_keys(self, outgoing: Outgoing) -> None:
        """Somebody was erased: their key must not stay beside the backups either."""
        if self._keys_file.exists():
            await asyncio.to_thread(keys.renew, self._keys_file, await self._casework.data_keys())

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
        path, key = self._files_dir / secrets.token_hex(16), new_key()
        await asyncio.to_thread(web_files.write, BytesIO(content), path, key)
        if not await self._casework.fetched(str(outgoing.payload["file"]), path.name, len(content), key.hex()):
            path.unlink()
        elif copies := _copies(outgoing):
            await self._casework.arrived(copies, ())


class ToPerson:
    """What goes to a person's own chat."""

    def __init__(self, bot: Bot, casework: Casework, files_dir: Path) -> None:
        self._bot, self._casework, self._files_dir = bot, casework, files_dir
        self.kinds: dict[str, Callable[[Outgoing], Awaitable[int | None]]] = {
            "say": self._say,
            "card": self._card,
            "settle": self._settle,
            "copy": self._copy,
            "album": self._album,
            "correct": self._correct,
            "take_back": self._take_back,
            "callback": self._callback,
            "mydata": self._mydata,
        }

    async def _say(self, outgoing: Outgoing) -> int | None:
        """Words with their buttons, under the name of a coordinator who says them."""
        if not await self._wanted(outgoing):
            return None
        blocks = outgoing.payload["blocks"]
        ids = await self._words(outgoing, text_of(blocks), _speaker(outgoing.payload), keyboard(blocks))
        return await self._arrived(outgoing, ids)

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
        payload = outgoing.payload
        asked = _spoken(_speaker(payload), text_of(payload["blocks"]))[-1]
        answered = f"{asked}\n\n→ {escaped(payload['chosen'])}"
        text = answered if units(answered) <= LIMIT else asked
        await self._edit(outgoing, int(payload["message_id"]), text, None)

    async def _copy(self, outgoing: Outgoing) -> int | None:
        """What a coordinator sent, under their name; where it takes no caption the name goes before it."""
        if not await self._wanted(outgoing):
            return None
        payload = outgoing.payload
        name, text = _speaker(payload), str(payload.get("text", ""))
        takes_caption, fits = _caption(str(payload.get("media")), name, text)
        ids = [] if fits else await self._words(outgoing, text, name)
        caption = named(name, text) if fits else ("" if takes_caption else None)
        copy = await self._bot.copy_message(
            outgoing.address,
            payload["chat_id"],
            payload["message_id"],
            caption=caption,
            parse_mode=ParseMode.HTML,
            reply_parameters=_answer(payload) if fits else None,
        )
        return await self._arrived(outgoing, [*ids, copy.message_id])

    async def _album(self, outgoing: Outgoing) -> int | None:
        """Several files that a coordinator sent as one, under their name."""
        if not await self._wanted(outgoing):
            return None
        payload = outgoing.payload
        parts: list[dict[str, Any]] = payload["parts"]
        if not albums.is_album(parts):
            ids = []
            for place, part in enumerate(parts):
                alone = {**payload, **part, "media": part["kind"], "relayed": [part["relayed"]]}
                ids.append(await self._copy(replace(outgoing, payload=alone if not place else alone | {"reply_to": 0})))
            return ids[-1]
        name = _speaker(payload)
        fits = all(_caption(part["kind"], name, part["text"])[1] for part in parts)
        if not fits:
            await self._words(outgoing, "\n\n".join(part["text"] for part in parts if part["text"]), name)

        def caption(place: int, text: str) -> str:
            return "" if not fits else named(name, text) if place == 0 else escaped(text)

        sent = await self._bot.send_media_group(
            outgoing.address,
            albums.media_of(parts, caption),
            reply_parameters=_answer(payload) if fits else None,
        )
        return await self._arrived(outgoing, [message.message_id for message in sent])

    async def _correct(self, outgoing: Outgoing) -> None:
        """Other words in the place of those that a coordinator sent."""
        payload = outgoing.payload
        if not await self._wanted(outgoing):
            return
        ids = await self._casework.messages_of(_copies(outgoing))
        if not ids:  # it never arrived, and that was told
            return
        name, text, media = _speaker(payload), str(payload["text"]), str(payload.get("media", ""))
        of_words = ids[:-1] if media else ids
        if of_words:
            await self._rewrite(outgoing, of_words, _spoken(name, text))
        elif _caption(media, name, text)[1]:
            await self._unless_same(
                self._bot.edit_message_caption(
                    outgoing.address, ids[0], caption=named(name, text), parse_mode=ParseMode.HTML
                )
            )
        else:
            raise Never("caption is too long")
        await self._casework.was_corrected(_copies(outgoing))

    async def _rewrite(self, outgoing: Outgoing, ids: list[int], pieces: list[str]) -> None:
        """Words that stand in some messages, anew: in as many of them as they need now."""
        for message_id, piece in zip(ids, pieces, strict=False):
            await self._unless_same(
                self._bot.edit_message_text(
                    piece or "…",
                    outgoing.address,
                    message_id,
                    parse_mode=ParseMode.HTML,
                    link_preview_options=NO_PREVIEW,
                )
            )
        for message_id in ids[len(pieces) :]:
            await self._bot.delete_message(outgoing.address, message_id)
        if added := [await self._text(outgoing, piece, None) for piece in pieces[len(ids) :]]:
            await self._casework.arrived(_copies(outgoing), added, more=True)

    async def _unless_same(self, call: Awaitable[object]) -> None:
        try:
            await call
        except BadRequest as error:
            if "message is not modified" not in error.message.lower():
                raise

    async def _take_back(self, outgoing: Outgoing) -> None:
        """A coordinator's message goes from the person's chat; one that is not there any more is gone already."""
        for message_id in await self._casework.messages_of(_copies(outgoing)):
            try:
                await self._bot.delete_message(outgoing.address, message_id)
            except BadRequest as error:
                if "not found" not in error.message.lower():
                    raise
        await self._casework.was_taken_back(_copies(outgoing))

    async def _wanted(self, outgoing: Outgoing) -> bool:
        """Whether it was not taken back while it waited."""
        return await self._casework.wanted(_copies(outgoing))

    async def _arrived(self, outgoing: Outgoing, ids: list[int]) -> int:
        if copies := _copies(outgoing):
            await self._casework.arrived(copies, ids)
        return ids[-1]

    async def _callback(self, outgoing: Outgoing) -> None:
        """A word to whoever pressed a button. Who waited too long is not told any more."""
        try:
            await self._bot.answer_callback_query(
                outgoing.payload["callback_id"], str(outgoing.payload["text"])[:MAX_ANSWER]
            )
        except BadRequest as error:
            log.info("outgoing %d: %s", outgoing.id, reason(error))

    async def _mydata(self, outgoing: Outgoing) -> int | None:
        """All that is kept about a person, as it is now: a page, the data, or a file that lies with us."""
        case_id, what = _case(outgoing), outgoing.payload["what"]
        if what == "file":
            stored = await self._casework.my_file(case_id, str(outgoing.payload["file"]))
            path = web_files.locate(self._files_dir, stored.path) if stored is not None else None
            if stored is None or path is None:
                return None
            document = InputFile(
                await asyncio.to_thread(web_files.content, path, stored.key), filename=web_files.clean_name(stored.name)
            )
        else:
            mine = await self._casework.my_data(case_id)
            if mine is None:
                return None
            content = as_json(mine) if what == "data" else as_page(mine, links=False).encode()
            document = InputFile(content, filename=DATA_NAME if what == "data" else PAGE_NAME)
        return (await self._bot.send_document(outgoing.address, document)).message_id

    async def _words(
        self, outgoing: Outgoing, text: str, name: str = "", buttons: InlineKeyboardMarkup | None = None
    ) -> list[int]:
        """Words in as many messages as they need: a speaker's name above the first, the buttons under the last."""
        shown = _spoken(name, text)
        ids = []
        for place, piece in enumerate(shown):
            last, reply = place == len(shown) - 1, _answer(outgoing.payload) if place == 0 else None
            ids.append(await self._text(outgoing, piece, buttons if last else None, reply))
        return ids

    async def _text(
        self,
        outgoing: Outgoing,
        text: str,
        buttons: InlineKeyboardMarkup | None,
        reply: ReplyParameters | None = None,
    ) -> int:
        message = await self._bot.send_message(
            outgoing.address,
            text or "…",
            parse_mode=ParseMode.HTML,
            link_preview_options=NO_PREVIEW,
            reply_markup=buttons,
            reply_parameters=reply,
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
            "topic.album": self._album,
            "desk.mark": self._mark,
            "topic.file": self._file,
            "topic.card": lambda outgoing: self._topics.refresh(_case(outgoing)),
            "topic.transcript": self._transcript,
            "topic.close": self._close,
            "topic.reopen": self._reopen,
            "topic.delete": self._delete,
            "topic.settle": lambda outgoing: self._topics.settle(int(outgoing.payload["message_id"])),
            "topic.export": self._export,
            "group.post": self._announce,
            "group.week": self._week,
            "group.board": lambda outgoing: self._topics.board(),
        }

    async def _post(self, outgoing: Outgoing) -> int | None:
        return await self._topics.say(
            _case(outgoing),
            _above(outgoing.late, str(outgoing.payload["text"])),
            str(outgoing.payload["mark"]),
            copies=_copies(outgoing),
            answer=lambda chat: self._answer(outgoing, chat),
            buttons=outgoing.payload.get("buttons", ()),
            lines=outgoing.payload.get("lines", ()),
        )

    async def _announce(self, outgoing: Outgoing) -> int | None:
        payload = outgoing.payload
        return await self._topics.announce(
            str(payload["text"]),
            reply=_answer(payload),
            buttons=payload.get("buttons", ()),
            lines=payload.get("lines", ()),
        )

    async def _week(self, outgoing: Outgoing) -> int | None:
        """The figures of a week as a picture, with the words of /stats below."""
        caption, chart = await self._casework.week()
        return await self._topics.picture(lambda: drawn(chart), caption[:CAPTION_LIMIT])

    async def _answer(self, outgoing: Outgoing, chat: int) -> ReplyParameters | None:
        """What it replies to in the topic: a message there, or the copy of one of the person's."""
        payload = outgoing.payload
        place = await self._casework.place_in_topic(int(payload["answers"])) if payload.get("answers") else None
        if place is not None:
            return _answer({"reply_to": place[1]}) if place[0] == chat else None
        return _answer(payload)

    async def _copy(self, outgoing: Outgoing) -> int | None:
        """What a person sent, as it is; only a caption that would call somebody is written anew."""
        payload, text = outgoing.payload, str(outgoing.payload.get("text", ""))
        late = outgoing.late if payload.get("kind") in WITH_CAPTION else ""
        caption = _quiet_caption(text, late)

        async def act(chat: int, topic: int) -> int:
            self._budget.take(of=_case(outgoing))
            copy = await self._bot.copy_message(
                chat,
                payload["chat_id"],
                payload["message_id"],
                message_thread_id=topic,
                caption=caption,
                parse_mode=ParseMode.HTML,
                reply_parameters=await self._answer(outgoing, chat),
            )
            return await self._posted(outgoing, chat, [copy.message_id])

        try:
            return await self._topics.post(_case(outgoing), act)
        except Never:  # they deleted it, or Telegram does not let it pass
            await self._casework.not_relayed(_case(outgoing))
            raise

    async def _album(self, outgoing: Outgoing) -> int | None:
        """Several files that a person sent as one."""
        parts: list[dict[str, Any]] = outgoing.payload["parts"]
        if not albums.is_album(parts):
            last = None
            for part in parts:
                last = await self._copy(
                    replace(outgoing, payload=outgoing.payload | part | {"relayed": [part["relayed"]]})
                )
            return last

        def caption(place: int, text: str) -> str:
            return _quiet_caption(text, "" if place else outgoing.late) or escaped(text)

        async def act(chat: int, topic: int) -> int:
            self._budget.take(len(parts), of=_case(outgoing))
            sent = await self._bot.send_media_group(
                chat,
                albums.media_of(parts, caption),
                message_thread_id=topic,
                reply_parameters=await self._answer(outgoing, chat),
            )
            return await self._posted(outgoing, chat, [message.message_id for message in sent])

        try:
            return await self._topics.post(_case(outgoing), act)
        except Never:
            await self._casework.not_relayed(_case(outgoing))
            raise

    async def _posted(self, outgoing: Outgoing, chat: int, ids: list[int]) -> int:
        for message_id in ids:
            await self._casework.topic_posted(_case(outgoing), chat, message_id, str(outgoing.payload["mark"]))
        if copies := _copies(outgoing):
            await self._casework.arrived(copies, ids, chat)
        return ids[-1]

    async def _mark(self, outgoing: Outgoing) -> None:
        """A reaction on a coordinator's message. A group that allows none, or a message that is gone, has none."""
        payload = outgoing.payload
        try:
            await self._bot.set_message_reaction(payload["chat_id"], payload["message_id"], payload["emoji"] or None)
        except (BadRequest, Forbidden, ChatMigrated) as error:
            log.info("outgoing %d: %s", outgoing.id, reason(error))

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
            self._budget.take(of=_case(outgoing))
            caption = {"caption": outgoing.late} if outgoing.late and kind in WITH_CAPTION else {}
            message = await send(chat, media, message_thread_id=topic, **caption)
            return await self._posted(outgoing, chat, [int(message.message_id)])

        return await self._topics.post(_case(outgoing), act)

    async def _read(self, payload: dict[str, Any]) -> InputFile:
        path = web_files.locate(self._files_dir, str(payload["path"]))
        if path is None:
            raise Never("the file is not in the files folder")
        content = await asyncio.to_thread(web_files.content, path, str(payload.get("key", "")))
        return InputFile(content, filename=str(payload["name"]) or "file")

    async def _transcript(self, outgoing: Outgoing) -> int | None:
        """What was said before, for a topic that was opened anew; as a file when it is long."""
        case_id = _case(outgoing)
        text = await self._casework.transcript(case_id)
        if units(text) <= LIMIT:
            return await self._topics.say(case_id, quiet(text), "note") if text else None

        return await self._topics.post(case_id, self._text_file(text, "transcript.txt"))

    async def _export(self, outgoing: Outgoing) -> int | None:
        """All that was said and noted, as a file."""
        found = await self._casework.export(_case(outgoing))
        if found is None:
            raise CaseGone
        code, text = found
        caption = self._casework.words("desk.export_caption", code=code)
        return await self._topics.post(_case(outgoing), self._text_file(text, f"{code}.txt", caption))

    def _text_file(self, text: str, name: str, caption: str | None = None) -> Post:
        async def act(chat: int, topic: int) -> int:
            self._budget.take()
            document = InputFile(text.encode(), filename=name)
            message = await self._bot.send_document(chat, document, message_thread_id=topic, caption=caption)
            return message.message_id

        return act

    async def _close(self, outgoing: Outgoing) -> None:
        if outgoing.topic_id is not None:
            await self._topics.close(_case(outgoing), outgoing.topic_id)

    async def _reopen(self, outgoing: Outgoing) -> None:
        if outgoing.topic_id is not None:
            await self._topics.reopen(_case(outgoing), outgoing.topic_id)

    async def _delete(self, outgoing: Outgoing) -> None:
        """What the group holds of an erased case; whoever wanted it is told how that ended."""
        payload = outgoing.payload
        places = [[(chat, message) for chat, message in payload.get(key) or ()] for key in ("in_topic", "elsewhere")]
        try:
            left = await self._topics.delete(payload["topic_id"], *places)
        except Later as later:
            if later.seconds is not None and later.seconds >= LONG_WAIT:  # somebody has to help first
                await self._casework.group_waits(payload)
            raise
        await self._casework.group_cleared(payload, left)


def _case(outgoing: Outgoing) -> str:
    if outgoing.case_id is None:
        raise Never("it belongs to no case")
    return outgoing.case_id


def _copies(outgoing: Outgoing) -> list[int]:
    """The numbers of what is the same on both sides, of which this is one."""
    return list(outgoing.payload.get("relayed") or ())


def _answer(payload: Mapping[str, Any]) -> ReplyParameters | None:
    """What a message replies to; if that is not there any more, the message comes without it."""
    target = int(payload.get("reply_to") or 0)
    return ReplyParameters(target, allow_sending_without_reply=True) if target else None


def _caption(kind: str, name: str, text: str) -> tuple[bool, bool]:
    """Whether something takes a caption, and whether a speaker's name and words fit into it."""
    takes = kind in WITH_CAPTION
    return takes, takes and units(f"{name}\n{text}") <= CAPTION_LIMIT


def _quiet_caption(text: str, late: str = "") -> str | None:
    """A person's caption that calls nobody, below `late`, as HTML; None where it can stay as it is, or is too long."""
    caption = _above(late, quiet(text))
    return escaped(caption) if caption != text and units(caption) <= CAPTION_LIMIT else None


def _above(line: str, text: str) -> str:
    """A line above a text, where there is one."""
    return "\n".join(part for part in (line, text) if part)


def _spoken(name: str, text: str) -> list[str]:
    """Words as HTML in messages that are short enough, with a speaker's bold name above the first."""
    pieces = parts(f"{name}\n{text}" if name else text)
    shown = [escaped(piece) for piece in pieces]
    if name:
        shown[0] = named(name, pieces[0][len(name) :].lstrip())
    return shown


def _speaker(payload: dict[str, Any]) -> str:
    """The name to show: of a coordinator; the assistant has none."""
    return str(payload.get("name", "")).strip() if payload.get("role") == "coordinator" else ""
