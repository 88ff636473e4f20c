"""When a coordinator wants to be reminded: a span from now, or a date with or without a time. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

LONGEST = timedelta(days=366)
MORNING = 9  # o'clock, where a date has no time

_SPAN = re.compile(r"(\d{1,4})\s*(m|min|h|d|w)(?:\s+|$)", re.IGNORECASE)
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{1,2}:\d{2}))?(?:\s+|$)")
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def due(text: str, now: datetime, zone: tzinfo) -> tuple[datetime, str] | None:
    """(when, the rest) of words that begin with a span ("2d call") or a date of the zone; None when they do not.

    None, too, for what is past or more than a year ahead.

    >>> from datetime import UTC
    >>> due("2h call", datetime(2026, 1, 1, tzinfo=UTC), UTC)
    (datetime.datetime(2026, 1, 1, 2, 0, tzinfo=datetime.timezone.utc), 'call')
    """
    found = _SPAN.match(text)
    if found is not None:
        at = now + timedelta(**{_UNITS[found[2].lower()]: int(found[1])})
    else:
        found = _DATE.match(text)
        if found is None:
            return None
        try:
            at = datetime.fromisoformat(f"{found[1]} {(found[2] or f'{MORNING:02}:00').rjust(5, '0')}")
        except ValueError:
            return None
        at = at.replace(tzinfo=zone)
    return (at, text[found.end() :].strip()) if now < at <= now + LONGEST else None
