"""What coordinators do in the group: a press, a command, a reply, a reaction, or a note that stays there."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.base import Membership
from bot.casework.claims import DeskInbound
from bot.casework.closing import REASONS
from bot.casework.commands import COMMANDS, Command, Order, coded, meant, ordered
from bot.casework.office import Office
from bot.model import Case, Member
from bot.render import Say

log = logging.getLogger(__name__)

FOR_ADMINISTRATORS = {"erase"}  # presses that only an administrator may do
HERE_ONLY = ("say", "undo")  # commands about what stands in the topic


class Desk(Office):
    """Use cases of the coordinators' group."""

    async def desk_turn(self, turn: str) -> list[str]:
        """One update of the coordinators' group: a press, a command, a reply, or a note that stays here.

        Returns the ids of the conversations whose people may have something new to read.
        """
        membership = await self._membership(turn)
        async with self.transaction() as session:
            row = await store.inbox(session, turn, lock=True)
            if row is None or row.state == "done":
                return []
            row.state = "done"
            said = DeskInbound(**row.payload)
            row.payload = {}
            if said.kind == "left":
                return await self._left(session, said)
            if membership == "stranger":
                await self._turned_away(session, said)
                return []
            await self._remember(session, said)
            case = await self._do(session, said, None if membership is None else membership == "administrator")
            news = [each.id for each in await store.conversations_of(session, case.id)] if case else []
        if said.kind == "press" and said.data.startswith("erase:"):
            await self.scrub()
        return news

    async def _membership(self, turn: str) -> Membership | None:
        """What whoever did it is in the group; None: nobody can say now. Asked before anything is locked."""
        async with self.reading() as session:
            row = await store.inbox(session, turn)
            said = DeskInbound(**row.payload) if row is not None and row.payload else None
        if said is None or said.kind == "left":
            return "member"
        return await self.membership(said.chat_id, said.user_id)

    async def _turned_away(self, session: AsyncSession, said: DeskInbound) -> None:
        """Somebody who is no member did something: the group was made public, or an app still shows it."""
        log.warning("somebody who is no member of the coordinators' group was turned away: %s", said.kind)
        if said.kind == "press":
            text = self.words("desk.members_only")
            await self.send(
                session, "callback", {"callback_id": said.callback_id, "text": text}, lane="now", priority=0
            )

    def _refused(self, allowed: bool | None) -> str:
        return self.words("desk.administrators_unknown" if allowed is None else "desk.administrators_only")

    async def _remember(self, session: AsyncSession, said: DeskInbound) -> None:
        """Bots cannot list a group's members: whoever did something here can be given a case."""
        known = await store.member(session, said.user_id)
        if known is None:
            session.add(Member(user_id=said.user_id, name=said.user_name[:100], username=said.username[:40]))
        elif said.user_name and (known.name, known.username) != (said.user_name[:100], said.username[:40]):
            known.name, known.username = said.user_name[:100], said.username[:40]

    async def _do(self, session: AsyncSession, said: DeskInbound, allowed: bool | None) -> Case | None:
        if said.kind == "press":
            return await self._pressed(session, said, allowed)
        if said.kind == "reaction":
            return await self.reacted(session, said)
        case = await store.case_by_topic(session, said.thread_id) if said.thread_id else None
        if said.kind == "closed":
            await self._closed_by_hand(session, case)
            return case
        if said.kind == "edit":
            if case is not None:
                await self.edited(session, case, said)
            return case
        words = await self.for_person(session, case, said) if case is not None else None
        if case is not None and words is not None:
            await self._reply(session, case, said, words)
            return case
        if said.text.startswith("/") and not said.forwarded:  # somebody else's words are no command
            return await self._commanded(session, case, said, allowed)
        return case

    # Buttons.

    async def _pressed(self, session: AsyncSession, said: DeskInbound, allowed: bool | None) -> Case | None:
        act, _, about = said.data.partition(":")
        if act in self._DRAFTS:
            case, answer = await self._confirmed(session, said, act, about, allowed)
        else:
            case = await store.case(session, about, lock=True) if about else None
            press = self._PRESSES.get(act)
            answer = (
                self.words("desk.gone") if case is None or press is None else await press(self, session, case, said, "")
            )
        await self.send(
            session, "callback", {"callback_id": said.callback_id, "text": answer[:190]}, lane="now", priority=0
        )
        return case

    async def _confirmed(
        self,
        session: AsyncSession,
        said: DeskInbound,
        act: str,
        number: str,
        allowed: bool | None,
    ) -> tuple[Case | None, str]:
        """A second press on what was shown: it is done, or left. Returns the case, if there is one still."""
        kind, yes = self._DRAFTS[act]
        if act in FOR_ADMINISTRATORS and not allowed:
            return None, self._refused(allowed)
        draft = await self.take_draft(session, number, kind)
        case = await store.case(session, draft.case_id, lock=True) if draft is not None else None
        if draft is None or case is None:
            return None, self.words("desk.draft_gone")
        if not yes:
            await self.settle_buttons(session, case, said.message_id)
            return case, self.words("desk.erase_kept" if kind == "erase" else "desk.preview_dropped")
        if kind == "answer":
            return case, await self.send_draft(session, case, said, draft)
        conversations = await store.conversations_of(session, case.id)
        code, receipt = case.code, await self.erase(session, case, self._erased, by="coordinator")
        text = self.words("desk.erased", code=code, name=said.user_name, receipt=receipt)
        await self.announce(session, text)
        fresh = await store.conversation(session, conversations[0].id) if conversations else None
        return (await store.case(session, fresh.case_id) if fresh else None), text

    def _erased(self, receipt: str) -> Say:
        return Say("human.erased", {"receipt": receipt, "hours": self.keep.draft_hours})

    async def _ask_why(self, session: AsyncSession, case: Case, said: DeskInbound, rest: str) -> str:
        return await self.ask_why(session, case)

    async def _close_for(self, session: AsyncSession, case: Case, said: DeskInbound, rest: str) -> str:
        await self.settle_buttons(session, case, said.message_id)
        return await self.close(session, case, said, said.data.partition(":")[0].removeprefix("close."))

    _DRAFTS = {  # noqa: RUF012
        "send": ("answer", True),
        "drop": ("answer", False),
        "erase": ("erase", True),
        "keep": ("erase", False),
    }

    # Commands.

    async def _commanded(
        self,
        session: AsyncSession,
        case: Case | None,
        said: DeskInbound,
        allowed: bool | None,
    ) -> Case | None:
        """A command: about the case of the topic, about the one whose code stands first, or about none."""
        order = ordered(said.text) or Order(said.text.split(maxsplit=1)[0][1:].lower(), "", "")
        if not await self.for_us(session, order):
            return None
        command = COMMANDS.get(order.name)
        if command is None:
            await self._answer(session, case, said, self._unknown(order))
            return case
        if command.administrators and not allowed:
            await self._answer(session, case, said, self._refused(allowed))
            return case
        if not command.of_case:
            await self._ABOUT_DESK[command.name](self, session, case, said, order.rest)
            return case
        if case is not None:
            before = _standing(case)
            answer = await self._COMMANDS[command.name](self, session, case, said, order.rest)
            if _standing(case) == before:  # what changed it was told in the topic already
                await self._answer(session, case, said, answer)
            return case
        code, rest = coded(order.rest)
        case = await store.case_by_code(session, code, lock=True) if code else None
        if case is None or command.name in HERE_ONLY or (case.state == "talking" and command.name != "erase"):
            await self._answer(session, None, said, self._no_case(command, code))
            return None
        answer = await self._COMMANDS[command.name](self, session, case, said, rest)
        await self._answer(session, None, said, answer or self.words("desk.in_topic", code=case.code))
        return case

    async def _answer(
        self,
        session: AsyncSession,
        case: Case | None,
        said: DeskInbound,
        text: str,
        lines: list[tuple[str, str, int | None]] | None = None,
    ) -> None:
        """Answer a command where it was written."""
        also: dict[str, Any] = {"reply_to": said.message_id} | ({"lines": lines} if lines else {})
        if not text:
            return
        if case is not None:
            await self.post(session, case, text, also=also)
        else:
            await self.announce(session, text, also=also)

    def _unknown(self, order: Order) -> str:
        command = f"/{order.name[:30]}"
        if guess := meant(order.name):
            return self.words("desk.did_you_mean", command=command, meant=f"/{guess}")
        return self.words("desk.no_such_command", command=command)

    def _no_case(self, command: Command, code: str) -> str:
        if command.name in HERE_ONLY:
            return self.words("desk.say_here")
        if code:
            return self.words("desk.no_such_case")
        name, *rest = self.words(command.usage).split(" ", 1)
        return self.words("desk.which_case", usage=" ".join([name, "WP-XXXX-XXXX", *rest]))

    async def _say(self, session: AsyncSession, case: Case, said: DeskInbound, rest: str) -> str:
        return self.words("desk.say_what")  # with words it would have been for the person

    async def _take(self, session: AsyncSession, case: Case, said: DeskInbound, rest: str) -> str:
        return await self._claim(session, case, said)

    async def _release(self, session: AsyncSession, case: Case, said: DeskInbound, rest: str) -> str:
        return await self.give_back(session, case)

    async def _transfer(self, session: AsyncSession, case: Case, said: DeskInbound, rest: str) -> str:
        known = await store.members(session)
        wanted = rest.removeprefix("@").casefold()
        found = [m for m in known if said.mentioned and m.user_id == said.mentioned]
        found = found or [m for m in known if wanted and wanted in (m.username.casefold(), m.name.casefold())]
        found = found or [m for m in known if wanted and m.name.casefold().startswith(wanted)]
        if len(found) > 1:
            return self.words("desk.transfer_ambiguous", names=_named(found))
        if not found:
            return self.words("desk.transfer_whom", names=_named(known))
        return await self.transfer(session, case, found[0].user_id, found[0].name)

    async def _undo_reply(self, session: AsyncSession, case: Case, said: DeskInbound, rest: str) -> str:
        await self.take_back(session, case, said, said.reply_to)
        return ""

    async def _close_by_words(self, session: AsyncSession, case: Case, said: DeskInbound, rest: str) -> str:
        reason, _, word = rest.partition("\n")
        if reason:
            return await self.close(session, case, said, reason.strip(), word.strip())
        asked = await self.ask_why(session, case)
        return asked if case.state == "closed" else ""

    async def _reopen_case(self, session: AsyncSession, case: Case, said: DeskInbound, rest: str) -> str:
        return await self.reopen(session, case, said)

    async def _export(self, session: AsyncSession, case: Case, said: DeskInbound, rest: str) -> str:
        await self.send(session, "topic.export", {}, lane=f"topic:{case.id}", case=case)
        return ""

    async def _block(self, session: AsyncSession, case: Case, said: DeskInbound, rest: str) -> str:
        return await self.block(session, case, said)

    async def _unblock(self, session: AsyncSession, case: Case, said: DeskInbound, rest: str) -> str:
        return await self.unblock(session, case, said)

    async def _erase(self, session: AsyncSession, case: Case, said: DeskInbound, rest: str) -> str:
        draft = await self.draft(session, case, said, "erase", "")
        buttons = [[self.words("desk.erase_yes"), f"erase:{draft}"], [self.words("desk.erase_no"), f"keep:{draft}"]]
        text = self.words("desk.erase_confirm", code=case.code)
        if case.topic_id is None:  # never handed over: no topic is opened for it
            await self.announce(session, text, also={"buttons": buttons})
        else:
            await self.post(session, case, text, also={"buttons": buttons})
        return ""

    async def _find(self, session: AsyncSession, case: Case | None, said: DeskInbound, rest: str) -> None:
        head, lines = await self.find(session, " ".join(rest.split())[:100])
        await self._answer(session, case, said, head, lines)

    async def _stats(self, session: AsyncSession, case: Case | None, said: DeskInbound, rest: str) -> None:
        await self._answer(session, case, said, await self.stats(session))

    async def _help(self, session: AsyncSession, case: Case | None, said: DeskInbound, rest: str) -> None:
        one = COMMANDS.get(rest.removeprefix("/").lower())
        lines = [self.help_line(command) for command in ([one] if one else COMMANDS.values())]
        await self._answer(session, case, said, "\n".join(lines if one else [self.words("desk.help_head"), "", *lines]))

    def help_line(self, command: Command) -> str:
        """How a command is written and what it does, in words."""
        text = self.words(command.says)
        text = self.words("desk.help_admin", text=text) if command.administrators else text
        return self.words("desk.help_for", usage=self.words(command.usage), text=text)

    _COMMANDS: dict[str, Callable[..., Awaitable[str]]] = {  # noqa: RUF012
        "say": _say,
        "claim": _take,
        "release": _release,
        "transfer": _transfer,
        "r": Office.prepare,
        "ask": Office.ask,
        "undo": _undo_reply,
        "note": Office.keep_note,
        "remind": Office.set_reminder,
        "urgent": Office.set_urgent,
        "close": _close_by_words,
        "reopen": _reopen_case,
        "export": _export,
        "block": _block,
        "unblock": _unblock,
        "erase": _erase,
    }
    _PRESSES: dict[str, Callable[..., Awaitable[str]]] = {  # noqa: RUF012
        "claim": _take,
        "close": _ask_why,
        "release": _release,
        "reopen": _reopen_case,
        **dict.fromkeys((f"close.{reason}" for reason in REASONS), _close_for),
    }
    _ABOUT_DESK: dict[str, Callable[..., Awaitable[None]]] = {"find": _find, "stats": _stats, "help": _help}  # noqa: RUF012

    # A topic that somebody closed in their Telegram.

    async def _closed_by_hand(self, session: AsyncSession, case: Case | None) -> None:
        """The topic of an open case is opened again: we may write into a closed one, but most coordinators may not."""
        if case is not None and case.state in ("waiting", "claimed"):
            await self.send(session, "topic.reopen", {}, lane=f"topic:{case.id}", case=case)
            await self.post(session, case, self.words("desk.topic_reopened"))

    # A coordinator who left.

    async def _left(self, session: AsyncSession, said: DeskInbound) -> list[str]:
        """What they held goes back to the board, and all are told. Returns conversations with something new."""
        if (known := await store.member(session, said.user_id)) is not None:
            await session.delete(known)
        cases = await store.held_by(session, said.user_id)
        conversations = []
        for case in cases:
            name = case.holder_name
            await self.free(session, case, Say("human.left", {"name": name}))
            await self.post(session, case, self.words("desk.left_group", name=name, codes=case.code))
            conversations += [each.id for each in await store.conversations_of(session, case.id)]
        if cases:
            text = self.words("desk.left_group", name=said.user_name, codes=", ".join(case.code for case in cases))
            await self.announce(session, text)
        return conversations


def _standing(case: Case) -> tuple[Any, ...]:
    return case.state, case.holder_id, case.holder_name, case.blocked


def _named(members: Any) -> str:
    return ", ".join(f"{m.name} (@{m.username})" if m.username else m.name for m in members) or "-"
