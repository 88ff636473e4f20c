"""What a message asks besides its main point. How its parts are read is given, so that the rules are tested."""

from __future__ import annotations

import numpy as np
import pytest

from engine.clauses import pieces
from engine.questions import find_question

LABELS = ("signals.situations.conflicting_plans", "service.cost", "faq.offend_doctor", "safety.medical_advice", "oos")


def asked(text: str, intent: str = LABELS[0], sure: float = 0.95, **by_word: str) -> tuple[str, str] | None:
    """The question that is found, and its words; a part is read as what its one known word says."""
    parts = pieces(text)
    read = np.zeros((len(parts), len(LABELS)), np.float32)
    for row, part in enumerate(parts):
        known = [label for word, label in by_word.items() if word in part.text]
        if len(known) == 1:
            read[row, LABELS.index(known[0])] = sure
        read[row, -1] += 1 - read[row].sum()
    found = find_question(text, parts, LABELS, intent, read)
    return (found["value"], text[found["start"] : found["end"]]) if found else None


def test_a_question_in_its_own_sentence_is_found() -> None:
    text = "Two hospitals disagree. What does it cost?"
    assert asked(text, hospitals=LABELS[0], cost=LABELS[1]) == ("service.cost", "What does it cost")


def test_a_question_in_a_clause_is_found() -> None:
    text = "two hospitals disagree, and how much is the cost"
    found = asked(text, hospitals=LABELS[0], cost=LABELS[1])
    assert found is not None
    assert found[0] == "service.cost"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("What does it cost?", LABELS[1]),  # that is the main point
        ("Two hospitals disagree. The cost was told to us", LABELS[0]),  # nobody asks
        ("what does the cost of two hospitals matter", LABELS[0]),  # one piece says both
    ],
)
def test_nothing_is_found_where_nothing_else_is_asked(text: str, intent: str) -> None:
    assert asked(text, intent, hospitals=LABELS[0], cost=LABELS[1]) is None


def test_what_is_not_read_surely_is_not_answered() -> None:
    assert asked("Two hospitals disagree. What does it cost?", sure=0.7, hospitals=LABELS[0], cost=LABELS[1]) is None


def test_a_request_for_medical_advice_is_no_question_of_the_guide() -> None:
    assert asked("Two hospitals disagree. Which is better?", hospitals=LABELS[0], better=LABELS[3]) is None
