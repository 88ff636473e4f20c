"""The brief of a case: the very lines the person sees before agreeing are the lines the coordinators get."""

from __future__ import annotations

from typing import Any

from bot.journey.turn import FileView, named
from bot.progress import RECORDS, Progress

Line = dict[str, Any]


def brief(progress: Progress, files: tuple[FileView, ...]) -> list[Line]:
    """Everything that is handed over, line by line, as guide entries with arguments."""
    lines = [_who(progress), *_contact(progress), *_signals(progress), *_records(progress)]
    lines += _questions(progress) + _treatment(progress)
    if files:
        lines.append(named("brief.files", files=[file.name for file in files]))
    return lines


def _who(progress: Progress) -> Line:
    if progress.role == "carer":
        return named("brief.who_carer", relation=named(f"relation.{progress.relation or 'relative'}"))
    return named("brief.who_self") if progress.role == "self" else named("brief.who_unknown")


def _contact(progress: Progress) -> list[Line]:
    contact = progress.contact
    details = ("name", "language", "country", "timezone")
    return [named(f"brief.{detail}", value=getattr(contact, detail)) for detail in details if getattr(contact, detail)]


def _signals(progress: Progress) -> list[Line]:
    lines = []
    present = [
        named("brief.signal_words", name=named(f"signals.{name}.name"), words=progress.signals[name].words)
        if progress.signals[name].words
        else named(f"signals.{name}.name")
        for name in progress.present()
    ]
    if present:
        lines.append(named("brief.signals", items=present))
    if progress.unsure():
        lines.append(named("brief.unsure", items=[named(f"signals.{name}.name") for name in progress.unsure()]))
    return lines


def _records(progress: Progress) -> list[Line]:
    def items(*states: str) -> list[Line]:
        return [
            named(
                "brief.record_words" if answer.note else "records.line",
                name=named(f"records.{record}.name"),
                state=named(f"state.{answer.state}"),
                **({"words": answer.note} if answer.note else {}),
            )
            for record in RECORDS
            if (answer := progress.records.get(record)) and answer.state in states
        ]

    lines = []
    if have := items("have", "partly"):
        lines.append(named("brief.records_have", items=have))
    if missing := items("asked", "lost", "not_done", "not_for_me", "dont_know"):
        lines.append(named("brief.records_missing", items=missing))
    if progress.extras:
        lines.append(named("brief.extras", items=[named(f"extras.{extra}.name") for extra in progress.extras]))
    return lines


def _questions(progress: Progress) -> list[Line]:
    items: list[Any] = [
        named(f"questions.{question.id}.text") if question.id else question.text for question in progress.questions
    ]
    return [named("brief.questions", items=items)] if items else []


def _treatment(progress: Progress) -> list[Line]:
    treatment = progress.treatment
    if treatment.answer == "yes":
        when = f"{treatment.on:%d %b %Y}" if treatment.on else ""
        words = treatment.words or when
        if words:
            both = f"{words} ({when})" if when and when != words else words
            return [named("brief.treatment_date", value=both)]
        return [named("brief.treatment_set")]
    return [named("brief.treatment_none")] if treatment.answer == "no" else []
