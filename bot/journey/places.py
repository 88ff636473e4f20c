"""Countries and time zones from what people type: Babel's names, pytz's zones, nothing of our own."""

from __future__ import annotations

import difflib
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import pytz
from babel import Locale
from dateutil import parser as dates

# What people write for a country that Babel names otherwise.
_ALIASES = {
    "uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "britain": "GB", "great britain": "GB",
    "usa": "US", "us": "US", "america": "US", "u.s.": "US", "u.s.a.": "US", "uae": "AE", "emirates": "AE",
    "dubai": "AE", "ksa": "SA", "korea": "KR", "south korea": "KR", "holland": "NL", "czech republic": "CZ",
    "burma": "MM", "ivory coast": "CI", "turkey": "TR", "hong kong": "HK", "macau": "MO", "palestine": "PS",
    "congo": "CD", "vietnam": "VN", "russia": "RU",
}  # fmt: skip


@cache
def _names() -> dict[str, str]:
    territories = Locale("en").territories
    names = {str(name).casefold(): code for code, name in territories.items() if code.isalpha() and len(code) == 2}
    return {**names, **_ALIASES}


def country(text: str) -> tuple[str, str] | None:
    """(code, English name) of the country somebody wrote, small typos allowed, or None."""
    words = " ".join(text.casefold().replace("the ", "").split()).strip(" .!")
    names = _names()
    code = names.get(words)
    if code is None:
        near = difflib.get_close_matches(words, names, n=1, cutoff=0.84)
        code = (
            names[near[0]] if near else next((names[n] for n in names if len(n) > 3 and f" {n} " in f" {words} "), None)
        )
    return (code, str(Locale("en").territories[code])) if code else None


def zones(code: str) -> list[str]:
    """The time zones of a country, by its two-letter code."""
    return list(pytz.country_timezones.get(code, []))


def zone_by_clock(text: str, now: datetime, code: str = "") -> str | None:
    """The time zone where it is now the time somebody wrote ("3:20 pm"), preferably one of their country."""
    try:
        clock = dates.parse(text, fuzzy=True, default=now.replace(hour=0, minute=0, second=0, microsecond=0))
    except (ValueError, OverflowError):
        return None
    if not any(character.isdigit() for character in text):
        return None
    minutes = clock.hour * 60 + clock.minute
    candidates = zones(code) or ["UTC", *(f"Etc/GMT{sign}{hours}" for sign in "+-" for hours in range(1, 13))]

    def distance(zone: str) -> int:
        local = now.astimezone(ZoneInfo(zone))
        apart = abs(local.hour * 60 + local.minute - minutes)
        return min(apart, 24 * 60 - apart)

    best = min(candidates, key=distance)
    return best if distance(best) <= 45 else None


def local_time(zone: str, now: datetime) -> str:
    """The clock in a zone, "15:20"; empty when the zone is not known."""
    try:
        return f"{now.astimezone(ZoneInfo(zone)):%H:%M}"
    except (KeyError, ValueError):
        return ""
