"""Who holds a case: claimed by one coordinator, told to the person, given back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.board import Board
from bot.model import Case
from bot.progress import Progress
from bot.render import Say


@dataclass(frozen=True)
class DeskInbound:
    """One update of the coordinators' group, as the desk's channel stores it.

    `kind` is message or press. `reply_to` is the message that was replied to, 0 when none was (Telegram makes every
    message of a topic a reply to the topic's creation: the channel takes that out). `media` says that the message
    holds something else than text: its Telegram file id, name, mime, size and kind.
    """

    kind: str
    chat_id: int
    thread_id: int
    message_id: int
    user_id: int
    user_name: str
    text: str = ""
    reply_to: int = 0
    media: dict[str, Any] | None = None
    data: str = ""
    callback_id: str = ""


class Claims(Board):
    """Use cases of claiming."""

    async def person_waits(self, session: AsyncSession, case: Case) -> None:
        """The person said something that a human is to answer: from the first such words the clock runs."""
        case.waiting_since = case.waiting_since or self.now()

    async def human_answered(self, session: AsyncSession, case: Case) -> None:
        """A human answered: the clock stops."""
        now = self.now()
        if case.waiting_since is not None:
            waited = int((now - case.waiting_since).total_seconds())
            await self.note(session, case, "answered" if case.first_answered_at else "first_answer", waited)
        case.waiting_since = case.due_at = None
        case.escalations = 0
        case.answered_at, case.first_answered_at = now, case.first_answered_at or now

    async def _claim(self, session: AsyncSession, case: Case, said: DeskInbound) -> str:
        """Atomic: of two presses one wins, and the other is told who."""
        taken = await session.execute(
            update(Case)
            .where(Case.id == case.id, Case.state == "waiting")
            .values(state="claimed", holder_id=said.user_id, holder_name=said.user_name[:100], claimed_at=self.now())
            .execution_options(synchronize_session=False)
        )
        await session.refresh(case)
        if not taken.rowcount:  # type: ignore[attr-defined]
            if case.state == "claimed":
                return self.words("desk.already_claimed", name=case.holder_name)
            return self.words("desk.is_closed")
        await self.note(session, case, "claimed")
        await self._tell_person(session, case, Say("human.joined", {"name": case.holder_name}))
        await self.refresh_card(session, case)
        await self.post(session, case, self.words("desk.claimed_by", name=case.holder_name))
        return self.words("desk.claimed_by", name=case.holder_name)

    async def _tell_person(self, session: AsyncSession, case: Case, *says: Say) -> None:
        progress = Progress.model_validate_json(case.progress)
        for conversation in await store.conversations_of(session, case.id):
            await self.deliver(session, case, conversation, says, progress, role="system")
        case.progress = progress.model_dump_json()
