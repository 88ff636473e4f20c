"""Topics of the coordinators' forum: opened with the brief pinned, found again when somebody closed or deleted them.

Whatever goes to a topic first makes sure that it is there. Each step is remembered before the next, so a send that
broke off goes on where it was.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from telegram import Bot, InlineKeyboardMarkup, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, TelegramError

from bot.casework import BoardText, Card, Casework
from bot.casework.outbound import Later, Never
from bot.channels.bot_api import DeskChat, reason
from bot.channels.budget import Budget
from bot.channels.telegram_text import buttons_in_rows, escaped, parts, quiet

log = logging.getLogger(__name__)

type Post = Callable[[int, int], Awaitable[int | None]]  # (chat, topic) -> the message's id
type Place = tuple[int, int]  # (chat, message)
type Line = tuple[str, str, int | None]  # about a case: its code, what is said of it, its topic

WAIT_FOR_ADMINISTRATOR = 300.0
SPARE_FOR_WORDS = 4  # posts a minute that edits of cards leave to words
SPARE_FOR_CARDS = 4  # and that the board leaves to cards
DELETED_AT_ONCE = 10
ATTEMPTS = 4  # the topic is deleted, the new one closed, …: more than that is no coincidence

_GONE = ("message thread not found", "topic_deleted", "topic deleted", "topic_id_invalid")
_CLOSED = ("topic_closed", "topic closed")
_SO_ALREADY = ("topic_not_modified", "message is not modified")
_NO_SUCH_MESSAGE = ("message to edit not found", "message can't be edited", "message_id_invalid")
_NOT_THERE = ("message to delete not found", "message_id_invalid")
# What an administrator of the group can put right: the words wait for it.
_NO_GROUP = ("chat not found", "not a forum")
_NOT_ALLOWED = (*_NO_GROUP, "not enough rights", "chat_write_forbidden", "chat_admin_required")


class CaseGone(Exception):
    """The case was erased: what was to be posted is not to be posted any more."""


class Topics:
    """Posts into the topics of cases."""

    def __init__(self, bot: Bot, casework: Casework, chat: DeskChat, budget: Budget) -> None:
        self._bot, self._casework, self._chat, self.budget = bot, casework, chat, budget

    async def post(self, case_id: str, act: Post) -> int | None:
        """Do something in the case's topic, which is opened if there is none.

        Raises Later, Never, CaseGone, and what of TelegramError has nothing to do with topics.
        """
        for _ in range(ATTEMPTS):
            try:
                return await self._in_group(lambda chat: self._act(chat, case_id, act))
            except BadRequest as error:
                if _says(error, _GONE):
                    log.warning("the topic of case %s is gone; opening a new one", case_id)
                    await self._casework.topic_lost(case_id)
                elif not _says(error, _CLOSED):
                    raise Never(reason(error)) from None
        raise Later("the topic goes away again and again")

    async def open(self, case_id: str) -> int | None:
        """Make sure that the case has its topic, with the brief in it."""

        async def nothing(chat: int, topic: int) -> None:
            return None

        return await self.post(case_id, nothing)

    async def say(
        self,
        case_id: str,
        text: str,
        mark: str,
        *,
        copies: Sequence[int] = (),
        answer: Callable[[int], Awaitable[ReplyParameters | None]] | None = None,
        buttons: Sequence[tuple[str, str]] = (),
        lines: Sequence[Line] = (),
    ) -> int | None:
        """Post words; `mark` is what a reply to them means. Returns the last message's id.

        `copies` numbers what they are a copy of; `answer` gives, for a group, what they reply to there; `buttons`
        (label, callback data) stand under the last message, `lines` about cases below the words.
        """

        async def act(chat: int, topic: int) -> int | None:
            message_id, ids = None, []
            reply = await answer(chat) if answer else None
            pieces = [escaped(piece) for piece in parts(quiet(text) if mark == "person" else text)]
            pieces[-1] = "\n".join([pieces[-1], *_linked(chat, lines)])
            self.budget.take(len(pieces), of=case_id if mark == "person" else "")
            for piece in pieces:
                keys = buttons_in_rows(buttons) if buttons and piece is pieces[-1] else None
                message_id = await self._send_html(chat, topic, piece, keys, reply)
                await self._casework.topic_posted(case_id, chat, message_id, mark)
                ids.append(message_id)
            for copy in copies:  # several that waited may have gone as one
                await self._casework.arrived([copy], ids if len(copies) == 1 else ids[:1], chat)
            await self._shown(chat, message_id, reply, lines)
            return message_id

        return await self.post(case_id, act)

    async def _shown(
        self, chat: int, message_id: int | None, reply: ReplyParameters | None, lines: Sequence[Line]
    ) -> None:
        """Note what shows something of cases outside of their topics, and the command that asked for it."""
        if lines and message_id is not None:
            ids = [message_id, *([reply.message_id] if reply is not None else [])]
            await self._casework.mentioned(chat, ids, [code for code, _, _ in lines])

    async def refresh(self, case_id: str) -> int | None:
        """Bring the brief up to date, in place; a brief that somebody deleted is posted anew.

        Where there is no topic, whatever opens it posts the brief as it is then: two that open one would open two.
        """
        card = await self._card(case_id)
        topic, message_id = card.topic_id, card.message_id
        if topic is None or message_id is None:
            return None

        async def act(chat: int) -> int:
            self.budget.take(spare=SPARE_FOR_WORDS)
            text = escaped(self._pieces(card)[0])
            if not await self._rewrite(chat, message_id, text, buttons_in_rows(card.buttons)):
                await self._post_brief(chat, topic, card, case_id)
            return message_id

        try:
            return await self._in_group(act)
        except BadRequest as error:
            if not _says(error, _GONE):
                raise Never(reason(error)) from None
            await self._casework.topic_lost(case_id, topic_id=topic)
            return None

    async def announce(
        self,
        text: str,
        *,
        reply: ReplyParameters | None = None,
        buttons: Sequence[tuple[str, str]] = (),
        lines: Sequence[Line] = (),
    ) -> int | None:
        """Say something in General; `lines` about cases and `buttons` stand below."""

        async def act(chat: int) -> int:
            self.budget.take()
            html = "\n".join([escaped(parts(text)[0]), *_linked(chat, lines)])
            keys = buttons_in_rows(buttons) if buttons else None
            message_id = await self._send_html(chat, None, html, keys, reply)
            await self._shown(chat, message_id, reply, lines)
            return message_id

        return await self._in_group(act)

    async def settle(self, message_id: int) -> None:
        """Take the buttons off a message; one that has none any more, or is gone, is as it should be."""

        async def act(chat: int) -> None:
            self.budget.take()
            try:
                await self._bot.edit_message_reply_markup(chat, message_id, reply_markup=None)
            except BadRequest as error:
                if not _says(error, (*_SO_ALREADY, *_NO_SUCH_MESSAGE)):
                    raise

        await self._in_group(act)

    async def picture(self, draw: Callable[[], Awaitable[bytes]], caption: str) -> int | None:
        """Show a picture in General, drawn once there is room for it."""

        async def act(chat: int) -> int:
            self.budget.take()
            return (await self._bot.send_photo(chat, await draw(), caption=caption)).message_id

        return await self._in_group(act)

    async def board(self) -> int | None:
        """Bring the board in General up to date, in place; one that somebody deleted is posted and pinned anew."""

        async def act(chat: int) -> int:
            text = self._board_text(chat, await self._casework.board())
            fact = f"desk.board.{chat}"
            standing = await self._casework.fact(fact)
            self.budget.take(spare=SPARE_FOR_WORDS + SPARE_FOR_CARDS)
            if standing and await self._rewrite(chat, int(standing), text, None):
                return int(standing)
            message_id = await self._send_html(chat, None, text, None)
            await self._casework.remember(fact, str(message_id))
            await self._pin(chat, message_id, "the board")
            return message_id

        return await self._in_group(act)

    def _board_text(self, chat: int, board: BoardText) -> str:
        lines = _linked(chat, [(line.code, line.text, line.topic_id) for line in board.lines])
        return "\n".join([f"<b>{escaped(board.head)}</b>", "", *lines, "", escaped(board.foot)]).strip()

    async def close(self, case_id: str, topic: int) -> None:
        """Close a topic."""
        if not await self._manage(topic, self._bot.close_forum_topic):
            await self._casework.topic_lost(case_id, needed=False)

    async def reopen(self, case_id: str, topic: int) -> None:
        """Open a closed topic."""
        if not await self._manage(topic, self._bot.reopen_forum_topic):
            await self._casework.topic_lost(case_id)

    async def delete(self, topic: int | None, in_topic: Sequence[Place], elsewhere: Sequence[Place]) -> int:
        """Delete a topic with everything in it, and messages elsewhere. Returns how many messages stand still.

        Where the bot may not delete topics, it deletes the messages that Telegram lets it delete. Raises Later.
        """
        left = 0
        if topic is not None:

            async def act(chat: int) -> bool:
                try:
                    await self._switch(chat, topic, self._bot.delete_forum_topic)
                except BadRequest as error:
                    if _says(error, _NO_GROUP):
                        raise
                    return _says(error, _GONE)
                return True

            if not await self._in_group(act):
                left = max(1, await self._unsay(in_topic))  # what colleagues wrote there to each other is not known
        return left + await self._unsay(elsewhere)

    async def _unsay(self, places: Sequence[Place]) -> int:
        """Delete messages one by one, some at a time. Returns how many could not be deleted."""
        left = 0
        for first in range(0, len(places), DELETED_AT_ONCE):
            at_once = places[first : first + DELETED_AT_ONCE]
            left += sum(await asyncio.gather(*(self._stands(chat, message) for chat, message in at_once)))
        return left

    async def _stands(self, chat: int, message_id: int) -> bool:
        """Delete a message. True when that cannot be done; one that is gone is as it should be."""
        try:
            await self._bot.delete_message(chat, message_id)
        except (BadRequest, Forbidden, ChatMigrated) as error:
            return not (isinstance(error, BadRequest) and _says(error, _NOT_THERE))
        return False

    async def send_text(
        self,
        chat: int,
        topic: int | None,
        piece: str,
        buttons: InlineKeyboardMarkup | None = None,
        reply: ReplyParameters | None = None,
    ) -> int:
        """Send one piece of text into a topic, or into General. Returns the message's id. Raises TelegramError."""
        return await self._send_html(chat, topic, escaped(piece), buttons, reply)

    async def _send_html(
        self,
        chat: int,
        topic: int | None,
        text: str,
        buttons: InlineKeyboardMarkup | None,
        reply: ReplyParameters | None = None,
    ) -> int:
        message = await self._bot.send_message(
            chat,
            text,
            message_thread_id=topic,
            parse_mode=ParseMode.HTML,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
            reply_markup=buttons,
            reply_parameters=reply,
        )
        return message.message_id

    async def _rewrite(self, chat: int, message_id: int, text: str, buttons: InlineKeyboardMarkup | None) -> bool:
        """Edit a message in place. False when it is not there any more."""
        try:
            await self._bot.edit_message_text(
                text,
                chat,
                message_id,
                parse_mode=ParseMode.HTML,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=buttons,
            )
        except BadRequest as error:
            if _says(error, _NO_SUCH_MESSAGE):
                return False
            if not _says(error, _SO_ALREADY):
                raise
        return True

    async def _pin(self, chat: int, message_id: int, what: str) -> None:
        try:
            await self._bot.pin_chat_message(chat, message_id, disable_notification=True)
        except TelegramError as error:  # it is only harder to find
            log.warning("%s could not be pinned: %s", what, reason(error))

    async def _act(self, chat: int, case_id: str, act: Post) -> int | None:
        topic = await self._ready(chat, case_id)
        try:
            return await act(chat, topic)
        except BadRequest as error:
            if _says(error, _CLOSED):  # somebody closed it by hand, and words are waiting
                await self._switch(chat, topic, self._bot.reopen_forum_topic)
            raise

    async def _ready(self, chat: int, case_id: str) -> int:
        """The case's topic, opened and with its brief if need be."""
        card = await self._card(case_id)
        topic = card.topic_id
        if topic is None:
            self.budget.take()
            topic = (await self._bot.create_forum_topic(chat, card.title)).message_thread_id
            await self._casework.topic_created(case_id, topic)
        if card.message_id is None:
            await self._post_brief(chat, topic, card, case_id)
        return topic

    async def _post_brief(self, chat: int, topic: int, card: Card, case_id: str) -> None:
        first, *rest = self._pieces(card)
        self.budget.take(2 + len(rest))
        message_id = await self.send_text(chat, topic, first, buttons_in_rows(card.buttons))
        await self._casework.topic_posted(case_id, chat, message_id, "brief")
        await self._pin(chat, message_id, f"the brief of case {case_id}")
        for piece in rest:  # a reply to any of it goes to the person, as one to the brief does
            await self._casework.topic_posted(case_id, chat, await self.send_text(chat, topic, piece), "person")

    def _pieces(self, card: Card) -> list[str]:
        """The card's text; people's words in it call nobody, and the commands that it explains stay commands."""
        explained = self._casework.words("desk.how_to_reply")
        head = card.text.removesuffix(explained)
        return parts(quiet(head) + card.text[len(head) :])

    async def _card(self, case_id: str) -> Card:
        card = await self._casework.card(case_id)
        if card is None:
            raise CaseGone(case_id)
        return card

    async def _manage(self, topic: int, call: Callable[[int, int], Awaitable[bool]]) -> bool:
        """Close, reopen or delete a topic. One that is so already is as it should be. False when it is gone."""
        try:
            await self._in_group(lambda chat: self._switch(chat, topic, call))
        except BadRequest as error:
            if not _says(error, _GONE):
                raise Never(reason(error)) from None
            return False
        return True

    async def _switch(self, chat: int, topic: int, call: Callable[[int, int], Awaitable[bool]]) -> None:
        self.budget.take()
        try:
            await call(chat, topic)
        except BadRequest as error:
            if not _says(error, _SO_ALREADY):
                raise

    async def _in_group[T](self, act: Callable[[int], Awaitable[T]]) -> T:
        """Do something in the group, wherever it is now. Raises Later where an administrator has to help first."""
        for _ in range(2):
            chat = await self._chat.id()
            if chat is None:
                raise Later("COORDINATORS_CHAT_ID is not set", WAIT_FOR_ADMINISTRATOR)
            try:
                return await act(chat)
            except ChatMigrated as moved:
                await self._chat.moved(moved.new_chat_id)
            except (Forbidden, BadRequest) as error:
                if isinstance(error, BadRequest) and not _says(error, _NOT_ALLOWED):
                    raise
                log.error("the coordinators' group refuses the bot: %s", reason(error))
                raise Later(reason(error), WAIT_FOR_ADMINISTRATOR) from None
        raise Later("the group moves again and again")


def _linked(chat: int, lines: Sequence[Line]) -> list[str]:
    """Lines about cases as HTML, each with a link to its topic that only members of the group can open."""
    internal, shown = str(chat).removeprefix("-100"), []
    for code, text, topic in lines:
        named = escaped(code)
        if topic is not None:
            named = f'<a href="https://t.me/c/{internal}/{topic}">{named}</a>'
        shown.append(f"{named} · {escaped(quiet(text))}")
    return shown


def _says(error: BadRequest, texts: tuple[str, ...]) -> bool:
    """Whether Telegram's words are one of these; it has no codes for them."""
    return any(text in error.message.lower() for text in texts)
