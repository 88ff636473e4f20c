"""Countries and time zones from what people type: Babel's names, pytz's zones, nothing of our own."""

from __future__ import annotations

import difflib
import re
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

import pytz
from babel import Locale

# What people write for a country that Babel names otherwise.
_ALIASES = {
    "uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "britain": "GB", "great britain": "GB",
    "usa": "US", "us": "US", "america": "US", "uae": "AE", "emirates": "AE", "dubai": "AE", "ksa": "SA",
    "korea": "KR", "south korea": "KR", "holland": "NL", "czech republic": "CZ", "burma": "MM", "ivory coast": "CI",
    "turkey": "TR", "hong kong": "HK", "macau": "MO", "palestine": "PS", "congo": "CD", "vietnam": "VN",
    "russia": "RU", "bosnia": "BA", "macedonia": "MK", "swaziland": "SZ", "east timor": "TL",
}  # fmt: skip

# People often write their country's name in their own language.
_LANGUAGES = (
    "ar", "bn", "de", "es", "fa", "fr", "hi", "id", "it", "ja", "ko", "pl", "pt", "ru", "tr", "uk", "ur", "vi", "zh",
)  # fmt: skip

_CLOCK = re.compile(
    r"(?<![\d:.+-])(?P<hour>\d{1,2})(?:\s?[:.h]\s?(?P<minute>\d{2})(?!\d)|(?P<joined>\d{2})(?!\d))?\s*(?P<half>[ap]\.?m\b)?"
)
_OFFSET = re.compile(r"\b(?:utc|gmt)\s*(?P<sign>[+-])\s*(?P<hours>\d{1,2})(?::?(?P<minutes>[0-5]\d))?(?!\d)")
_MORNING = re.compile(r"\bmorning\b")
_EVENING = re.compile(r"\b(?:afternoon|evening|night)\b")
CLOSE = 45  # minutes that a clock may be off: people round, and watches are wrong
DAY = 24 * 60


def _territories(language: str) -> dict[str, str]:
    known = {code: str(name) for code, name in Locale(language).territories.items()}
    return {name.casefold(): code for code, name in known.items() if code.isalpha() and len(code) == 2}


@cache
def _english() -> dict[str, str]:
    return {**_territories("en"), **_ALIASES}


@cache
def _cities() -> dict[str, str]:
    """Zones by their names, and by the city in them."""
    zones = [zone for code in sorted(pytz.country_timezones) for zone in pytz.country_timezones[code]]
    return {name.replace("_", " ").casefold(): zone for zone in zones for name in (zone, zone.rpartition("/")[2])}


@cache
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for language in _LANGUAGES:
        names.update(_territories(language))
    return {**names, **_english()}


def country(text: str) -> tuple[str, str] | None:
    """(code, English name) of the country somebody wrote, in a common language or with a small typo, or None."""
    words = " ".join(re.sub(r"\bthe\b|[!?,]", " ", text.casefold().replace(".", "")).split())
    code = _names().get(words)
    if code is None and words:
        names = _english()
        near = difflib.get_close_matches(words, names, n=1, cutoff=0.84)
        within = (
            name for name in sorted(names, key=len, reverse=True) if len(name) > 3 and f" {name} " in f" {words} "
        )
        found = near[0] if near else next(within, None)
        code = names[found] if found else None
    return (code, str(Locale("en").territories[code])) if code else None


def only_zone(code: str, now: datetime) -> str:
    """The time zone of a country where all clocks show the same, summer and winter; "" where they do not."""
    zones = pytz.country_timezones.get(code, [])
    clocks = {
        tuple((now + timedelta(days=days)).astimezone(ZoneInfo(zone)).utcoffset() for days in (0, 182))
        for zone in zones
    }
    return str(zones[0]) if len(clocks) == 1 else ""


def zone_by_clock(text: str, now: datetime, code: str = "") -> str | None:
    """The time zone where it is now the time somebody wrote ("3:20 pm"): one of their country, else a plain offset.

    A city's name or an offset ("UTC+3") does as well. None when nothing can be read, or when it could be morning as
    well as evening and no country tells which.
    """
    words = text.casefold()
    if zone := _cities().get(" ".join(words.replace("_", " ").split())):
        return zone
    if said := _OFFSET.search(words):
        minutes = int(said["hours"]) * 60 + int(said["minutes"] or 0)
        return _offset(-minutes if said["sign"] == "-" else minutes) if minutes <= 14 * 60 else None
    clocks = _clocks(words)
    zones = pytz.country_timezones.get(code, [])
    near = [(_apart(_minutes(now, ZoneInfo(zone)), clock), zone) for zone in zones for clock in clocks]
    if near and min(near)[0] <= CLOSE:
        return str(min(near, key=lambda found: found[0])[1])
    if len(clocks) != 1:
        return None
    ahead = (clocks[0] - (now.hour * 60 + now.minute) + DAY // 2) % DAY - DAY // 2
    return _offset(round(ahead / 30) * 30)


def _clocks(words: str) -> list[int]:
    """The times of day, in minutes, that words can mean."""
    if "noon" in words.split() or "midday" in words.split():
        return [12 * 60]
    if "midnight" in words.split():
        return [0]
    said = _CLOCK.search(words)
    if said is None:
        return []
    hour, minute = int(said["hour"]), int(said["minute"] or said["joined"] or 0)
    if hour > 23 or minute > 59:
        return []
    if said["half"] or _MORNING.search(words) or _EVENING.search(words):
        late = said["half"].startswith("p") if said["half"] else not _MORNING.search(words)
        return [(hour % 12 + (12 if late else 0)) * 60 + minute] if hour <= 12 else [hour * 60 + minute]
    if 1 <= hour <= 12 and words[said.start("hour")] != "0":  # "09:00" is a 24-hour clock
        return [hour % 12 * 60 + minute, (hour % 12 + 12) * 60 + minute]
    return [hour * 60 + minute]


def _minutes(now: datetime, zone: tzinfo) -> int:
    local = now.astimezone(zone)
    return local.hour * 60 + local.minute


def _apart(one: int, other: int) -> int:
    return min(abs(one - other), DAY - abs(one - other))


def _offset(minutes: int) -> str:
    """Minutes ahead of UTC as a name: UTC+05:30."""
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def zone_named(zone: str) -> tzinfo | None:
    """The zone of a name; None when it is not known: it may be anything that somebody typed."""
    if zone in pytz.all_timezones_set:
        return ZoneInfo(zone)
    if said := re.fullmatch(r"UTC([+-])([01]\d|2[0-3]):([0-5]\d)", zone):
        ahead = timedelta(hours=int(said[2]), minutes=int(said[3]))
        return timezone(-ahead if said[1] == "-" else ahead)
    return None


def local_time(zone: str, now: datetime) -> str:
    """The clock in a zone, "15:20"; empty when the zone is not known."""
    known = zone_named(zone)
    return f"{now.astimezone(known):%H:%M}" if known else ""
