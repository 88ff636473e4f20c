"""The topic of a case in the coordinators' group: opened, written into, and found again when it was lost."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.base import ALERT, BOARD, CARD, TO_TOPIC
from bot.casework.links import Links
from bot.model import Case, DeskEvent, TopicMessage
from bot.render import Say, Voice, render

DESK_VOICE = Voice("en", "self", None)
GATHER = timedelta(seconds=5)  # changes of the board that come within it are one edit


class CaseTopic(Links):
    """Use cases of a topic as a place."""

    def words(self, say: str, **args: Any) -> str:
        """A guide entry as the coordinators read it."""
        return "\n\n".join(b["text"] for b in render(self.guide, Say(say, args), DESK_VOICE, 0) if b["type"] == "text")

    def at_desk(self, at: datetime) -> str:
        """A moment as the desk's clock shows it."""
        return f"{at.astimezone(self.hours.zone):%a %d %b %H:%M %Z}"

    async def open_topic(self, session: AsyncSession, case: Case) -> None:
        """Open the case's topic, or bring the one it has back, with its brief."""
        if case.topic_id is not None:
            await self.send(session, "topic.reopen", {}, lane=f"topic:{case.id}", case=case, priority=ALERT)
        await self.send(session, "topic.open", {}, lane=f"topic:{case.id}", case=case, priority=ALERT)
        await self.refresh_card(session, case)

    async def refresh_card(self, session: AsyncSession, case: Case) -> None:
        """Bring the card up to date; several changes make one edit, in a lane of its own: no words wait behind it."""
        await self.send(
            session,
            "topic.card",
            {},
            lane=f"card:{case.id}",
            case=case,
            coalesce=f"topic.card:{case.id}",
            priority=CARD,
        )
        await self.refresh_board(session)

    async def refresh_board(self, session: AsyncSession) -> None:
        """Bring the board up to date; however many cases change, one edit shows them all."""
        await self.send(session, "group.board", {}, lane="board", coalesce="board", priority=BOARD, after=GATHER)

    async def announce(
        self, session: AsyncSession, text: str, *, priority: int = ALERT, also: dict[str, Any] | None = None
    ) -> None:
        """Say something to all coordinators, in General.

        `also` may name what it replies to there (`reply_to`), and lines with links (`lines`: code, text, topic).
        """
        await self.send(session, "group.post", {"text": text, **(also or {})}, lane="general", priority=priority)

    async def post(
        self,
        session: AsyncSession,
        case: Case,
        text: str,
        *,
        mark: str = "note",
        priority: int = TO_TOPIC,
        also: dict[str, Any] | None = None,
    ) -> None:
        """Post words into the topic. `mark` says what a reply to them means: person, brief, or note.

        `also` may name what they reply to there (`reply_to`), what they are a copy of (`relayed`), buttons under them
        (`buttons`: label, callback data), and lines with links (`lines`: code, text, topic).
        """
        payload = {"text": text, "mark": mark, **(also or {})}
        await self.send(session, "topic.post", payload, lane=f"topic:{case.id}", case=case, priority=priority)

    async def note(
        self, session: AsyncSession, case: Case, kind: str, value: int | None = None, *, in_hours: bool = True
    ) -> None:
        """Note what happened, for the desk's figures: never anybody's words."""
        session.add(DeskEvent(at=self.now(), case_id=case.id, kind=kind, value=value, in_hours=in_hours))

    async def topic_created(self, case_id: str, topic_id: int) -> None:
        """Remember the topic before anything is posted into it: bots cannot list topics."""
        async with self.transaction() as session:
            case = await store.case(session, case_id, lock=True)
            if case is not None:
                case.topic_id, case.brief_message_id = topic_id, None
            else:  # all of it was deleted while the topic was being opened
                await self.send(session, "topic.delete", {"topic_id": topic_id}, lane=f"topic:{case_id}")

    async def topic_lost(self, case_id: str, *, needed: bool = True, topic_id: int | None = None) -> None:
        """Somebody deleted the topic: the next thing that goes there opens a new one, brief first.

        If it is needed, what was said in it goes there again, as a transcript. With a `topic_id` nothing is done if the
        case has got another one since.
        """
        async with self.transaction() as session:
            case = await store.case(session, case_id, lock=True)
            if case is None or case.topic_id is None or topic_id not in (None, case.topic_id):
                return
            case.topic_id = case.brief_message_id = None
            if not needed:
                return
            await self.send(
                session,
                "topic.transcript",
                {},
                lane=f"topic:{case.id}",
                case=case,
                coalesce=f"topic.transcript:{case.id}",
            )

    async def topic_posted(self, case_id: str, chat_id: int, message_id: int, mark: str) -> None:
        """Remember what a message in the topic stands for."""
        async with self.transaction() as session:
            case = await store.case(session, case_id, lock=True)
            if case is None:
                return
            await session.merge(TopicMessage(chat_id=chat_id, message_id=message_id, case_id=case_id, kind=mark))
            if mark == "brief":
                case.brief_message_id = message_id

    async def transcript(self, case_id: str, limit: int | None = 20) -> str:
        """The last words of a case, for a topic that had to be opened anew; all of them without a limit."""
        async with self.reading() as session:
            rows = await store.recent_messages(session, case_id, limit)
            lines = []
            for row in rows:
                text = " ".join(b["text"] if b["type"] == "text" else f"[{b['name']}]" for b in row.blocks if _shown(b))
                if text and row.role in ("patient", "coordinator"):
                    who = row.name or self.words(f"desk.role.{row.role}")
                    lines.append(f"{row.at:%d %b %H:%M} {who}: {text}")
            return "\n".join(lines)


def _shown(block: dict[str, Any]) -> bool:
    return block["type"] == "text" or (block["type"] == "file" and "name" in block)
