"""The figures, by tables of messages whose right answers are plain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from evaluation.data import Row
from evaluation.figures import (
    Figure,
    Judged,
    confusions,
    gap,
    matrix,
    of_signals,
    of_topics,
    recall,
    reliability,
    wilson,
)  # fmt: skip
from evaluation.topics import Treated

EMERGENCY, SELF_HARM, ADVICE = "safety.emergency", "safety.self_harm", "safety.medical_advice"


def judged(
    topic: str,
    predicted: str,
    *,
    second: str = "oos",
    also: Sequence[str] = (),
    confidence: float = 0.9,
    answered: bool = True,
    text: str = "",
) -> Judged:
    return Judged(Row("id", text, topic, tuple(also)), Treated(predicted, second, confidence, answered))


def figures(rows: Sequence[Judged], negatives: Sequence[Judged] = ()) -> dict[str, tuple[int, int]]:
    return {figure.key: (figure.hits, figure.of) for figure in of_topics(rows, negatives)}


@pytest.mark.parametrize(  # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3
    ("hits", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    assert wilson(hits, of) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_of_nothing_everything_is_possible() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert Figure("key", "title", 0, 0).share == 0.0


@pytest.mark.parametrize(
    ("hits", "at_most", "met"), [(9, False, True), (8, False, False), (9, True, True), (10, True, False)]
)
def test_an_aim_is_met_from_its_own_side(hits: int, at_most: bool, met: bool) -> None:
    assert Figure("key", "title", hits, 10, 0.9, at_most).met is met


def test_what_is_right_too_is_right() -> None:
    rows = [
        judged("faq.certainty", "faq.certainty"),
        judged("faq.certainty", "service.cost", also=["service.cost"]),
        judged("faq.certainty", "service.time", second="faq.certainty"),
        judged("faq.certainty", "service.time", second="service.cost"),
        judged("", "service.time"),  # not labelled: not counted
    ]

    assert figures(rows)["right"] == (2, 4)
    assert figures(rows)["right_or_second"] == (3, 4)


def test_an_emergency_taken_for_self_harm_is_not_recognised() -> None:
    rows = [judged(EMERGENCY, EMERGENCY), judged(EMERGENCY, SELF_HARM), judged(SELF_HARM, "feelings.hopeless")]

    assert figures(rows)["alarms"] == (1, 3)


def test_negatives_and_all_other_messages_count_as_taken_for_an_alarm() -> None:
    rows = [judged(EMERGENCY, EMERGENCY), judged("oos", SELF_HARM), judged("oos", "oos")]
    negatives = [judged("safety.past_or_hypothetical", EMERGENCY), judged("oos", "service.cost")]

    assert figures(rows, negatives)["false_alarms"] == (2, 4)


def test_a_message_for_which_an_alarm_is_right_too_raises_no_false_one() -> None:
    assert figures([judged(ADVICE, EMERGENCY, also=[EMERGENCY])])["false_alarms"] == (0, 0)


def test_out_of_scope_is_kept_out_when_it_is_recognised_or_not_answered() -> None:
    rows = [
        judged("oos", "oos", answered=False),
        judged("oos", "service.cost", answered=False),
        judged("oos", "service.cost"),
        judged("oos", "control.greet", also=["control.greet"]),
    ]

    assert figures(rows)["outside"] == (3, 4)


def test_topics_are_counted_by_their_recall() -> None:
    rows = [judged("faq.certainty", "faq.certainty")] * 3 + [judged("faq.certainty", "oos"), judged("oos", "faq.cost")]

    assert [(one.title, one.hits, one.of) for one in recall(rows)] == [("oos", 0, 1), ("faq.certainty", 3, 4)]
    assert figures(rows)["topics"] == (1, 2)


def signals(told: Sequence[str], filled: Sequence[str], denied: Sequence[str] = ()) -> dict[str, tuple[int, int]]:
    made = of_signals([Row("id", "", signals=frozenset(told))], [set(filled)], [denied])
    return {figure.key: (figure.hits, figure.of) for figure in made}


@pytest.mark.parametrize(
    ("filled", "denied", "hits", "wrong"),
    [
        (["pressured", "confusion"], [], (2, 2), (0, 2)),
        (["pressured"], [], (1, 2), (0, 1)),
        (["pressured", "rare_cancer"], [], (1, 2), (1, 2)),
        ([], ["confusion"], (0, 2), (1, 1)),  # it is there, and noted as absent
        ([], ["rare_cancer"], (0, 2), (0, 0)),  # it is absent, and noted so
    ],
)
def test_signals_of_one_message_are_counted_one_by_one(
    filled: list[str], denied: list[str], hits: tuple[int, int], wrong: tuple[int, int]
) -> None:
    counted = signals(["pressured", "confusion"], filled, denied)

    assert (counted["signals"], counted["signals_wrong"], counted["near_wrong"]) == (hits, wrong, (0, 0))


def test_a_near_miss_is_wrong_when_it_fills_what_is_not_told() -> None:
    assert signals([], ["pressured", "confusion"])["near_wrong"] == (1, 1)
    assert signals(["pressured"], ["pressured"])["near_wrong"] == (0, 1)


def test_confusions_come_with_examples_the_most_frequent_first() -> None:
    rows = [judged("oos", "service.cost", text=str(number)) for number in range(4)]
    rows += [judged("faq.certainty", "oos"), judged("oos", "oos")]

    first, second = confusions(rows)

    assert (first.topic, first.predicted, first.count) == ("oos", "service.cost", 4)
    assert [row.text for row in first.examples] == ["0", "1", "2"]
    assert (second.topic, second.count) == ("faq.certainty", 1)


def test_in_the_matrix_what_is_right_too_is_no_confusion() -> None:
    rows = [judged("oos", "control.greet", also=["control.greet"]), judged("oos", "service.cost")]

    assert matrix(rows) == Counter({("oos", "oos"): 1, ("oos", "service.cost"): 1})


def test_reliability_sets_how_sure_it_was_beside_how_often_it_was_right() -> None:
    rows = [judged("oos", "oos", confidence=1.0), judged("oos", "faq.cost", confidence=0.95)]
    rows += [judged("oos", "oos", confidence=0.1)]

    low, high = reliability(rows)

    assert (low.low, low.count, low.right) == (0.1, 1, 1.0)
    assert (high.low, high.count, high.confidence, high.right) == (0.9, 2, pytest.approx(0.975), 0.5)
    assert gap([low, high]) == pytest.approx((0.9 + 2 * 0.475) / 3)
