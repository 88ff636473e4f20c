"""Who holds a case: claimed by one coordinator, told to the person, given back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.away import absence
from bot.casework.board import Board
from bot.model import Case
from bot.progress import Progress
from bot.render import Say


@dataclass(frozen=True)
class DeskInbound:
    """One update of the coordinators' group, as the desk's channel stores it.

    `kind` is message, edit, press, reaction, closed when the user closed the topic by hand, or left when they are in
    the group no more. `reply_to` is the message that was replied to, 0 when none was (Telegram makes every message of
    a topic a reply to the topic's creation: the channel takes that out). `media` says that the message holds something
    else than text: its Telegram file id, name, mime, size and kind; of a place or a contact what can be said in words.
    `at` is when it was done, in seconds since 1970, by Telegram's clock; 0 when untold. `username` is that of the
    user; `mentioned` is the id of somebody without one whom the words name, 0 when nobody.
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
    album: str = ""
    quote: str = ""
    forwarded: bool = False
    at: int = 0
    username: str = ""
    mentioned: int = 0


class Claims(Board):
    """Use cases of claiming."""

    async def person_waits(self, session: AsyncSession, case: Case) -> None:
        """The person said something that a human is to answer: from the first such words the clock runs."""
        if case.waiting_since is None:
            case.waiting_since, case.escalations = self.now(), 0
            case.due_at = case.alert_at = self.hours.due(case.waiting_since, urgent=case.urgent)
            await self.refresh_card(session, case)

    async def human_answered(self, session: AsyncSession, case: Case) -> None:
        """A human answered: the clock stops."""
        now = self.now()
        if case.waiting_since is not None:
            waited, in_hours = int((now - case.waiting_since).total_seconds()), self.hours.is_open(case.waiting_since)
            kind = "answered" if case.first_answered_at else "first_answer"
            await self.note(session, case, kind, waited, in_hours=in_hours)
        case.waiting_since = case.due_at = case.alert_at = None
        case.escalations = 0
        case.answered_at, case.first_answered_at = now, case.first_answered_at or now
        await self.refresh_card(session, case)

    async def raise_urgent(self, session: AsyncSession, case: Case, reason: str) -> None:
        """Something cannot wait: from now on the case has the short limit, at any hour."""
        await super().raise_urgent(session, case, reason)
        await self.person_waits(session, case)
        soon = self.hours.due(self.now(), urgent=True)
        case.due_at = min(case.due_at or soon, soon)
        case.alert_at = min(case.alert_at or soon, soon)

    def since(self, case: Case) -> str:
        """Since when the person waits, as the desk's clock shows it."""
        return self.at_desk(case.waiting_since or case.handed_off_at or case.updated_at)

    async def _claim(self, session: AsyncSession, case: Case, said: DeskInbound) -> str:
        """Atomic: of two presses one wins, and the other is told who."""
        taken = await session.execute(
            update(Case)
            .where(Case.id == case.id, Case.state == "waiting")
            .values(state="claimed", holder_id=said.user_id, claimed_at=self.now())
            .execution_options(synchronize_session=False)
        )
        await session.refresh(case)
        if not taken.rowcount:  # type: ignore[attr-defined]
            if case.state == "claimed":
                return self.words("desk.already_claimed", name=case.holder_name)
            return self.words("desk.is_closed")
        case.holder_name = said.user_name[:100]
        self._renew(case)
        await self.note(session, case, "claimed")
        await self._tell_person(session, case, Say("human.joined", {"name": case.holder_name}))
        await self.refresh_card(session, case)
        await self.post(session, case, self.words("desk.claimed_by", name=case.holder_name))
        return self.words("desk.claimed_by", name=case.holder_name)

    async def steps_in(self, session: AsyncSession, case: Case, said: DeskInbound) -> bool:
        """A coordinator answers: whoever does so first holds the case, and the clock stops. False when it is closed."""
        if case.state == "waiting":
            await self._claim(session, case, said)
        if case.state != "claimed":
            return False
        await self.human_answered(session, case)
        return True

    async def transfer(self, session: AsyncSession, case: Case, user_id: int | None, name: str) -> str:
        """Give a case to a coordinator, whoever held it. Returns what became of it, in words; the topic knows already.

        The case must be locked. `user_id` is None when only the name is known.
        """
        if case.state not in ("waiting", "claimed"):
            return self.words("desk.is_closed")
        before, name = case.holder_name, name[:100]
        if case.state == "claimed" and (name == before if user_id is None else case.holder_id == user_id):
            return self.words("desk.already_claimed", name=before)
        case.holder_id, case.holder_name, case.claimed_at = user_id, name, self.now()
        told, text = Say("human.joined", {"name": name}), self.words("desk.claimed_by", name=name)
        if case.state == "claimed":
            told = Say("human.passed_on", {"before": before, "name": name})
            text = self.words("desk.transferred", before=before, name=name)
        case.state = "claimed"
        self._renew(case)
        await self.note(session, case, "claimed")
        await self._tell_person(session, case, told)
        await self.refresh_card(session, case)
        await self.post(session, case, text)
        return text

    async def give_back(self, session: AsyncSession, case: Case) -> str:
        """The holder gives a case back to the board. Returns what became of it, in words. The case must be locked."""
        if case.state != "claimed":
            return self.words("desk.not_taken" if case.state == "waiting" else "desk.is_closed")
        name = case.holder_name
        await self.free(session, case, Say("human.left", {"name": name}))
        text = self.words("desk.given_back", name=name)
        await self.post(session, case, text)
        return text

    async def free(self, session: AsyncSession, case: Case, told: Say) -> None:
        """Nobody holds the case: it waits on the board, the assistant talks again, and the person is told."""
        case.state, case.holder_id, case.holder_name, case.claimed_at = "waiting", None, "", None
        progress = Progress.model_validate_json(case.progress)
        progress.paused = True  # a first "ok" answers no question from before the coordinator came
        case.progress = progress.model_dump_json()
        away = absence(self.hours, case, progress, self.now(), case.lang)
        await self._tell_person(session, case, told, *(() if self.hours.is_open(self.now()) else away))
        await self.refresh_card(session, case)

    def _renew(self, case: Case) -> None:
        """Whoever takes a case of which the group was told already has the whole limit to answer."""
        if case.escalations and case.waiting_since is not None:
            case.escalations, case.alert_at = 0, self.hours.due(self.now(), urgent=case.urgent)

    async def _tell_person(self, session: AsyncSession, case: Case, *says: Say) -> None:
        """What changes about who talks with a person; a coordinator's name, where one is said, stands beside it."""
        progress = Progress.model_validate_json(case.progress)
        for conversation in await store.conversations_of(session, case.id):
            for say in says:
                name = str(say.args.get("name", ""))
                await self.deliver(session, case, conversation, [say], progress, role="system", name=name)
        case.progress = progress.model_dump_json()
