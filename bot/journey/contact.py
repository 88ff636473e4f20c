"""How a coordinator may address the person: name, language, country, time zone. Each can be skipped."""

from __future__ import annotations

from bot.journey import places
from bot.journey.turn import Turn, answers, asks, go, press, value
from bot.journey.welcome import needs_consent
from bot.render import Choice

ORDER = ("name", "language", "country", "timezone")


def next_detail(turn: Turn) -> str | None:
    """The first detail that is neither known nor skipped."""
    contact = turn.progress.contact
    return next((d for d in ORDER if not getattr(contact, d) and d not in contact.skipped), None)


def go_on(turn: Turn) -> None:
    """Ask the next detail, or show what will be sent."""
    detail = next_detail(turn)
    go(turn, f"contact_{detail}" if detail else "handoff_preview")


def _skip(detail: str) -> tuple[Choice, ...]:
    return (press("choice.skip", "skip_contact", detail=detail),)


@asks("contact_name", words=True)
def ask_name(turn: Turn) -> None:
    """Ask what to call them; a first name is enough."""
    if not needs_consent(turn, "contact_name"):
        turn.say("handoff.name_ask", choices=_skip("name"))


@asks("contact_language", words=True)
def ask_language(turn: Turn) -> None:
    """Ask which language they would like to speak."""
    english = press("language.english", "contact", detail="language", value="English")
    turn.say("handoff.language_ask", choices=(english, *_skip("language")))


@asks("contact_country", words=True)
def ask_country(turn: Turn) -> None:
    """Ask the country they are in."""
    turn.say("handoff.country_ask", choices=_skip("country"))


@asks("contact_timezone", words=True)
def ask_timezone(turn: Turn) -> None:
    """Ask what their clock says; people know that better than the name of their zone."""
    turn.say("handoff.timezone_ask", choices=_skip("timezone"))


@answers("contact_name")
def answer_name(turn: Turn) -> None:
    """Keep the name as written."""
    _take(turn, "name", turn.heard.text)


@answers("contact_language")
def answer_language(turn: Turn) -> None:
    """Keep the language as written."""
    _take(turn, "language", turn.heard.text)


@answers("contact_country")
def answer_country(turn: Turn) -> None:
    """Keep the country; where it has one time zone, that is known too."""
    found = places.country(turn.heard.text)
    if found:
        code, name = found
        turn.progress.contact.timezone = places.only_zone(code, turn.now) or turn.progress.contact.timezone
        _take(turn, "country", name)
    else:
        _take(turn, "country", turn.heard.text)


@answers("contact_timezone")
def answer_timezone(turn: Turn) -> None:
    """Read their clock; when it cannot be read, keep what they wrote."""
    found = places.country(turn.progress.contact.country)
    zone = places.zone_by_clock(turn.heard.text, turn.now, found[0] if found else "")
    if zone:
        turn.say("handoff.timezone_noted", zone=zone.replace("_", " "), time=places.local_time(zone, turn.now))
    _take(turn, "timezone", zone or turn.heard.text)


def _take(turn: Turn, detail: str, words: str) -> None:
    if value(turn) in ("skipped", "not_sure", "no") or not words.strip():
        skip(turn, detail)
        return
    limit = 100 if detail == "name" else 60
    setattr(turn.progress.contact, detail, " ".join(words.split())[:limit])
    go_on(turn)


def skip(turn: Turn, detail: str) -> None:
    """Leave a detail out."""
    if detail in ORDER and detail not in turn.progress.contact.skipped:
        turn.progress.contact.skipped.append(detail)
    go_on(turn)


def press_contact(turn: Turn) -> None:
    """A button gave a detail."""
    detail, words = turn.heard.pressed.get("detail", ""), turn.heard.pressed.get("value", "")
    if detail in ORDER and words:
        setattr(turn.progress.contact, detail, words[:60])
    go_on(turn)


def press_skip(turn: Turn) -> None:
    """A button left a detail out."""
    skip(turn, turn.heard.pressed.get("detail", ""))
