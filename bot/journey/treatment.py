"""Whether a treatment date is set: asked once and kept. A near date raises the case's priority (rules.md, 5)."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

import dateparser
from dateparser.search import search_dates

from bot.journey.turn import Turn, answers, ask, asks, go, return_to_preview, value
from bot.journey.turn import press as button
from bot.journey.welcome import needs_consent
from bot.progress import URGENT_DAYS, TreatmentDate

FURTHEST = timedelta(days=730)
READ = 300  # characters that are looked at for a date
_NO = re.compile(
    r"\W*(?:no|nope|not|none|never|nothing|(?:there|they|we|i|it) .{0,20}\b(?:no|not|\w+n'?t)|\w+n'?t)\b", re.I
)
_YES = re.compile(r"\W*(?:yes|yeah|yep|ya|ok|okay|sure|it is|there is)\b", re.I)
_WEEKDAY = re.compile(r"\b(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\b", re.I)
_TIME = re.compile(
    _WEEKDAY.pattern
    + r"|\b(?:\d{1,4}[./-]\d{1,2}|\d{1,2}(?:st|nd|rd|th)?\b|today|tomorrow|(?:day|week|month|year)s?|soon|next|this"
    r"|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?|spring|summer|autumn|fall|winter)\b",
    re.I,
)
_VAGUE = re.compile(r"\b(?:ago|last|next (?:month|year)|(?:first|second|third|last|\d\w*) week of)\b", re.I)
_DAY_ALONE = re.compile(r"(?:it is |on )?(?:the )?(\d{1,2})(?:st|nd|rd|th)")


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
    """No goes on; a day or a rough time in their words says it all; a bare yes asks when."""
    answer, words, treatment = value(turn), turn.heard.text.strip(), turn.progress.treatment
    when = read_date(words, turn.now)
    if answer == "no" or (not answer and when is None and _NO.match(words)):
        turn.progress.treatment = TreatmentDate(answer="no")
        turn.say("treatment_date.none")
        _done(turn)
    elif answer in ("not_sure", "skipped"):
        turn.progress.treatment = TreatmentDate(answer="dont_know")
        turn.say("treatment_date.unknown")
        _done(turn)
    elif when is not None or _TIME.search(words):
        _note(turn, when)
    elif answer == "yes" or _YES.match(words):
        treatment.answer = "yes"
        go(turn, "treatment_when")
    else:
        ask(turn)


@answers("treatment_when")
def answer_when(turn: Turn) -> None:
    """Keep their words, and the day when it can be read."""
    if value(turn) in ("", "yes"):
        _note(turn, read_date(turn.heard.text, turn.now))
    else:
        turn.progress.treatment.answer = "yes"
        turn.say("treatment_date.noted")
        _done(turn)


def _done(turn: Turn) -> None:
    """Back to what will be sent, when the change began there; otherwise on to the offer of a coordinator."""
    if not return_to_preview(turn):
        go(turn, "handoff_offer")


def _note(turn: Turn, when: date | None) -> None:
    words = turn.heard.text.strip()[:200]
    turn.progress.treatment = TreatmentDate(answer="yes", words=words, on=when)
    soon = when is not None and 0 <= (when - turn.now.date()).days <= URGENT_DAYS
    turn.say("treatment_date.soon" if soon else "treatment_date.noted")
    if soon and turn.held in ("waiting", "claimed"):
        turn.do("raise_urgent", reason="treatment_soon")
    _done(turn)


def read_date(text: str, now: datetime) -> date | None:
    """The day, in the next two years, that somebody's words name ("next monday", "3 march"), or None.

    A month or a season names no day, and none is made up. "3/4" is the third of April, as most of the world writes it.
    """
    words = text[:READ].casefold()
    if alone := _DAY_ALONE.fullmatch(words.strip()):
        return _next(int(alone[1]), now.date())
    if _VAGUE.search(words) or not _TIME.search(words):
        return None
    settings = {
        "PREFER_DATES_FROM": "future",
        "RELATIVE_BASE": now.replace(tzinfo=None),
        "REQUIRE_PARTS": [] if _WEEKDAY.search(words) else ["day"],
        "DATE_ORDER": "DMY",
    }
    found = dateparser.parse(words, languages=["en"], settings=settings)
    if found is None:
        hits = search_dates(words, languages=["en"], settings=settings) or []
        found = next((day for said, day in hits if _TIME.search(said)), None)
    if found is None or not now.date() <= found.date() <= (now + FURTHEST).date():
        return None
    return found.date()


def _next(day: int, today: date) -> date | None:
    """The next day of a month with this number."""
    if not 1 <= day <= 31:
        return None
    coming = today
    while coming.day != day:
        coming += timedelta(days=1)
    return coming


def press(turn: Turn) -> None:
    """A button answers the question it stood under: "skip" stands under the second one alone."""
    if value(turn) == "skipped":
        answer_when(turn)
    else:
        answer_date(turn)
