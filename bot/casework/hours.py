"""The desk's working hours: when somebody is there, and when an answer is late. Pure arithmetic, no clock of its own.

A desk's week is written in its own time zone; everything that goes in and comes out is a moment, so that daylight
saving needs no thought outside of this file. A time of day that the clock skips in spring is taken as if the clock had
not been changed yet; of one that comes twice in autumn the first counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

ANSWER, URGENT = timedelta(hours=4), timedelta(minutes=30)
LONGEST_HOLIDAYS = 366  # days, all together: whoever waits can then be told of a day that comes

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = timedelta(days=1)
_MIDNIGHT = 24 * 60
_SPAN = re.compile(
    r"(?P<first>[a-z]{3,9})(?:\s*[-\u2013]\s*(?P<last>[a-z]{3,9}))?"
    r"\s+(?P<start>\d{1,2}:\d\d)\s*[-\u2013]\s*(?P<end>\d{1,2}:\d\d)"
)
_HOLIDAY = re.compile(r"(?P<first>\d{4}-\d\d-\d\d)(?:\s*(?:\.\.|-|\u2013|to)\s*(?P<last>\d{4}-\d\d-\d\d))?")

type Span = tuple[int, int]  # minutes of a day: from, and up to
type Week = tuple[tuple[Span, ...], ...]  # from Monday to Sunday
type Moments = tuple[datetime, datetime]


@dataclass(frozen=True)
class Hours:
    """When the coordinators are at their desk, and within how much of that time they answer.

    Without a `week` nobody said when they are there: every moment counts, and nothing is promised to anybody.
    """

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    week: Week = ()
    holidays: frozenset[date] = frozenset()
    answer: timedelta = ANSWER
    urgent: timedelta = URGENT

    @property
    def known(self) -> bool:
        """Whether the desk has said when it is there."""
        return bool(self.week)

    def is_open(self, at: datetime) -> bool:
        """Whether somebody should be at the desk."""
        return not self.known or self._interval(at)[0] <= at

    def next_open(self, at: datetime) -> datetime:
        """When somebody is there: at once, when the desk is open."""
        return max(self._interval(at)[0], at) if self.known else at

    def next_close(self, at: datetime) -> datetime | None:
        """When the desk is closed next, from a moment on; None when that is more than a week away."""
        if not self.known:
            return None
        end = None
        for start, stop in self._intervals(at):
            if end is not None and start > end:
                break
            end = stop
            if end - at > 7 * _DAY:
                return None
        return end

    def due(self, since: datetime, *, urgent: bool = False) -> datetime:
        """When words of that moment are late: by working hours, or, when they are urgent, by the clock on the wall."""
        if urgent:
            return since + self.urgent
        if not self.known:
            return since + self.answer
        left = self.answer
        for start, end in self._intervals(since):
            here = max(start, since)
            if end - here >= left:
                return here + left
            left -= end - here
        raise AssertionError("a week goes on for ever")

    def _interval(self, at: datetime) -> Moments:
        """The opening that a moment lies in, or the next one."""
        return next(self._intervals(at))

    def _intervals(self, at: datetime) -> Iterator[Moments]:
        """The openings that end after a moment, in order; they never overlap."""
        at = at.astimezone(UTC)
        day = at.astimezone(self.zone).date() - _DAY  # what a change of the clock moved past midnight
        before = datetime.min.replace(tzinfo=UTC)
        while True:
            for first, last in self.week[day.weekday()] if day not in self.holidays else ():
                start, end = max(self._moment(day, first), before), self._moment(day, last)
                if end > max(start, at):
                    yield start, end
                before = max(before, end)
            day += _DAY

    def _moment(self, day: date, minute: int) -> datetime:
        """A time of a day as a moment; minute 1440 is the next day's midnight."""
        days, minute = divmod(minute, _MIDNIGHT)
        local = datetime.combine(day + days * _DAY, time(*divmod(minute, 60)), tzinfo=self.zone)
        return local.astimezone(UTC)


def parse(
    zone: str = "UTC", hours: str = "", holidays: str = "", answer: timedelta = ANSWER, urgent: timedelta = URGENT
) -> Hours:
    """Hours as they are written in the settings. Raises ValueError, which says what is wrong and how it is written.

    >>> parse("Europe/Berlin", "Mon-Fri 09:00-18:00, Sat 10:00-13:00", "2026-12-24..2027-01-02, 2027-05-01").known
    True
    """
    if zone not in available_timezones():
        raise ValueError(f"DESK_TIMEZONE: there is no time zone {zone!r}. Write it like Europe/Berlin or Asia/Manila.")
    if holidays.strip() and not hours.strip():
        raise ValueError("DESK_HOLIDAYS is set without DESK_HOURS. Set DESK_HOURS, like Mon-Fri 09:00-18:00.")
    return Hours(ZoneInfo(zone), _week(hours), _holidays(holidays), answer, urgent)


def _week(text: str) -> Week:
    spans: list[list[Span]] = [[] for _ in _DAYS]
    for item in filter(None, map(str.strip, text.split(","))):
        said = _SPAN.fullmatch(item.casefold())
        if said is None:
            raise ValueError(f"DESK_HOURS: cannot read {item!r}. Write it like Mon-Fri 09:00-18:00, Sat 10:00-13:00.")
        first, start, end = _weekday(said["first"]), _minute(said["start"]), _minute(said["end"])
        if end <= start:
            raise ValueError(
                f"DESK_HOURS: {item!r} ends before it begins. For a night, write two: up to 24:00, then on."
            )
        last = _weekday(said["last"]) if said["last"] else first
        for day in range(first, first + (last - first) % 7 + 1):
            spans[day % 7].append((start, end))
    for name, day_spans in zip(_DAYS, spans, strict=True):
        day_spans.sort()
        if any(later[0] < earlier[1] for earlier, later in pairwise(day_spans)):
            raise ValueError(f"DESK_HOURS: two spans of {name.capitalize()} overlap. Write each time of a day once.")
    return tuple(map(tuple, spans)) if any(spans) else ()


def _weekday(name: str) -> int:
    found = next((number for number, day in enumerate(_DAYS) if day.startswith(name)), None)
    if found is None:
        raise ValueError(f"DESK_HOURS: {name!r} is no day. The days are Mon, Tue, Wed, Thu, Fri, Sat, Sun.")
    return found


def _minute(clock: str) -> int:
    hour, minute = map(int, clock.split(":"))
    if minute > 59 or hour * 60 + minute > _MIDNIGHT:
        raise ValueError(f"DESK_HOURS: {clock} is no time of day. The times go from 00:00 to 24:00.")
    return hour * 60 + minute


def _holidays(text: str) -> frozenset[date]:
    days: set[date] = set()
    for item in filter(None, map(str.strip, text.split(","))):
        said = _HOLIDAY.fullmatch(item)
        try:
            if said is None:
                raise ValueError("neither a date nor two")
            first = date.fromisoformat(said["first"])
            last = date.fromisoformat(said["last"] or said["first"])
        except ValueError:
            raise ValueError(
                f"DESK_HOLIDAYS: cannot read {item!r}. Write dates, like 2026-12-24, or from and to, like "
                "2026-12-24..2027-01-02, with commas between them."
            ) from None
        if not 0 <= (last - first).days < LONGEST_HOLIDAYS:
            raise ValueError(f"DESK_HOLIDAYS: {item!r} must end on a later day than it begins, at most a year later.")
        days |= {first + number * _DAY for number in range((last - first).days + 1)}
    if len(days) > LONGEST_HOLIDAYS:
        raise ValueError(
            f"DESK_HOLIDAYS: these are {len(days)} days. Name at most {LONGEST_HOLIDAYS}, and drop old ones."
        )
    return frozenset(days)
