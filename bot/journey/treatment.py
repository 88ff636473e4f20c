"""Whether a treatment date is set: asked once and kept. A near date raises the case's priority (rules.md, 5)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import dateparser

from bot.journey.turn import Turn, answers, asks, go, value
from bot.journey.turn import press as button
from bot.journey.welcome import needs_consent
from bot.progress import URGENT_DAYS

FURTHEST = timedelta(days=730)


@asks("treatment_date", words=True)
def ask_date(turn: Turn) -> None:
    """Ask whether a date for treatment has been given."""
    if needs_consent(turn, "treatment_date"):
        return
    turn.say(
        "treatment_date.ask",
        choices=tuple(
            button(f"choice.{label}", "treatment", answer=answer)
            for label, answer in (("yes", "yes"), ("no", "no"), ("dont_know", "not_sure"))
        ),
    )


@asks("treatment_when", words=True)
def ask_when(turn: Turn) -> None:
    """Ask when it is."""
    turn.say("treatment_date.when", choices=(button("choice.skip", "treatment", answer="skipped"),))


@answers("treatment_date")
def answer_date(turn: Turn) -> None:
    """Yes asks when; a date in their words says both."""
    answer, treatment = value(turn), turn.progress.treatment
    when = _read_date(turn.heard.text, turn.now) if not answer else None
    if answer == "no" or (not answer and when is None and turn.heard.text.strip().casefold().startswith("no")):
        treatment.answer = "no"
        turn.say("treatment_date.none")
        go(turn, "handoff_offer")
    elif answer in ("not_sure", "skipped"):
        treatment.answer = "dont_know"
        turn.say("treatment_date.unknown")
        go(turn, "handoff_offer")
    else:
        treatment.answer = "yes"
        if when is not None:
            _note(turn, when)
        else:
            go(turn, "treatment_when")


@answers("treatment_when")
def answer_when(turn: Turn) -> None:
    """Keep their words, and the date when it can be read."""
    turn.progress.treatment.answer = "yes"
    if value(turn) in ("", "yes"):
        _note(turn, _read_date(turn.heard.text, turn.now))
    else:
        turn.say("treatment_date.noted")
        go(turn, "handoff_offer")


def _note(turn: Turn, when: date | None) -> None:
    treatment = turn.progress.treatment
    treatment.words = turn.heard.text.strip()[:200]
    treatment.on = when
    soon = when is not None and 0 <= (when - turn.now.date()).days <= URGENT_DAYS
    turn.say("treatment_date.soon" if soon else "treatment_date.noted")
    if soon and turn.progress.handed_off:
        turn.do("raise_urgent", reason="treatment_soon")
    go(turn, "handoff_offer")


def _read_date(text: str, now: datetime) -> date | None:
    """A date in the next two years out of somebody's words ("next monday", "3 march"), or None."""
    if not any(character.isalnum() for character in text) or len(text) > 80:
        return None
    found = dateparser.parse(
        text,
        languages=["en"],
        settings={
            "PREFER_DATES_FROM": "future",
            "RELATIVE_BASE": now.replace(tzinfo=None),
            "REQUIRE_PARTS": ["day"],
            "STRICT_PARSING": False,
        },
    )
    if found is None:
        found = _search_date(text, now)
    if found is None or not now.date() <= found.date() <= (now + FURTHEST).date():
        return None
    return found.date()


def _search_date(text: str, now: datetime) -> datetime | None:
    from dateparser.search import search_dates  # slow to import, and only needed for a date inside a sentence

    hits = search_dates(
        text,
        languages=["en"],
        settings={"PREFER_DATES_FROM": "future", "RELATIVE_BASE": now.replace(tzinfo=None)},
    )
    return hits[0][1] if hits else None


def press(turn: Turn) -> None:
    """A button answers the question it stood under."""
    if turn.progress.step.name == "treatment_when":
        answer_when(turn)
    else:
        answer_date(turn)
