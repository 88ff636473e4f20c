"""What coordinators keep about a case for themselves: notes, reminders, urgency; how they find it and take it along."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework import spans
from bot.casework.answers import Answers
from bot.casework.claims import DeskInbound
from bot.casework.commands import coded
from bot.model import Case, Note, Reminder
from bot.progress import Progress

MAX_NOTE, MAX_REMINDER = 1_000, 300
FOUND_AT_ONCE = 10
SHORTEST_SEARCH = 3
BY_COORDINATOR = "coordinator"  # why a case is urgent, when one of them says so


class Office(Answers):
    """Use cases of keeping a case."""

    async def keep_note(self, session: AsyncSession, case: Case, said: DeskInbound, words: str) -> str:
        """Keep a note on the card. Returns what became of it, in words."""
        if not words:
            return self.words("desk.note_what")
        session.add(Note(case_id=case.id, at=self.now(), text=words[:MAX_NOTE], by_name=said.user_name[:100]))
        await self.refresh_card(session, case)
        return self.words("desk.note_kept")

    # Reminders.

    async def set_reminder(self, session: AsyncSession, case: Case, said: DeskInbound, words: str) -> str:
        """Set a reminder, list them, or take one back. Returns what became of it, in words."""
        first, _, rest = words.partition(" ")
        if not words:
            return await self._reminders(session, case)
        if first.lower() == "off":
            return await self._forget_reminder(session, case, rest.strip())
        found = spans.due(words, self.now(), self.hours.zone)
        if found is None:
            return self.words("desk.remind_when")
        at, text = found
        text = text[:MAX_REMINDER] or self.words("desk.remind_nothing")
        session.add(Reminder(case_id=case.id, due_at=at, text=text, by_name=said.user_name[:100]))
        return self.words("desk.remind_set", when=self.at_desk(at), text=text)

    async def _reminders(self, session: AsyncSession, case: Case) -> str:
        lines = [
            self.words("desk.remind_line", number=r.id, when=self.at_desk(r.due_at), name=r.by_name, text=r.text)
            for r in await store.reminders(session, case.id)
        ]
        return self.words("desk.remind_list", items="\n".join(lines)) if lines else self.words("desk.remind_none")

    async def _forget_reminder(self, session: AsyncSession, case: Case, number: str) -> str:
        for reminder in await store.reminders(session, case.id):
            if str(reminder.id) == number:
                reminder.done = True
                return self.words("desk.remind_off")
        return await self._reminders(session, case)

    # Urgency.

    async def set_urgent(self, session: AsyncSession, case: Case, said: DeskInbound, words: str) -> str:
        """Mark a case as urgent, or take it back ("off"). Returns words only where the topic was not told."""
        if case.state not in ("waiting", "claimed"):
            return self.words("desk.is_closed")
        if words.lower() != "off":
            await self.raise_urgent(session, case, BY_COORDINATOR)
            return ""
        case.urgent, case.urgent_reason = False, ""
        last = await store.said_last(session, case.id)
        if last is not None and last.role == "coordinator":  # only the mark had set the clock going
            case.waiting_since = case.due_at = case.alert_at = None
            case.escalations = 0
        elif case.waiting_since is not None:
            case.due_at = case.alert_at = self.hours.due(case.waiting_since)
        await self.refresh_card(session, case)
        return self.words("desk.urgent_off", name=said.user_name)

    # Looking for a case.

    async def find(self, session: AsyncSession, words: str) -> tuple[str, list[tuple[str, str, int | None]]]:
        """The cases that a code, a name or words lead to: a head, and (code, line, topic) of each, newest first."""
        code, _ = coded(words)
        if len(words) < SHORTEST_SEARCH:
            return self.words("desk.find_what"), []
        if code:
            case = await store.case_by_code(session, code)
            cases = [case] if case is not None and case.state != "talking" else []
        else:
            cases = list(await store.find_cases(session, words, FOUND_AT_ONCE))
        if not cases:
            return self.words("desk.find_none", text=words[:100]), []
        head = self.words("desk.find_some", count=len(cases), text=words[:100])
        return head, [(case.code, self._found(case), case.topic_id) for case in cases]

    def _found(self, case: Case) -> str:
        name = Progress.model_validate_json(case.progress).contact.name or self.words("desk.find_nobody")
        state = self.words(f"desk.state.{case.state}")
        return self.words("desk.find_line", state=state, name=name, at=self.at_desk(case.updated_at))

    # Taking it along.

    async def export(self, case_id: str) -> tuple[str, str] | None:
        """(code, all that was said and noted) of a case as one text; None when it is gone."""
        card = await self.card(case_id)
        if card is None:
            return None
        async with self.reading() as session:
            notes = await store.notes(session, case_id)
            lines = [self.words("desk.note", name=f"{n.by_name}, {self.at_desk(n.at)}", text=n.text) for n in notes]
        parts = [card.text, "\n".join(lines), await self.transcript(case_id, limit=None)]
        return card.title, "\n\n".join(part for part in parts if part)
