"""What is known of one case: a bounded, versioned document, saved whole in one statement.

It holds everything the conversation needs to go on where it was: the step and the way there, the answers with the
person's own words, and how often each sentence was said. `Progress.model_validate_json` is its only way in.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

SITUATIONS = ("rare_cancer", "major_surgery", "recurrence_or_resistance", "conflicting_plans", "confusion")
DISMISSAL = (
    "unanswered_questions",
    "no_alternatives",
    "symptoms_minimised",
    "no_risk_benefit",
    "pressured",
    "confusing_explanations",
)
SELF_QUESTION = "understand_enough"
SIGNALS = (*SITUATIONS, *DISMISSAL, SELF_QUESTION)
RECORDS = ("pathology", "imaging", "blood_tests", "treatment_summary", "molecular", "operative_notes")
RECORD_STATES = ("have", "partly", "asked", "lost", "not_done", "not_for_me", "dont_know")
EXTRAS = (
    "name_dob_each_page",
    "stage_and_date",
    "medicines_and_herbs",
    "allergies",
    "treatment_dates_response",
    "radiotherapy_plan",
    "scan_reports",
    "letters",
    "present_condition",
    "key_questions",
    "permission",
)
QUESTIONS = (
    "diagnosis_confirmed",
    "other_options",
    "repeat_molecular",
    "surgery_timing",
    "clinical_trials",
    "realistic_goals",
)
RELATIONS = (
    "mother",
    "father",
    "wife",
    "husband",
    "partner",
    "son",
    "daughter",
    "child",
    "brother",
    "sister",
    "grandmother",
    "grandfather",
    "aunt",
    "uncle",
    "cousin",
    "friend",
    "relative",
)
_FAST = re.compile(r"\b(?:leuka?emi\w*|lymphom\w*|aml)\b", re.IGNORECASE)  # named in their own words
URGENT_DAYS = 14  # a treatment date this near raises the case's priority (rules.md, 5)

Answer = Literal["yes", "no", "not_sure", "skipped"]
RecordState = Literal["have", "partly", "asked", "lost", "not_done", "not_for_me", "dont_know", "skipped"]
Origin = Literal["picked", "own", "declined", "unknown"]

MAX_WORDS = 2_000  # of a person, in one answer
MAX_QUESTIONS = 40
MAX_TRAIL = 40


class Step(NamedTuple):
    """Where the conversation stands: the pending question and what it is about (a signal or record id)."""

    name: str
    about: str = ""


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", validate_assignment=False)


class SignalAnswer(_Document):
    """The answer to one signal; `words` are the person's own when they said it unasked."""

    answer: Answer
    words: str = Field("", max_length=MAX_WORDS)


class RecordAnswer(_Document):
    """The state of one record, with what the person said of it."""

    state: RecordState
    note: str = Field("", max_length=MAX_WORDS)


class Question(_Document):
    """One question for the reviewing doctors: a guide id, or the person's own words."""

    id: str = ""
    text: str = Field("", max_length=MAX_WORDS)
    origin: Origin = "picked"


class TreatmentDate(_Document):
    """Whether a treatment date is set, in the person's words and, when it could be read, as a date."""

    answer: Literal["", "yes", "no", "dont_know"] = ""
    words: str = Field("", max_length=200)
    on: date | None = None


class Contact(_Document):
    """How a coordinator may address the person, and when it is day for them."""

    name: str = Field("", max_length=100)
    language: str = Field("", max_length=60)
    country: str = Field("", max_length=60)
    timezone: str = Field("", max_length=60)
    skipped: list[str] = []


class Progress(_Document):
    """Everything one case knows."""

    version: int = 1
    role: Literal["", "self", "carer"] = ""
    relation: str = Field("", max_length=40)
    step: Step = Step("new")
    trail: list[Step] = []
    held: list[Step] = []  # where to go on after detours (a safety answer, a confirmation, a file), innermost last
    after_consent: str = ""  # what was asked for before consent was given
    later: Step | None = None  # where to go on after the hand-off
    paused: bool = False
    signals: dict[str, SignalAnswer] = {}
    records: dict[str, RecordAnswer] = {}
    extras: list[str] = []
    questions: list[Question] = []
    treatment: TreatmentDate = TreatmentDate()
    contact: Contact = Contact()
    handed_off: bool = False
    file_waiting: str = ""  # id of a file whose record is being asked for
    misses: int = 0
    topic: str = ""  # the last thing explained, for "say it simpler"
    said: dict[str, int] = {}  # how often each sentence was said, so that variants take turns
    seen_at: datetime | None = None
    discarded: str = ""  # the document before "start over", so that it can be brought back

    def present(self) -> list[str]:
        """Signals that are there, in the guide's order; the self-question counts when its answer is no."""
        return [name for name in SIGNALS if self._answer(name) == ("no" if name == SELF_QUESTION else "yes")]

    def unsure(self) -> list[str]:
        """Signals answered with "not sure"."""
        return [name for name in SIGNALS if self._answer(name) == "not_sure"]

    def next_signal(self) -> str | None:
        """The first signal nobody has answered yet, or None."""
        return next((name for name in SIGNALS if name not in self.signals), None)

    def next_record(self) -> str | None:
        """The first record whose state is not known yet, or None."""
        return next((name for name in RECORDS if name not in self.records), None)

    def records_in_hand(self) -> int:
        """How many of the six records the person has, whole or partly."""
        return sum(1 for answer in self.records.values() if answer.state in ("have", "partly"))

    def add_question(self, question: Question) -> bool:
        """Keep a question once. False when it is not on the list: it says nothing, or the list is full."""
        key = question.id or question.text.casefold().strip()
        if any(key == (known.id or known.text.casefold().strip()) for known in self.questions):
            return True
        if not key or len(self.questions) >= MAX_QUESTIONS:
            return False
        self.questions.append(question)
        return True

    def urgent(self, today: date) -> str:
        """Why the case goes first (rules.md, 5), or "": treatment is near, a child is ill, a cancer may not wait."""
        soon = self.treatment.on is not None and 0 <= (self.treatment.on - today).days <= URGENT_DAYS
        if soon or (self.role == "carer" and self.relation in ("child", "son", "daughter")):
            return "treatment_soon"
        said = [answer.words for answer in self.signals.values()]
        said += [answer.note for answer in self.records.values()] + [question.text for question in self.questions]
        return "fast_cancer" if any(map(_FAST.search, said)) else ""

    def _answer(self, name: str) -> str:
        known = self.signals.get(name)
        return known.answer if known else ""
