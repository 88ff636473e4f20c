"""A claim is a lease: who leaves words unanswered for too long is told, then all are, then the case is free again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.base import ALERT
from bot.casework.turns import Turns
from bot.model import Case, Reminder
from bot.render import Say

AT_ONCE = 100  # alerts of one look
LAST = 3  # the escalation that gives the case back to the board
AGAIN = timedelta(days=1)  # after it, all are told once a day, until somebody answers


class Lease(Turns):
    """Use cases of the desk's clock."""

    async def due_alerts(self) -> Sequence[str]:
        """Cases of which the group is to be told now. Outside working hours only those that are urgent."""
        async with self.reading() as session:
            now = self.now()
            return await store.due_alerts(session, now, AT_ONCE, urgent_only=not self.hours.is_open(now))

    async def alert(self, case_id: str) -> list[str] | None:
        """Escalate one case, if it is still due once it is locked: another process may have been here first.

        Returns the conversations that may have something new to read; None when nothing was due.
        """
        async with self.transaction() as session:
            case = await store.case(session, case_id, lock=True)
            if case is None or not self._alert_is_due(case):
                return None
            now = self.now()
            case.escalations += 1
            case.alert_at = self.hours.due(now, urgent=case.urgent)
            if case.waiting_since is not None and case.escalations <= LAST:
                waited = int((now - case.waiting_since).total_seconds())
                await self.note(session, case, "late", waited, in_hours=self.hours.is_open(case.waiting_since))
            if case.escalations >= LAST:
                case.alert_at = self.hours.next_open(now + AGAIN)
            if case.escalations == LAST:
                await self._give_up_waiting(session, case)
            else:
                await self._warn(session, case)
            await self.refresh_card(session, case)
            return [each.id for each in await store.conversations_of(session, case.id)]

    def _alert_is_due(self, case: Case) -> bool:
        now = self.now()
        waits = case.waiting_since is not None and case.state in ("waiting", "claimed")
        late = case.alert_at is not None and case.alert_at <= now
        return waits and late and (case.urgent or self.hours.is_open(now))

    async def _warn(self, session: AsyncSession, case: Case) -> None:
        """First the holder, in the topic; then everybody. Where nobody holds the case, everybody each time."""
        since = self.since(case)
        if case.state != "claimed":
            await self._tell_all(session, case, self.words("desk.late_nobody", code=case.code, since=since))
        elif case.escalations == 1:
            text = self.words("desk.late_holder", name=case.holder_name, since=since)
            await self.post(session, case, self._marked(case, text), priority=ALERT)
        else:
            text = self.words("desk.late_all", code=case.code, name=case.holder_name, since=since)
            await self._tell_all(session, case, text)

    async def _give_up_waiting(self, session: AsyncSession, case: Case) -> None:
        """Whoever held the case does not any more; everybody is told, and so is the person, honestly."""
        name, since = case.holder_name, self.since(case)
        text = self.words("desk.late_nobody", code=case.code, since=since)
        if case.state == "claimed":
            await self.post(session, case, self.words("desk.returned", name=name, since=since), priority=ALERT)
            text = self.words("desk.late_returned", code=case.code, name=name, since=since)
        await self.free(session, case, Say("away.late"))
        await self._tell_all(session, case, text)

    async def _tell_all(self, session: AsyncSession, case: Case, text: str) -> None:
        await self.announce(session, self._marked(case, text), priority=ALERT)

    def _marked(self, case: Case, text: str) -> str:
        """With the reason why it is urgent above it."""
        if not case.urgent:
            return text
        return f"{self.words('desk.urgent_flag', reason=self.reason(case.urgent_reason))}\n{text}"

    async def due_reminders(self) -> Sequence[int]:
        """Reminders whose time has come."""
        async with self.reading() as session:
            return await store.due_reminders(session, self.now(), AT_ONCE)

    async def remind(self, number: int) -> bool:
        """Give a reminder in its topic. False when another process has given it, or its case is gone."""
        async with self.transaction() as session:
            reminder = await session.get(Reminder, number, with_for_update=True, populate_existing=True)
            if reminder is None or reminder.done:
                return False
            reminder.done = True
            case = await store.case(session, reminder.case_id)
            if case is None:
                return False
            text = self.words("desk.reminder", name=reminder.by_name, text=reminder.text)
            await self.post(session, case, text, priority=ALERT)
            return True
