"""The desk's figures: how many cases, how long people waited for a human, how often one was opened again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import mean

from bot.model import DeskEvent

STATES = ("waiting", "claimed", "closed")


@dataclass(frozen=True)
class Waits:
    """How long people waited for a human's answer, in seconds."""

    count: int = 0
    median: float = 0.0
    p90: float = 0.0

    @classmethod
    def of(cls, seconds: Iterable[int]) -> Waits:
        """The nearest-rank percentiles: with few answers they are waits that somebody really had."""
        ranked = sorted(seconds)
        if not ranked:
            return cls()
        return cls(len(ranked), _rank(ranked, 0.5), _rank(ranked, 0.9))


@dataclass(frozen=True)
class Figures:
    """What a desk did in a span of time, and what it holds now."""

    states: dict[str, int]  # cases now, by state
    late: int  # open cases whose answer is overdue now
    handed_off: int = 0
    first: Waits = field(default_factory=Waits)  # to the first human answer of a case, when it began in working hours
    first_outside: Waits = field(default_factory=Waits)  # the same, when it began outside them
    closed: int = 0
    reopened: int = 0
    satisfaction: tuple[int, float] = (0, 0.0)  # answers, and their mean from 1 to 5
    undelivered: int = 0  # what was given up, now

    @classmethod
    def of(cls, events: Iterable[DeskEvent], states: dict[str, int], late: int, undelivered: int) -> Figures:
        """Figures of what happened."""
        found = list(events)
        kinds = Counter(event.kind for event in found)
        firsts = [event for event in found if event.kind == "first_answer" and event.value is not None]
        rated = [event.value for event in found if event.kind == "satisfaction" and event.value is not None]
        return cls(
            states={state: states.get(state, 0) for state in STATES},
            late=late,
            handed_off=kinds["handed_off"],
            first=Waits.of(event.value or 0 for event in firsts if event.in_hours),
            first_outside=Waits.of(event.value or 0 for event in firsts if not event.in_hours),
            closed=kinds["closed"],
            reopened=kinds["reopened"],
            satisfaction=(len(rated), round(mean(rated), 2) if rated else 0.0),
            undelivered=undelivered,
        )

    @property
    def reopen_rate(self) -> float:
        """Of the cases that were closed, the share that was opened again; 0 when none was closed."""
        return self.reopened / self.closed if self.closed else 0.0


def by_day(events: Iterable[DeskEvent], until: datetime, days: int) -> dict[str, list[int]]:
    """How many cases came, were answered first and were closed on each of the last `days` days, the oldest first.

    A day is one of the time zone of `until`.
    """
    start = (until - timedelta(days=days - 1)).date()
    counted = {kind: [0] * days for kind in ("handed_off", "first_answer", "closed")}
    for event in events:
        day = (event.at.astimezone(until.tzinfo).date() - start).days
        if event.kind in counted and 0 <= day < days:
            counted[event.kind][day] += 1
    return counted


def lasting(seconds: float) -> str:
    """A span of time as a coordinator reads it.

    >>> lasting(40), lasting(600), lasting(9000), lasting(200000)
    ('under 1 min', '10 min', '2 h 30 min', '2 d 7 h')
    """
    minutes = int(seconds // 60)
    if minutes < 1:
        return "under 1 min"
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"


def _rank(ranked: list[int], share: float) -> float:
    return float(ranked[max(0, -(-int(len(ranked) * share * 100) // 100) - 1)])
