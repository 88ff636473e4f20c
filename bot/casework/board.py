"""The board in the group's General topic: every open case on one line, the most pressing first; and the figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.base import BOARD
from bot.casework.card import Cards
from bot.casework.figures import Figures, Waits, by_day, lasting
from bot.chart import Chart
from bot.model import Case

LONGEST = 40  # lines of the board; Telegram takes 4,096 characters
WEEK = timedelta(days=7)
WEEK_SHOWN = "desk.week"  # the fact that names the week whose figures were shown last


@dataclass(frozen=True)
class BoardLine:
    """One open case: its code, the rest of the line, and the topic to jump to."""

    code: str
    text: str
    topic_id: int | None


@dataclass(frozen=True)
class BoardText:
    """What the board says now."""

    head: str
    lines: tuple[BoardLine, ...]
    foot: str


class Board(Cards):
    """Use cases of the board."""

    async def board(self) -> BoardText:
        """The board as it should read now: urgent cases first, then those that wait longest."""
        async with self.reading() as session:
            cases = await store.open_cases(session)
            undelivered = await store.undelivered(session)
            waiting = [case for case in cases if case.state == "waiting"]
            head = self.words("desk.board_head", waiting=len(waiting), taken=len(cases) - len(waiting))
            feet = []
            if len(cases) > LONGEST:
                feet.append(self.words("desk.board_more", count=len(cases) - LONGEST))
            if undelivered:
                feet.append(self.words("desk.board_undelivered", count=undelivered))
            ranked = sorted(cases, key=self._rank)[:LONGEST]
            lines = tuple(BoardLine(case.code, self._line(case), case.topic_id) for case in ranked)
            return BoardText(head if cases else self.words("desk.board_empty"), lines, "\n".join(feet))

    def _rank(self, case: Case) -> tuple[bool, bool, bool, float]:
        since = case.waiting_since or case.handed_off_at or case.updated_at
        return (not case.urgent, not self._late(case), case.waiting_since is None, since.timestamp())

    def _late(self, case: Case) -> bool:
        return case.due_at is not None and case.due_at < self.now()

    def _line(self, case: Case) -> str:
        marks = ("🔴" if case.urgent else "") + ("⏰" if self._late(case) else "")
        if case.state == "waiting":
            text = self.words("desk.board_waiting", since=self._since(case))
        elif case.waiting_since is not None:
            text = self.words("desk.board_unanswered", name=case.holder_name, since=self._since(case))
        else:
            text = self.words("desk.board_answered", name=case.holder_name)
        return f"{marks} {text}".strip()

    def _since(self, case: Case) -> str:
        since = case.waiting_since or case.handed_off_at
        return self.at_desk(since) if since else ""

    async def figures(self, session: AsyncSession, span: timedelta = WEEK) -> Figures:
        """What the desk did in the last `span` of time, and what it holds now."""
        now = self.now()
        return Figures.of(
            await store.desk_events(session, now - span),
            await store.case_states(session),
            await store.late_cases(session, now),
            await store.undelivered(session),
        )

    async def figures_now(self) -> Figures:
        """The figures of the last week, for a probe."""
        async with self.reading() as session:
            return await self.figures(session)

    async def post_week(self) -> bool:
        """Once a week, when the desk opens, its figures are shown on the board. False when that is not now.

        Nothing is shown of a week without a case, nor in the week in which the desk is first used.
        """
        now = self.now()
        year, week, _ = now.astimezone(self.hours.zone).isocalendar()
        if not self.hours.is_open(now):
            return False
        this = f"{year}-{week}"
        async with self.reading() as session:  # it is asked every few seconds, and must not wait for anybody who writes
            if await store.fact(session, WEEK_SHOWN) == this:
                return False
        async with self.transaction() as session:
            shown = await store.fact(session, WEEK_SHOWN)
            if shown == this:
                return False
            await store.set_fact(session, WEEK_SHOWN, this)
            if not shown or not await store.desk_events(session, now - WEEK):
                return False
            await self.send(session, "group.week", {}, lane="general", coalesce="week", priority=BOARD)
            return True

    async def week(self) -> tuple[str, Chart]:
        """What the picture of the last seven days shows, and the words below it."""
        now = self.now().astimezone(self.hours.zone)
        async with self.reading() as session:
            events = await store.desk_events(session, now - WEEK)
            figures = await self.figures(session)
            caption = f"{self.words('desk.week_caption')}\n{self.told(figures)}"
        counted = by_day(events, now, WEEK.days)
        days = [now - timedelta(days=WEEK.days - 1 - day) for day in range(WEEK.days)]
        chart = Chart(
            title=self.words("desk.chart_title", first=f"{days[0]:%d %b}", last=f"{days[-1]:%d %b %Y}"),
            days=[f"{day:%a}" for day in days],
            cases_title=self.words("desk.chart_cases"),
            cases={
                self.words("desk.chart_handed"): counted["handed_off"],
                self.words("desk.chart_answered"): counted["first_answer"],
                self.words("desk.chart_closed"): counted["closed"],
            },
            waits_title=self.words("desk.chart_waits"),
            waits={
                self.words("desk.chart_in_hours"): [figures.first.median, figures.first.p90],
                self.words("desk.chart_outside"): [figures.first_outside.median, figures.first_outside.p90],
            },
            waits_labels=[self.words("desk.chart_median"), self.words("desk.chart_p90")],
        )
        return caption, chart

    async def stats(self, session: AsyncSession) -> str:
        """The figures of the last week in words."""
        return self.told(await self.figures(session))

    def told(self, found: Figures) -> str:
        """Figures in words."""
        lines = [
            self.words("desk.stats_now", **found.states, late=found.late),
            self.words("desk.stats_week", new=found.handed_off, closed=found.closed, reopened=found.reopened),
            self._waits("desk.stats_waits", found.first),
            self._waits("desk.stats_waits_outside", found.first_outside),
        ]
        answers, average = found.satisfaction
        if answers:
            lines.append(self.words("desk.stats_satisfaction", mean=f"{average:.1f}", count=answers))
        if found.undelivered:
            lines.append(self.words("desk.board_undelivered", count=found.undelivered))
        return "\n".join(line for line in lines if line)

    def _waits(self, say: str, waits: Waits) -> str:
        if not waits.count:
            return ""
        return self.words(say, count=waits.count, median=lasting(waits.median), p90=lasting(waits.p90))
