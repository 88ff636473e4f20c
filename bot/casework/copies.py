"""What is the same on both sides: a message of the topic, and a person's. For quotes, edits, marks, taking back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.base import ALERT
from bot.casework.claims import Claims, DeskInbound
from bot.model import Case, Conversation, Message, Relayed
from bot.progress import Progress
from bot.render import Say, Voice, render

ARRIVED, FAILED, CORRECTED, NO_MARK = "👌", "💔", "✍", ""  # of the reactions that Telegram offers to everybody
ALIVE = ("sending", "delivered")
LARGEST_FETCHED = 20 * 2**20  # a bot gets no larger file from Telegram
QUOTE_LENGTH = 120
ALBUM_GATHERS = timedelta(seconds=2)  # the parts of an album come as messages of their own
ALBUM_LENGTH = 10

type Block = dict[str, Any]


def words_of(message: Message | None) -> str:
    """The words of a message themselves, without what was put around them on their way."""
    texts = [b["text"] for b in message.blocks if b["type"] == "text" and not b.get("around")] if message else []
    return str(texts[-1]) if texts else ""


def shortened(text: str) -> str:
    """A quote, on one line."""
    text = " ".join(text.split())
    return text if len(text) <= QUOTE_LENGTH else f"{text[: QUOTE_LENGTH - 1]}…"


class Copies(Claims):
    """Use cases of what stands on both sides."""

    async def copy_to_topic(
        self, session: AsyncSession, case: Case, conversation: Conversation, *, seq: int, message_id: int | None
    ) -> Relayed:
        """Note that a person's message goes to the topic."""
        copy = Relayed(
            case_id=case.id,
            conversation_id=conversation.id,
            from_person=True,
            message_id=message_id,
            seq=seq,
            album="",
            at=self.now(),
            state="sending",
        )
        session.add(copy)
        await session.flush()
        return copy

    async def copy_to_person(
        self, session: AsyncSession, case: Case, conversation: Conversation, said: DeskInbound
    ) -> Relayed:
        """Note that a coordinator's message goes to a person."""
        copy = Relayed(
            case_id=case.id,
            conversation_id=conversation.id,
            from_person=False,
            desk_chat_id=said.chat_id,
            desk_message_id=said.message_id,
            user_id=said.user_id,
            album=said.album[:40],
            at=self.moment(said),
            state="sending",
        )
        session.add(copy)
        await session.flush()
        return copy

    def moment(self, said: DeskInbound) -> datetime:
        """When a coordinator did something, by Telegram's clock: what waits here does not count against them."""
        return datetime.fromtimestamp(said.at, UTC) if said.at else self.now()

    async def arrived(
        self, numbers: Sequence[int], ids: Sequence[int], chat_id: int = 0, *, more: bool = False
    ) -> None:
        """Copies arrived: one message for each; or one copy as several messages, or as an event of the website.

        `chat_id` is the coordinators' group when they arrived there. With `more`, they are further messages of a copy.
        """
        async with self.transaction() as session:
            pairs = zip(numbers, ids, strict=False) if len(numbers) > 1 else [(numbers[0], id_) for id_ in ids]
            filled = set(numbers) if more else set[int]()
            for number, message_id in pairs:
                copy = await store.relayed(session, number)
                if copy is None:
                    continue
                if number in filled:
                    copy = _twin(copy)
                    session.add(copy)
                filled.add(number)
                if copy.from_person:
                    copy.desk_chat_id, copy.desk_message_id = chat_id, message_id
                else:
                    copy.message_id = message_id
            await session.flush()
            for number in numbers:
                copy = await store.relayed(session, number)
                if copy is not None:
                    await self.settled(session, copy, "delivered")

    async def settled(self, session: AsyncSession, copy: Relayed, state: str) -> None:
        """It is known what became of a copy; a coordinator's message shows it once it is known of all its copies."""
        if copy.state == "sending":
            copy.state = state
        if copy.from_person or copy.desk_chat_id is None or copy.desk_message_id is None:
            return
        await session.flush()
        copies = await store.copies_of(session, copy.desk_chat_id, copy.desk_message_id)
        states = {each.state for each in copies}
        if "failed" in states:
            await self.mark(session, copy, FAILED)
        elif states == {"delivered"}:
            await self.mark(session, copy, ARRIVED)

    async def mark(self, session: AsyncSession, copy: Relayed, emoji: str) -> None:
        """Mark the coordinator's message with a reaction, which costs the group no message."""
        await self.send(
            session,
            "desk.mark",
            {"chat_id": copy.desk_chat_id, "message_id": copy.desk_message_id, "emoji": emoji},
            lane=f"mark:{copy.desk_message_id}",
            case=await store.case(session, copy.case_id),
            coalesce=f"mark:{copy.desk_chat_id}:{copy.desk_message_id}",
            priority=ALERT,
        )

    async def corrected(self, session: AsyncSession, copy: Relayed) -> None:
        """A coordinator's edit has reached the person."""
        await self.mark(session, copy, CORRECTED)

    async def wanted(self, numbers: Sequence[int]) -> bool:
        """Whether something of what goes to a person was not taken back in the meantime."""
        async with self.reading() as session:
            copies = [await store.relayed(session, number) for number in numbers]
            return not numbers or any(copy is not None and copy.state in ALIVE for copy in copies)

    async def messages_of(self, numbers: Sequence[int]) -> list[int]:
        """The messages in a person's own chat that are copies of the same coordinator's message, in order."""
        async with self.reading() as session:
            found: list[int] = []
            for number in numbers:
                copy = await store.relayed(session, number)
                if copy is not None and copy.desk_chat_id is not None and copy.desk_message_id is not None:
                    found += await store.messages_of_copy(session, copy)
            return sorted(set(found))

    async def place_in_topic(self, number: int) -> tuple[int, int] | None:
        """(group, message) of a copy in the topic, once it is there."""
        async with self.reading() as session:
            copy = await store.relayed(session, number)
            if copy is None or copy.desk_chat_id is None or copy.desk_message_id is None:
                return None
            return copy.desk_chat_id, copy.desk_message_id

    async def not_delivered(
        self, case_id: str, reason: str, copies: Sequence[int] = (), what: str = "delivered"
    ) -> None:
        """A coordinator's words could not be `what`: say so in the topic, why, and what can be done."""
        async with self.transaction() as session:
            case = await store.case(session, case_id, lock=True)
            if case is None or case.state == "talking":
                return
            rows = [row for number in copies if (row := await store.relayed(session, number)) is not None]
            for row in rows:
                if what == "delivered":
                    await self._failed(session, case, row)
                elif what == "undone" and row.state == "undoing":
                    row.state = "delivered"
            lines = [self.words(f"desk.not_{what}", reason=reason), *await self._advice(session, reason, rows)]
            also = {"reply_to": rows[0].desk_message_id} if rows else None
            await self.post(session, case, "\n".join(lines), priority=ALERT, also=also)

    async def _advice(self, session: AsyncSession, reason: str, rows: Sequence[Relayed]) -> list[str]:
        advice = []
        if "blocked by the user" in reason:
            advice.append(self.words("desk.advise.blocked"))
        if "too big" in reason:
            advice.append(self.too_big())
        if rows and rows[0].desk_chat_id is not None and rows[0].desk_message_id is not None:
            all_of_it = await store.copies_of(session, rows[0].desk_chat_id, rows[0].desk_message_id)
            if any(row.state == "delivered" for row in all_of_it):
                advice.append(self.words("desk.advise.elsewhere"))
        return advice

    def too_big(self) -> str:
        """What to do about a file that is too big, in words."""
        return self.words("desk.advise.too_big", limit=f"{LARGEST_FETCHED // 2**20} MB")

    async def _failed(self, session: AsyncSession, case: Case, copy: Relayed) -> None:
        await self.settled(session, copy, "failed")
        conversation = await store.conversation(session, copy.conversation_id)
        message = await store.message(session, copy.conversation_id, copy.seq or 0)
        if conversation is None or message is None or conversation.channel != "web":
            return
        # The website shows a file before it was fetched: it takes that back, and keeps the words beside it.
        files = [block for block in message.blocks if block["type"] == "file"]
        if files:
            kept = [block for block in message.blocks if block["type"] != "file"]
            message.blocks = []
            say = Say("relay.file_failed", {"name": files[0]["name"]})
            await self.withdraw(session, case, conversation, [message.seq], say)
            if words := words_of(Message(blocks=kept)):
                copy.seq = await self.put(
                    session, case, conversation, [plain(words)], role="coordinator", name=message.name
                )

    async def withdraw(
        self, session: AsyncSession, case: Case, conversation: Conversation, seqs: Sequence[int], say: Say
    ) -> None:
        """Tell the website that messages are no more; it takes them off the screen, and says why."""
        progress = Progress.model_validate_json(case.progress)
        variant = progress.said.get(say.say, 0)
        progress.said[say.say] = variant + 1
        case.progress = progress.model_dump_json()
        blocks = [*self.phrased(conversation, say, variant), {"type": "withdrawn", "seqs": list(seqs)}]
        await self.put(session, case, conversation, blocks, role="system", say=say.say)

    def phrased(self, conversation: Conversation, say: Say, variant: int = 0) -> list[Block]:
        """Words of the guide around somebody's own, in the person's language."""
        blocks = render(self.guide, say, Voice(conversation.lang, "self", None), variant)
        return [{**block, "around": True} for block in blocks]


def plain(text: str) -> Block:
    """Somebody's own words."""
    return {"type": "text", "text": text}


def _twin(copy: Relayed) -> Relayed:
    """The same copy once more: it became several messages."""
    return Relayed(
        case_id=copy.case_id,
        conversation_id=copy.conversation_id,
        from_person=copy.from_person,
        desk_chat_id=copy.desk_chat_id,
        desk_message_id=copy.desk_message_id,
        message_id=copy.message_id,
        seq=copy.seq,
        user_id=copy.user_id,
        album=copy.album,
        at=copy.at,
        state="delivered",
    )
