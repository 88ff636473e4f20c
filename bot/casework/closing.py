"""The end of a case, and what comes after it: the assistant is back, one question, and a way back to the people."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.base import CARD
from bot.casework.claims import DeskInbound
from bot.casework.figures import lasting
from bot.casework.relay import Relay
from bot.journey import Heard, Turn
from bot.journey.closing import rating
from bot.journey.welcome import next_choices
from bot.model import Case
from bot.progress import Progress
from bot.render import Say

REASONS = ("helped", "declined", "no_answer", "not_for_us", "elsewhere")
WAY_BACK = timedelta(days=14)  # after it was closed: whoever writes within it is with the coordinators again
MAX_REASON = 200


class Closing(Relay):
    """Use cases of closing and opening again."""

    async def ask_why(self, session: AsyncSession, case: Case) -> str:
        """Ask a coordinator for the reason, with a button for each. Returns what is asked."""
        if case.state not in ("waiting", "claimed"):
            return self.words("desk.is_closed")
        buttons = [[self.words(f"desk.closed_for.{reason}"), f"close.{reason}:{case.id}"] for reason in REASONS]
        await self.post(session, case, self.words("desk.close_why"), also={"buttons": buttons})
        return self.words("desk.close_why")

    async def close(self, session: AsyncSession, case: Case, said: DeskInbound, reason: str, word: str = "") -> str:
        """Close a case for a reason, and say a word to the person with it. Returns what became of it, in words.

        `reason` is one of `REASONS` or a coordinator's own words. The case must be locked.
        """
        if case.state not in ("waiting", "claimed"):
            return self.words("desk.is_closed")
        if word:
            await self._reply(session, case, said, word)
        why = self.words(f"desk.closed_for.{reason}") if f"desk.closed_for.{reason}" in self.guide.ids else reason
        case.state, case.closed_at = "closed", self.now()
        case.close_reason = why[:MAX_REASON]
        case.holder_name = case.holder_name or said.user_name[:100]
        case.urgent, case.satisfaction = False, None
        case.waiting_since = case.due_at = case.alert_at = None
        case.escalations = 0
        await self.note(session, case, "closed")
        await self._resume_assistant(session, case)
        text = self.words("desk.closed", name=said.user_name, reason=case.close_reason)
        await self._to_closed_topic(session, case, f"{text}\n\n{await self._summary(session, case)}")
        await self.refresh_card(session, case)
        return text

    async def _resume_assistant(self, session: AsyncSession, case: Case) -> None:
        """The person is told that it is closed, where they stand and what they can do, and is asked how it was."""
        progress = Progress.model_validate_json(case.progress)
        working = Turn(progress, Heard("none"), self.now(), consent="agreed", held="closed")
        says = [Say("human.closed", {"name": case.holder_name})]
        if case.blocked:
            says.append(Say("human.blocked"))
        else:
            records, questions = progress.records_in_hand(), len(progress.questions)
            says += [
                Say("close.summary", {"code": case.code, "records": records, "questions": questions}),
                Say("resume.open", {}, next_choices(working)),
            ]
            says += [rating(case.holder_name)] if case.answered_at else []
        for conversation in await store.conversations_of(session, case.id):
            await self.deliver(session, case, conversation, says, progress)
        progress.paused = True  # a first "ok" after the coordinator answers no question from long ago
        case.progress = progress.model_dump_json()

    async def _summary(self, session: AsyncSession, case: Case) -> str:
        """What became of a case, in figures, for the coordinators."""
        said = await store.said_by(session, case.id)
        waited = self.words("desk.summary_unanswered")
        if case.first_answered_at and case.handed_off_at:
            waited = lasting((case.first_answered_at - case.handed_off_at).total_seconds())
        files = [file for file in await store.files(session, case.id) if file.sender == "patient"]
        return self.words(
            "desk.summary",
            code=case.code,
            reason=case.close_reason,
            handed=self.at_desk(case.handed_off_at or case.created_at),
            waited=waited,
            messages=said.get("patient", 0),
            answers=said.get("coordinator", 0),
            files=len(files),
            reopened=case.reopened,
        )

    # Open again.

    async def reopen(self, session: AsyncSession, case: Case, said: DeskInbound) -> str:
        """A coordinator opens a closed case again, and holds it. Returns what became of it. The case must be locked."""
        if case.blocked:
            return self.words("desk.is_blocked")
        if case.state != "closed":
            return self.words("desk.not_closed")
        await self._open_again(session, case)
        case.state, case.claimed_at = "claimed", self.now()
        case.holder_id, case.holder_name = said.user_id, said.user_name[:100]
        await self._tell_person(session, case, Say("human.joined", {"name": case.holder_name}))
        text = self.words("desk.reopened_by", name=case.holder_name)
        await self.post(session, case, text)
        return text

    async def person_is_back(self, session: AsyncSession, case: Case) -> None:
        """The person has written again: the same case waits on the board, in the same topic."""
        before = case.holder_name
        await self._open_again(session, case)
        case.state, case.holder_id, case.holder_name, case.claimed_at = "waiting", None, "", None
        await self.post(session, case, self.words("desk.reopened_person", name=before))

    async def _open_again(self, session: AsyncSession, case: Case) -> None:
        case.closed_at, case.close_reason = None, ""
        case.reopened += 1
        case.away_until = None
        await self.note(session, case, "reopened")
        await self.send(session, "topic.reopen", {}, lane=f"topic:{case.id}", case=case)
        await self.refresh_card(session, case)

    def may_come_back(self, case: Case) -> bool:
        """Whether the people of the desk still read what this person writes, though the case is closed."""
        if case.state != "closed" or case.blocked or case.closed_at is None:
            return False
        return self.now() - case.closed_at <= WAY_BACK

    # Blocked.

    async def block(self, session: AsyncSession, case: Case, said: DeskInbound) -> str:
        """No coordinator reads this person any more; they are told. The case must be locked."""
        if case.blocked:
            return self.words("desk.is_blocked")
        case.blocked = True
        if case.state in ("waiting", "claimed"):
            await self.close(session, case, said, "blocked")
        else:
            await self._tell_person(session, case, Say("human.blocked"))
        text = self.words("desk.blocked_by", name=said.user_name)
        await self._to_closed_topic(session, case, text)
        await self.refresh_card(session, case)
        return text

    async def unblock(self, session: AsyncSession, case: Case, said: DeskInbound) -> str:
        """Take a block back; the case stays closed until somebody opens it. The case must be locked."""
        if not case.blocked:
            return self.words("desk.not_blocked")
        case.blocked = False
        text = self.words("desk.unblocked", name=said.user_name)
        await self._to_closed_topic(session, case, text)
        await self.refresh_card(session, case)
        return text

    # What the person thought of it.

    async def rated(self, session: AsyncSession, case: Case, stars: int) -> None:
        """The person answered the one question."""
        if case.satisfaction is None:
            await self.note(session, case, "satisfaction", stars)
        case.satisfaction = stars
        await self._to_closed_topic(session, case, self.words("desk.rated", stars=stars))

    async def rated_words(self, session: AsyncSession, case: Case, words: str) -> None:
        """The person added words to it."""
        await self._to_closed_topic(session, case, self.words("desk.rated_words", text=words))

    async def _to_closed_topic(self, session: AsyncSession, case: Case, text: str) -> None:
        """Post into a topic that is closed, and stays so."""
        await self.post(session, case, text)
        if case.state == "closed":
            await self.send(session, "topic.close", {}, lane=f"topic:{case.id}", case=case, priority=CARD)
