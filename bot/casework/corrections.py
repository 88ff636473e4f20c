"""What a coordinator changes or takes back after it was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.base import TO_PERSON
from bot.casework.claims import DeskInbound
from bot.casework.commands import Order, ordered
from bot.casework.copies import ALIVE, NO_MARK, Block, Copies, plain, words_of
from bot.casework.links import USERNAME
from bot.model import Case, Conversation, Outbox, Relayed
from bot.render import Say

UNDO_SECONDS = 10
DISLIKE = "👎"


class Corrections(Copies):
    """Use cases of correcting and taking back."""

    async def for_person(self, session: AsyncSession, case: Case, said: DeskInbound) -> str | None:
        """The words of a message that are for the person; None when it is a note, or a command, and stays here.

        Only /say, or a reply to the person's message or to the card, is for the person; of an album all of it is.
        """
        if said.forwarded:
            return None
        order = ordered(said.text)
        if order is not None and order.name == "say" and await self.for_us(session, order):
            return order.rest if order.rest or said.media else None
        if said.text.startswith("/"):
            return None
        target = await store.topic_message(session, said.chat_id, said.reply_to) if said.reply_to else None
        if target is not None:
            return said.text if target.case_id == case.id and target.kind in ("person", "brief") else None
        if said.album and not said.reply_to and await store.album_goes_out(session, case.id, said.album, said.user_id):
            return said.text
        return None

    async def for_us(self, session: AsyncSession, order: Order) -> bool:
        """Whether a command is for our bot: in groups Telegram writes /say@OurBot, and others have bots, too."""
        ours = await store.fact(session, USERNAME) if order.bot else ""
        return not ours or order.bot.lower() == ours.lower()

    async def hint(self, session: AsyncSession, case: Case, said: DeskInbound, say: str) -> None:
        """Tell a coordinator something about their message, in answer to it."""
        await self.post(session, case, self.words(say), also={"reply_to": said.message_id})

    # A coordinator changes a message.

    async def edited(self, session: AsyncSession, case: Case, said: DeskInbound) -> None:
        """A coordinator changed a message: what the person has is corrected; a note never becomes more by that."""
        words = await self.for_person(session, case, said)
        copies = [c for c in await store.copies_of(session, said.chat_id, said.message_id) if c.case_id == case.id]
        alive = [copy for copy in copies if copy.state in ALIVE]
        if not alive:
            if words is not None or said.text.startswith("/") or copies:
                await self.hint(session, case, said, "desk.edit_unsent")
            return
        if words is None:
            await self.hint(session, case, said, "desk.edit_no_say")
            return
        if case.state != "claimed":
            await self.hint(session, case, said, "desk.is_closed")
            return
        changed = False
        for copy in _newest_of_each_conversation(alive):
            conversation = await store.conversation(session, copy.conversation_id)
            if conversation is not None:
                changed |= await self._correct(session, case, conversation, copy, said, words)
        if not changed and said.media:
            await self.hint(session, case, said, "desk.edit_file")

    async def _correct(
        self,
        session: AsyncSession,
        case: Case,
        conversation: Conversation,
        copy: Relayed,
        said: DeskInbound,
        words: str,
    ) -> bool:
        """Correct one person's copy: on Telegram in place, on the website by a message that says so. False: no need."""
        message = await store.message(session, conversation.id, copy.seq or 0)
        before = words_of(message)
        if message is None or before == words or not (words or said.media):
            return False
        if conversation.channel == "telegram":
            kept = [block for block in message.blocks if block["type"] != "text" or block.get("around")]
            message.blocks = [*kept, plain(words)]
            payload = {
                "relayed": [copy.id],
                "text": words,
                "name": said.user_name,
                "role": "coordinator",
                "media": (said.media or {}).get("kind", ""),
                "what": "corrected",
            }
            await self.send(
                session,
                "correct",
                payload,
                lane=f"chat:{conversation.address}",
                case=case,
                conversation=conversation,
                priority=TO_PERSON,
            )
            return True
        file = next((block["name"] for block in message.blocks if block["type"] == "file"), "")
        say = Say("relay.corrected_file", {"name": file}) if not before else Say("relay.corrected", {"before": before})
        again = await self.copy_to_person(session, case, conversation, said)
        again.at = copy.at  # the ten seconds run from the first
        blocks = [*self.phrased(conversation, say), plain(words)]
        again.seq = await self.put(session, case, conversation, blocks, role="coordinator", name=said.user_name)
        await self.settled(session, again, "delivered")
        await self.corrected(session, again)
        return True

    async def was_corrected(self, numbers: Sequence[int]) -> None:
        """A person's copy on Telegram reads as the coordinator's message does now."""
        async with self.transaction() as session:
            for number in numbers:
                if (copy := await store.relayed(session, number)) is not None:
                    await self.corrected(session, copy)

    # A coordinator takes a message back.

    async def reacted(self, session: AsyncSession, said: DeskInbound) -> Case | None:
        """A coordinator gave a message 👎: their own, in time, is taken back. Returns the case that it was of."""
        if said.data != DISLIKE:
            return None
        if await self._never_taken(session, said):
            return None
        copies = await store.copies_of(session, said.chat_id, said.message_id)
        if not copies or copies[0].user_id != said.user_id:  # a colleague's opinion is no command
            return None
        case = await store.case(session, copies[0].case_id, lock=True)
        if case is not None:
            await self.take_back(session, case, said, said.message_id)
        return case

    async def _never_taken(self, session: AsyncSession, said: DeskInbound) -> bool:
        """A reaction names no topic, so it may overtake the message that it is about: then that is not taken at all."""
        for row in await store.unread_of_desk(session):
            known = row.payload
            if known.get("kind") != "message" or known.get("user_id") != said.user_id:
                continue
            if (known.get("chat_id"), known.get("message_id")) != (said.chat_id, said.message_id):
                continue
            case = await store.case_by_topic(session, known["thread_id"]) if known.get("thread_id") else None
            row.state, row.payload = "done", {}
            if case is not None:
                await self.hint(session, case, said, "desk.undone_unsent")
            return True
        return False

    async def take_back(self, session: AsyncSession, case: Case, said: DeskInbound, message_id: int) -> None:
        """Take back a message that a coordinator sent, if it is theirs and not too old. The case must be locked."""
        if not message_id:
            await self.hint(session, case, said, "desk.undo_how")
            return
        copies = [copy for copy in await store.copies_of(session, said.chat_id, message_id) if copy.case_id == case.id]
        alive = [copy for copy in copies if copy.state in ALIVE]
        if not alive:
            if not any(copy.state == "undoing" for copy in copies):
                await self.hint(session, case, said, "desk.undo_nothing")
            return
        if alive[0].user_id != said.user_id:
            await self.hint(session, case, said, "desk.undo_other")
            return
        waiting = {copy.id: row for copy in alive if (row := await self._unsent(session, copy)) is not None}
        late = (self.moment(said) - alive[0].at).total_seconds() > UNDO_SECONDS
        if late and len(waiting) < len(alive):
            await self.hint(session, case, said, "desk.undo_late")
            return
        for conversation_id in dict.fromkeys(copy.conversation_id for copy in alive):
            conversation = await store.conversation(session, conversation_id)
            if conversation is not None:
                theirs = [copy for copy in alive if copy.conversation_id == conversation_id]
                await self._undo(session, case, conversation, theirs, waiting)
        await self.mark(session, alive[0], NO_MARK)
        await session.flush()
        if len(waiting) == len(alive):
            await self.hint(session, case, said, "desk.undone_unsent")
        else:
            await self._tell_when_undone(session, case, alive[0])
        await self._still_waits(session, case)

    async def _unsent(self, session: AsyncSession, copy: Relayed) -> Outbox | None:
        """The row of the outbox that holds a copy which has not been sent; nobody is sending it."""
        if copy.state != "sending":
            return None
        rows = await store.unsent_to(session, copy.conversation_id)
        return next((r for r in rows if r.kind in ("say", "copy", "album") and copy.id in _numbers(r)), None)

    async def _undo(
        self,
        session: AsyncSession,
        case: Case,
        conversation: Conversation,
        copies: Sequence[Relayed],
        waiting: Mapping[int, Outbox],
    ) -> None:
        """Take one person's copies back: off the website, out of the outbox, or out of their chat on Telegram."""
        name, seqs = "", list[int]()
        for copy in copies:
            copy.state = "undone" if conversation.channel == "web" or copy.id in waiting else "undoing"
            message = await store.message(session, conversation.id, copy.seq or 0)
            if message is not None and message.blocks:
                name, seqs = message.name, [*seqs, message.seq]
                await self._undo_files(session, case, message.blocks)
                message.blocks = []
            if copy.id in waiting:
                _drop(waiting[copy.id], copy.id)
        if conversation.channel == "web" and seqs:
            await self.withdraw(session, case, conversation, seqs, Say("relay.taken_back", {"name": name}))
        if undoing := [copy.id for copy in copies if copy.state == "undoing"]:
            # It has arrived, or is on its way: what is in a lane keeps its order.
            await self.send(
                session,
                "take_back",
                {"relayed": undoing, "role": "coordinator", "what": "undone"},
                lane=f"chat:{conversation.address}",
                case=case,
                conversation=conversation,
                priority=TO_PERSON,
            )

    async def _undo_files(self, session: AsyncSession, case: Case, blocks: Sequence[Block]) -> None:
        for block in blocks:
            file = await store.file_of_case(session, case.id, str(block.get("id", ""))) if "id" in block else None
            if file is not None:
                if file.path:
                    await self.send(session, "unlink", {"path": file.path}, lane="files")
                await session.delete(file)

    async def was_taken_back(self, numbers: Sequence[int]) -> None:
        """A person's copy on Telegram is deleted."""
        async with self.transaction() as session:
            for number in numbers:
                copy = await store.relayed(session, number)
                case = await store.case(session, copy.case_id, lock=True) if copy is not None else None
                if copy is None or case is None or copy.desk_chat_id is None or copy.desk_message_id is None:
                    continue
                if copy.state != "undoing":  # another message of the same copy was told of
                    continue
                for each in await store.copies_of(session, copy.desk_chat_id, copy.desk_message_id):
                    if each.conversation_id == copy.conversation_id and each.state == "undoing":
                        each.state = "undone"
                await session.flush()
                await self._tell_when_undone(session, case, copy)

    async def _tell_when_undone(self, session: AsyncSession, case: Case, copy: Relayed) -> None:
        left = await store.copies_of(session, copy.desk_chat_id or 0, copy.desk_message_id or 0)
        if not left:
            await self.post(session, case, self.words("desk.undone"), also={"reply_to": copy.desk_message_id})

    async def _still_waits(self, session: AsyncSession, case: Case) -> None:
        """What answered the person is gone: they wait again, if they were the last who spoke."""
        last = await store.said_last(session, case.id)
        if last is not None and last.role == "patient":
            await self.person_waits(session, case)


def _newest_of_each_conversation(copies: Sequence[Relayed]) -> list[Relayed]:
    return list({copy.conversation_id: copy for copy in copies}.values())


def _numbers(row: Outbox) -> list[int]:
    return list(row.payload.get("relayed") or ())


def _drop(row: Outbox, number: int) -> None:
    """It is not sent; of an album only this part is not."""
    parts = [part for part in row.payload.get("parts", ()) if part["relayed"] != number]
    if parts:
        row.payload = {**row.payload, "parts": parts, "relayed": [part["relayed"] for part in parts]}
    else:
        row.state, row.payload = "dropped", {}
