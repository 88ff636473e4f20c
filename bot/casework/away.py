"""Nobody is there: what a person is told of it, once, in their own time where that is known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from babel import Locale
from babel.dates import format_datetime

from bot.casework.hours import Hours
from bot.journey.places import zone_named
from bot.model import Case
from bot.progress import Progress
from bot.render import Say

DAY_AND_TIME = "EEEE d MMMM, HH:mm"


def absence(hours: Hours, case: Case, progress: Progress, now: datetime, lang: str) -> list[Say]:
    """What to say of the present absence: when somebody is at the desk. Nothing a second time, and nothing unknown.

    An absence lasts until the desk opens; in working hours, while nobody has taken the case, until it closes.
    """
    open_now = hours.is_open(now)
    until = hours.next_close(now) if open_now else hours.next_open(now)
    if not hours.known or until is None or case.away_until == until or _somebody_is_here(hours, case, now):
        return []
    case.away_until = until
    return [Say("away.open" if open_now else "away.closed", {"until": _told(until, hours, progress, lang)})]


def _somebody_is_here(hours: Hours, case: Case, now: datetime) -> bool:
    """Whether somebody holds the case and it is working hours, or they came in spite of the hour."""
    if case.state != "claimed":
        return False
    came = max(filter(None, (case.claimed_at, case.answered_at)), default=None)
    since_closing = came is not None and not hours.is_open(came) and hours.next_open(came) == hours.next_open(now)
    return hours.is_open(now) or since_closing


def _told(at: datetime, hours: Hours, progress: Progress, lang: str) -> dict[str, Any]:
    theirs = zone_named(progress.contact.timezone)
    when = format_datetime(at.astimezone(theirs or hours.zone), DAY_AND_TIME, locale=Locale.parse(lang, sep="-"))
    if theirs:
        return {"say": "away.their_time", "args": {"when": when}}
    return {"say": "away.desk_time", "args": {"when": when, "zone": hours.zone.key.replace("_", " ")}}
