"""Signals said in one message, found clause by clause. How a clause is read is given, so that the rules are tested."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from engine.clauses import Span, pieces
from engine.encoder import Vectors
from engine.examples import SIGNALS
from engine.signals import Weights, find_signals
from engine.vote import Read

LABELS = (
    "oos",
    "signals.dismissal.pressured",
    "signals.dismissal.unanswered_questions",
    "signals.self.yes",
    "signals.self.no",
    "signals.situations.major_surgery",
)


def reads(**by_word: tuple[str, float]) -> Callable[[list[Span]], Vectors]:
    """A reader that knows clauses by one word in them: word=(label, probability)."""

    def read(parts: list[Span]) -> Vectors:
        rows = np.zeros((len(parts), len(LABELS)), np.float32)
        for row, part in enumerate(parts):
            known = [answer for word, answer in by_word.items() if word in part.text.lower()]
            if len(known) == 1:  # two things in one piece are read as neither
                label, probability = known[0]
                rows[row, LABELS.index(label)] = probability
            rows[row, 0] = max(0.0, 1 - rows[row].sum())
        return rows

    return read


def found(text: str, told: Vectors | None = None, **by_word: tuple[str, float]) -> list[tuple[str, str, str]]:
    parts = pieces(text)
    read = reads(**by_word)
    of_all = Read(read([Span(0, len(text), text)])[0], read(parts), None)
    signals = find_signals(text, parts, LABELS, of_all, told, WEIGHTS)
    return [(signal.value, signal.polarity, text[signal.start : signal.end]) for signal in signals]


# The reading of the best piece, of the whole, its share, a question, …, a denial, …, whether it is told in the whole
# and in a part: close to what was learned.
WEIGHTS = Weights((0.6, 0.1, 1.2, 0.0, 0.0, -1.0, 0.0, 0.5, 0.5), 5.2, {})
SURGERY = ("signals.situations.major_surgery", 0.9)
QUESTIONS = ("signals.dismissal.unanswered_questions", 0.9)


def test_each_signal_comes_with_the_clause_that_says_it() -> None:
    text = "They want to take out her whole stomach, nobody replies to us"
    assert found(text, stomach=SURGERY, replies=QUESTIONS) == [
        ("major_surgery", "yes", "They want to take out her whole stomach"),
        ("unanswered_questions", "yes", "nobody replies to us"),
    ]


def test_an_unsure_reading_fills_nothing() -> None:
    assert found("it went on and on", went=("signals.situations.major_surgery", 0.5)) == []


def test_of_two_signals_in_one_piece_the_one_that_is_not_its_main_point_is_found_too() -> None:
    text = "her whole stomach by friday they say"
    told = np.full((1 + len(pieces(text)), len(SIGNALS)), -6.0, np.float32)
    told[:, SIGNALS.index("pressured")] = 3.0
    told[:, SIGNALS.index("major_surgery")] = 3.0
    names = [value for value, _, _ in found(text, told, stomach=SURGERY)]
    assert sorted(names) == ["major_surgery", "pressured"]
    assert [value for value, _, _ in found(text, stomach=SURGERY)] == ["major_surgery"]


def test_what_is_only_supposed_fills_nothing() -> None:
    assert found("what if they take out her stomach", stomach=SURGERY) == []


def test_what_happened_to_a_neighbour_fills_nothing() -> None:
    assert found("my neighbour had her stomach removed", stomach=SURGERY) == []


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("no, nobody pressures me", "pressured"),
        ("the doctor answered everything we asked", "unanswered_questions"),
        ("no surgery planned", "major_surgery"),
        ("they gave us time to think", "pressured"),
    ],
)
def test_a_signal_denied_is_marked_as_denied_whatever_the_reading(text: str, signal: str) -> None:
    assert (signal, "no", text.split(", ")[-1]) in found(text, surgery=SURGERY)


def test_a_denial_taken_back_is_no_denial() -> None:
    assert found("he never answered everything we asked") == []


def test_to_understand_enough_is_a_signal_that_is_not_there() -> None:
    assert found("we grasp it all", grasp=("signals.self.yes", 0.9)) == [("understand_enough", "no", "we grasp it all")]
    assert found("we follow none of it", follow=("signals.self.no", 0.9)) == [
        ("understand_enough", "yes", "we follow none of it")
    ]


@pytest.mark.parametrize("text", ["", "x" * 2_000, "no " * 660, "a, " * 660, "\u200b", "我妈妈得了癌症"])
def test_any_text_can_be_read(text: str) -> None:
    assert found(text) == []
