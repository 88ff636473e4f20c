"""The end of a case, and what comes after it: the assistant talks to the person again."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.base import CARD
from bot.casework.claims import Claims, DeskInbound
from bot.journey import Heard, Turn
from bot.journey.welcome import next_choices
from bot.model import Case
from bot.progress import Progress
from bot.render import Say


class Closing(Claims):
    """Use cases of closing."""

    async def _close(self, session: AsyncSession, case: Case, said: DeskInbound) -> str:
        if case.state not in ("waiting", "claimed"):
            return self.words("desk.is_closed")
        case.state, case.closed_at = "closed", self.now()
        case.holder_name = case.holder_name or said.user_name[:100]
        case.urgent = False
        case.waiting_since = case.due_at = None
        case.escalations = 0
        await self.note(session, case, "closed")
        await self._resume_assistant(session, case)
        await self.post(session, case, self.words("desk.closed", name=said.user_name))
        await self.refresh_card(session, case)
        await self.send(session, "topic.close", {}, lane=f"topic:{case.id}", case=case, priority=CARD)
        return self.words("desk.closed", name=said.user_name)

    async def _resume_assistant(self, session: AsyncSession, case: Case) -> None:
        """The person is told that the coordinator has closed, and what can be done now."""
        progress = Progress.model_validate_json(case.progress)
        working = Turn(progress, Heard("none"), self.now(), consent="agreed", held="closed")
        says = [Say("human.closed", {"name": case.holder_name}), Say("resume.open", {}, next_choices(working))]
        for conversation in await store.conversations_of(session, case.id):
            await self.deliver(session, case, conversation, says, progress)
        progress.paused = True  # a first "ok" after the coordinator answers no question from long ago
        case.progress = progress.model_dump_json()
