"""What every use case needs: a session a transaction, the guide, a clock; and how words get out."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot import store
from bot.casework.hours import Hours
from bot.database import BUSY_MILLISECONDS
from bot.guide import Guide
from bot.keep import Keep
from bot.model import Button, Case, Conversation, Message, Outbox
from bot.progress import Progress
from bot.render import Say, Voice, render

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # no character that is mistaken for another when read aloud

# Outgoing priorities: words to a person go before words to a topic, those before alerts, cards, the board.
TO_PERSON, TO_TOPIC, ALERT, CARD, BOARD = 1, 3, 4, 6, 7
AT_ONCE = timedelta(0)
UNSCRUBBED = "database.unscrubbed"  # the fact that deleted words may still stand in the write-ahead log


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def new_code() -> str:
    """A case code that can be read aloud: WP-XXXX-XXXX, 39 random bits."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"WP-{letters[:4]}-{letters[4:]}"


type Membership = Literal["administrator", "member", "stranger"]


async def only_members(chat_id: int, user_id: int) -> Membership | None:
    """Everybody is a member and nobody an administrator, where there is no group to ask."""
    return "member"


@dataclass(frozen=True)
class Work:
    """The parts shared by all use cases."""

    sessions: async_sessionmaker[AsyncSession]
    guide: Guide
    now: Callable[[], datetime] = utc_now
    public_url: str = ""
    hours: Hours = field(default_factory=Hours)
    keep: Keep = field(default_factory=Keep)
    messages_per_minute: int = 120  # of one person, over five minutes on average
    # What a user is in a group: None when it cannot be known now.
    membership: Callable[[int, int], Awaitable[Membership | None]] = only_members

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: all of it, or nothing."""
        async with self.sessions.begin() as session:
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """One transaction that changes nothing, and so waits for nobody who writes."""
        async with self.sessions() as session:
            await session.connection(execution_options={"read_only": True})
            yield session

    async def scrub(self) -> bool:
        """Take words that were deleted out of SQLite's write-ahead log too, where they would stay for a while.

        False when somebody is reading what stands in it: then it is noted that it is still to be done.
        """
        async with self.sessions() as session:
            connection = await session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
            if connection.dialect.name != "sqlite":
                return True
            # Who waits here for somebody who reads keeps everybody waiting who writes.
            await connection.exec_driver_sql("PRAGMA busy_timeout=200")
            try:
                busy = (await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).scalar()
            finally:
                await connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
        if busy:
            async with self.transaction() as session:
                await store.set_fact(session, UNSCRUBBED, "yes")
        return not busy

    async def scrub_again(self) -> None:
        """Scrub if that could not be done before."""
        async with self.reading() as session:
            wanted = await store.fact(session, UNSCRUBBED)
        if wanted and await self.scrub():
            async with self.transaction() as session:
                await store.forget_fact(session, UNSCRUBBED)

    def new_case(self, lang: str) -> Case:
        """A fresh case with nothing in it."""
        now = self.now()
        return Case(code=new_code(), created_at=now, updated_at=now, lang=lang, progress=Progress().model_dump_json())

    async def deliver(
        self,
        session: AsyncSession,
        case: Case,
        conversation: Conversation,
        says: Sequence[Say],
        progress: Progress,
        *,
        in_reply_to: int | None = None,
        role: str = "assistant",
        name: str = "",
    ) -> None:
        """Speak: render each saying in the person's language and role, record it, and send it on its channel."""
        if not says:
            return
        voice = Voice(conversation.lang, progress.role or "self", progress.relation or None)
        first = await store.next_seq(session, conversation.id, len(says))
        for seq, say in enumerate(says, first):
            variant = progress.said.get(say.say, 0)
            progress.said[say.say] = variant + 1
            blocks = render(self.guide, say, voice, variant)
            await self.put(
                session, case, conversation, blocks, role=role, name=name, say=say.say, in_reply_to=in_reply_to, seq=seq
            )

    async def put(
        self,
        session: AsyncSession,
        case: Case,
        conversation: Conversation,
        blocks: list[dict[str, Any]],
        *,
        role: str,
        name: str = "",
        say: str = "",
        in_reply_to: int | None = None,
        priority: int = TO_PERSON,
        also: dict[str, Any] | None = None,
        seq: int | None = None,
    ) -> int:
        """Record one message and, on Telegram, put it into the outbox, with `also` beside it.

        Returns its number, the next one unless `seq` was counted already.
        """
        seq, blocks = await self.record(
            session, case, conversation, blocks, role=role, name=name, say=say, in_reply_to=in_reply_to, seq=seq
        )
        if conversation.channel == "telegram":
            is_card = any(block["type"] == "checklist" for block in blocks)
            await self.send(
                session,
                "card" if is_card else "say",
                {"blocks": blocks, "name": name, "role": role, "fresh": say == "records.card_new", **(also or {})},
                lane=f"chat:{conversation.address}",
                conversation=conversation,
                case=case,
                seq=seq,
                coalesce=f"card:{conversation.id}" if is_card else "",
                priority=priority,
            )
        return seq

    async def record(
        self,
        session: AsyncSession,
        case: Case,
        conversation: Conversation,
        blocks: list[dict[str, Any]],
        *,
        role: str,
        name: str = "",
        say: str = "",
        in_reply_to: int | None = None,
        seq: int | None = None,
    ) -> tuple[int, list[dict[str, Any]]]:
        """Record one message in the transcript, which is the website's event log. Returns its number and blocks."""
        if seq is None:
            seq = await store.next_seq(session, conversation.id)
        blocks = _issue_buttons(session, conversation, seq, blocks)
        session.add(
            Message(
                conversation_id=conversation.id,
                case_id=case.id,
                seq=seq,
                role=role,
                name=name[:100],
                lang=conversation.lang,
                say=say,
                blocks=blocks,
                at=self.now(),
                in_reply_to=in_reply_to,
            )
        )
        return seq, blocks

    async def send(
        self,
        session: AsyncSession,
        kind: str,
        payload: dict[str, Any],
        *,
        lane: str,
        case: Case | None = None,
        conversation: Conversation | None = None,
        seq: int = 0,
        coalesce: str = "",
        priority: int = TO_TOPIC,
        after: timedelta = AT_ONCE,
    ) -> None:
        """Put something into the outbox; a newer version of the same thing replaces one that is still waiting.

        `after` is how long it may wait for such newer versions.
        """
        now = self.now()
        if coalesce and (waiting := await store.coalesced(session, coalesce)):
            waiting.payload = {**payload, "fresh": payload.get("fresh") or waiting.payload.get("fresh"), "seq": seq}
            return
        session.add(
            Outbox(
                lane=lane,
                kind=kind,
                payload={**payload, "seq": seq},
                priority=priority,
                coalesce=coalesce,
                case_id=case.id if case else None,
                conversation_id=conversation.id if conversation else None,
                created_at=now,
                not_before=now + after,
            )
        )


def _issue_buttons(
    session: AsyncSession, conversation: Conversation, seq: int, blocks: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Replace what choices do by opaque ids that are good once, here."""
    issued = []
    for block in blocks:
        if block["type"] == "choices":
            choices = []
            for choice in block["choices"]:
                token = secrets.token_urlsafe(15)
                session.add(
                    Button(
                        id=token,
                        conversation_id=conversation.id,
                        seq=seq,
                        label=choice["label"][:200],
                        parse=choice["parse"],
                    )
                )
                choices.append({"id": token, "label": choice["label"]})
            block = {**block, "choices": choices}
        issued.append(block)
    return issued
