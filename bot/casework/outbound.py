"""Sending: lease a row, close the session, send, mark. No database session is open while Telegram is waited for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.card import DELAY
from bot.casework.topic import CaseTopic
from bot.model import Conversation, File, Outbox

# How long a row is left to whoever took it. If that process died, the row and all behind it wait for as long.
LEASE = timedelta(seconds=20)
LEASE_OF_FILES = timedelta(seconds=60)
PAUSES = (1, 2, 5, 15, 60, 300, 900)
LAST_ATTEMPT = 40
MOST_JOINED = 20  # messages of a person that go into a topic as one
LONGEST_JOINED = 3_000  # characters of them: Telegram takes 4,096
INTO_GROUP = ("topic.", "group.", "desk.")  # kinds that go to the coordinators
FILES = ("topic.copy", "topic.album", "topic.file")
LARGE = (*FILES, "copy", "album", "fetch", "topic.transcript", "topic.export", "group.week")  # what takes its time


class Later(Exception):
    """It did not arrive, and may yet: now for a reason, `seconds` from now when it is known when."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.seconds = reason, seconds


class Never(Exception):
    """It can never arrive. `blocked`: the person does not let the bot write to them."""

    def __init__(self, reason: str, *, blocked: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.blocked = reason, blocked


@dataclass(frozen=True)
class Outgoing:
    """One thing to send, copied out of its row."""

    id: int
    lane: str
    kind: str
    payload: dict[str, Any]
    attempts: int
    case_id: str | None
    conversation_id: str | None
    address: str  # of the person, "" for the group
    topic_id: int | None
    card_message_id: int | None
    waited: float = 0.0  # seconds since it could have been sent
    late: str = ""  # what stands above a person's words that had to wait long for the group

    @property
    def into_group(self) -> bool:
        """Whether it goes to the coordinators."""
        return self.kind.startswith(INTO_GROUP)


def lease_of(kind: str) -> timedelta:
    """How long a dispatcher has for a row, and others leave it alone."""
    return LEASE_OF_FILES if kind in LARGE else LEASE


def _joins(row: Outbox) -> bool:
    return row.kind == "topic.post" and row.payload.get("mark") == "person"


class Sending(CaseTopic):
    """Use cases of the dispatcher."""

    async def lease_outgoing(self, limit: int = 16, into_group: int | None = None) -> list[Outgoing]:
        """Take what is due, one row a lane; another dispatcher will not take it while it is leased.

        Of what goes into the group at most `into_group` rows; what goes to people is more pressing, and comes first.
        """
        async with self.reading() as session:  # most looks find nothing, and need not keep writers waiting
            if not await store.any_due_outbox(session, self.now()):
                return []
        async with self.transaction() as session:
            rows = await store.due_outbox(session, self.now(), limit)
            leased: list[Outgoing] = []
            room = limit if into_group is None else into_group
            for row in rows:
                if row.kind.startswith(INTO_GROUP):
                    if room <= 0:
                        continue
                    room -= 1
                row.lease_until = self.now() + lease_of(row.kind)
                row.attempts += 1
                await self._join(session, row)
                conversation = await session.get(Conversation, row.conversation_id) if row.conversation_id else None
                case = await store.case(session, row.case_id) if row.case_id else None
                leased.append(
                    Outgoing(
                        id=row.id,
                        lane=row.lane,
                        kind=row.kind,
                        payload=dict(row.payload),
                        attempts=row.attempts,
                        case_id=row.case_id,
                        conversation_id=row.conversation_id,
                        address=conversation.address if conversation else "",
                        topic_id=case.topic_id if case else None,
                        card_message_id=conversation.card_message_id if conversation else None,
                        waited=(self.now() - row.not_before).total_seconds(),
                        late=self._written_late(row),
                    )
                )
            return leased

    def _written_late(self, row: Outbox) -> str:
        """When a person wrote what comes only now: a coordinator who reads "it hurts" has to know since when."""
        if self.now() - row.created_at < DELAY or not (_joins(row) or row.kind in FILES):
            return ""
        return self.words("desk.written_late", at=self.at_desk(row.created_at))

    async def _join(self, session: AsyncSession, row: Outbox) -> None:
        """Words of a person that had to wait take those behind them along: the group takes few messages a minute.

        Words that did not have to wait stay by themselves, so that a reply quotes exactly what it answers.
        """
        if not row.error or not _joins(row):
            return
        for after in await store.behind(session, row, MOST_JOINED):
            if not _joins(after) or after.payload.get("answers") or after.payload.get("reply_to"):
                return
            text = f"{row.payload['text']}\n{after.payload['text']}"
            if len(text) > LONGEST_JOINED:
                return
            both = [*row.payload.get("relayed", ()), *after.payload.get("relayed", ())]
            row.payload = {**row.payload, "text": text, "relayed": both}
            after.state, after.payload, after.sent_at = "joined", {}, self.now()

    async def sent(self, outgoing: Outgoing, message_id: int | None = None) -> None:
        """It arrived. A checklist's message is remembered, so that it can be edited in place."""
        async with self.transaction() as session:
            row = await session.get(Outbox, outgoing.id)
            if row is not None:
                row.state, row.sent_at, row.message_id, row.error = "sent", self.now(), message_id, ""
                row.payload = {}  # the words stand in the transcript; they are not kept twice
            if row is not None and outgoing.kind == "card" and message_id and outgoing.conversation_id:
                conversation = await session.get(Conversation, outgoing.conversation_id)
                if conversation is not None:
                    conversation.card_message_id = message_id

    async def send_later(self, outgoing: Outgoing, reason: str, seconds: float | None = None) -> bool:
        """It did not arrive and may yet: try again after a growing pause. False when that was the last attempt.

        With `seconds` it is known when there will be room for it; such a wait is no failure, and is not counted.
        """
        async with self.transaction() as session:
            row = await session.get(Outbox, outgoing.id)
            if row is None:
                return True
            row.lease_until, row.error = None, reason[:200]
            pause = seconds if seconds is not None else PAUSES[min(outgoing.attempts, len(PAUSES)) - 1]
            row.not_before = self.now() + timedelta(seconds=pause)
            if seconds is not None:
                row.attempts -= 1
            elif outgoing.attempts >= LAST_ATTEMPT:
                await self._bury(session, row)
            return row.state != "failed"

    async def gave_up(self, outgoing: Outgoing, reason: str, *, blocked: bool = False) -> None:
        """It can never arrive: keep it as a dead letter, and remember a person who blocked the bot."""
        async with self.transaction() as session:
            row = await session.get(Outbox, outgoing.id)
            if row is not None:
                row.error = reason[:200]
                await self._bury(session, row)
            if blocked and outgoing.conversation_id:
                conversation = await session.get(Conversation, outgoing.conversation_id)
                if conversation is not None:
                    conversation.blocked = True

    async def _bury(self, session: AsyncSession, row: Outbox) -> None:
        """It is a dead letter now, which the board counts, unless it is the board itself."""
        row.state = "failed"
        if row.kind != "group.board":
            await self.refresh_board(session)

    async def set_blocked(self, address: str, *, blocked: bool) -> None:
        """A person on Telegram blocked the bot, or took that back. Somebody unknown stays unknown."""
        async with self.transaction() as session:
            conversation = await store.conversation_at(session, "telegram", address)
            if conversation is not None:
                conversation.blocked = blocked

    async def fetched(self, file_id: str, path: str, size: int, key: str) -> bool:
        """A coordinator's file lies in our folder now. False when it is not wanted any more."""
        async with self.transaction() as session:
            file = await session.get(File, file_id)
            if file is not None:
                file.path, file.size, file.key = path, size, key
            return file is not None

    async def fact(self, key: str) -> str:
        """A small fact, or ""."""
        async with self.reading() as session:
            return await store.fact(session, key)

    async def remember(self, key: str, value: str) -> None:
        """Remember a small fact."""
        async with self.transaction() as session:
            await store.set_fact(session, key, value)
