"""Noting what was said unasked: one message may fill many items, and none of them is asked again (rules.md, 7)."""

from __future__ import annotations

import re
from typing import Any

from bot.journey.turn import Mention, Turn, named
from bot.progress import MAX_WORDS, RECORD_STATES, RECORDS, SELF_QUESTION, SIGNALS, Question, RecordAnswer, SignalAnswer
from bot.render import Choice

# What the guide does not say is kept for the coordinator (rules.md, 3).
UNKNOWN = {"service.cost", "service.time", "service.not_in_guide"}
_REPORT = re.compile(r"reports?\b", re.IGNORECASE)


def note_signals(turn: Turn) -> list[dict[str, Any]]:
    """Fill the signals mentioned in this message with the person's own words. Returns the names newly present."""
    progress = turn.progress
    if not turn.keeps:
        return []
    noted = []
    for mention in _signal_mentions(turn):
        present, absent = ("no", "yes") if mention.value == SELF_QUESTION else ("yes", "no")
        known = progress.signals.get(mention.value)
        words = mention.words[:MAX_WORDS]
        asked = progress.step.about == mention.value
        if mention.polarity == "no":
            # A negation answers a question that is open; it never takes back what they told us on another day.
            if known is None or asked:
                progress.signals[mention.value] = SignalAnswer(answer=absent, words=words)
                turn.noted.add(mention.value)
            continue
        turn.noted.add(mention.value)
        if known is None or known.answer != present or not known.words:
            progress.signals[mention.value] = SignalAnswer(answer=present, words=words)
            noted.append(named(f"signals.{mention.value}.name"))
    return noted


def _signal_mentions(turn: Turn) -> list[Mention]:
    mentions = [mention for mention in turn.heard.of("signal") if mention.value in SIGNALS]
    if mentions:
        return mentions
    # The whole message is one statement: its intent is the mention.
    intent = turn.heard.intent
    if intent.startswith(("signals.situations.", "signals.dismissal.")):
        return [Mention("signal", intent.rsplit(".", 1)[1], turn.heard.text)]
    if intent in ("signals.self.yes", "signals.self.no"):
        polarity = "no" if intent.endswith("yes") else "yes"
        return [Mention("signal", SELF_QUESTION, turn.heard.text, polarity=polarity)]
    return []


def note_records(turn: Turn) -> list[str]:
    """Fill the records mentioned in this message, each with its own state. Returns the ids that were noted."""
    noted: list[str] = []
    fallback = {"records.have": "have", "records.missing": "lost"}.get(turn.heard.intent, "")
    step = turn.progress.step
    for mention in turn.heard.of("record"):
        record, state = mention.value, mention.state or fallback
        if record not in RECORDS or state not in RECORD_STATES:
            continue
        if _REPORT.match(mention.words) and step.name == "records" and step.about in RECORDS:
            record = step.about  # "report yes": of what was asked about
        if record in noted and turn.progress.records[record].state != state:
            state = "partly"  # "the CT yes, the MRI not": one item, two states
        note_record(turn, record, state, mention.words)
        if record not in noted:
            noted.append(record)
    return noted


def note_record(turn: Turn, record: str, state: str, words: str = "") -> None:
    """Note the state of one record, and keep what was said of it before when nothing new is said."""
    known = turn.progress.records.get(record)
    note = words[:MAX_WORDS] or (known.note if known else "")
    turn.noted.add(record)
    turn.progress.records[record] = RecordAnswer(state=state, note=note)


def take_in(turn: Turn) -> None:
    """Note what a message tells, and say so, before anything that it asks is answered."""
    names = note_signals(turn)
    if names:
        turn.say("signals.heard", names=names)
    records = note_records(turn) if turn.keeps else []
    if records:
        turn.say("records.heard", items=noted_states(turn, records))


def answer(turn: Turn, about: str, words: str = "", choices: tuple[Choice, ...] = ()) -> str:
    """Answer a question of the guide, asked in `words` (the whole message, if none). Returns the id of what was said.

    What the guide does not say is kept for the coordinator, and that is said.
    """
    if about in UNKNOWN:
        about, choices = about if save_question(turn, "unknown", words) else f"{about}_unsaved", ()
    explain(turn, about, choices)
    return about


def explain(turn: Turn, about: str, choices: tuple[Choice, ...] = ()) -> None:
    """Say an entry of the guide that was asked for."""
    if about == "service.privacy":
        keep = turn.keep
        turn.say("service.privacy", choices=choices, hours=keep.draft_hours, days=keep.days, case_days=keep.case_days)
    else:
        turn.say(about, choices=choices)


def answer_others(turn: Turn) -> None:
    """Answer what the same message asks besides its main point."""
    for mention in turn.heard.of("question"):
        if mention.value != turn.heard.intent and mention.value.startswith(("faq.", "service.")):
            answer(turn, mention.value, mention.words)


def save_question(turn: Turn, origin: str, words: str = "") -> bool:
    """Keep the heard words as a question for the reviewing doctors or the coordinator. False when they are not kept."""
    text = (words or turn.heard.text).strip()[:MAX_WORDS]
    return turn.keeps and turn.progress.add_question(Question(text=text, origin=origin))


def noted_states(turn: Turn, records: list[str]) -> list[dict[str, Any]]:
    """The named records with their states, as lines for an answer."""
    return [
        named(
            "records.line",
            name=named(f"records.{record}.name"),
            state=named(f"state.{turn.progress.records[record].state}"),
        )
        for record in records
    ]
