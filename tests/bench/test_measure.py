"""Measuring: percentiles, blocks that alternate, conversations led to where measuring begins."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bench.measure import Block, Plan, measure_turns, percentile, start, summarise
from bench.subjects import Conversation, Subject
from scripts.supervise import Service


class Counting(Subject):
    """A subject without processes: turn n of a conversation takes n seconds. It notes who was asked what."""

    def __init__(self, name: str, log: list[tuple[str, str, int]]) -> None:
        super().__init__(Path())
        self.name = self.title = name
        self.log = log
        self.running = 0

    def _services(self, port: int) -> Sequence[Service]:
        return ()

    async def start(self) -> float:
        self.running += 1
        return float(self.running)

    async def stop(self) -> None:
        self.running -= 1

    async def turn(self, conversation: Conversation, text: str) -> float:
        conversation.turns += 1
        self.log.append((self.name, text, conversation.turns))
        self.answers["said"] += 1
        return float(conversation.turns)


def numbers() -> Iterator[str]:
    return (str(number) for number in itertools.count())


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([7.0], 95, 7.0), ([1.0, 2.0, 3.0], 50, 2.0), ([float(n) for n in range(101)], 95, 95.0), ([3.0, 1.0], 50, 2.0)],
)
def test_a_percentile_lies_where_the_definition_puts_it(values: list[float], percent: int, expected: float) -> None:
    assert percentile(values, percent) == pytest.approx(expected)


def test_a_summary_is_in_milliseconds_and_keeps_the_least_disturbed_block_apart() -> None:
    quiet, middling, noisy = Block((0.010,) * 3, 0.03), Block((0.020,) * 3, 0.03), Block((0.090,) * 3, 0.03)

    summary = summarise([noisy, quiet, middling])

    assert summary.p50 == pytest.approx(20)
    assert summary.p95 == pytest.approx(90)
    assert (summary.best_block, summary.median_block) == (pytest.approx(10), pytest.approx(20))
    assert summary.cpu == pytest.approx(10)
    assert summary.turns == 9


async def test_subjects_alternate_and_each_begins_once_in_a_while() -> None:
    log: list[tuple[str, str, int]] = []
    plan = Plan(stages=(1,), blocks=3, turns=2, warm_up=1)

    await measure_turns([Counting(name, log) for name in "abc"], plan, numbers(), lambda line: None)

    order = [name for name, _ in itertools.groupby(log[3:], key=lambda entry: entry[0])]
    assert order == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]


async def test_every_subject_is_asked_the_same_and_none_the_same_twice() -> None:
    log: list[tuple[str, str, int]] = []
    plan = Plan(stages=(1, 10), blocks=2, turns=3, warm_up=2)

    await measure_turns([Counting("a", log), Counting("b", log)], plan, numbers(), lambda line: None)

    asked = {name: [text for who, text, _ in log if who == name] for name in "ab"}
    assert asked["a"] == asked["b"]
    assert len(set(asked["a"])) == len(asked["a"])


async def test_each_stage_is_measured_at_its_own_turns_of_one_conversation() -> None:
    plan = Plan(stages=(1, 100, 500), blocks=2, turns=5, warm_up=3)

    measured = await measure_turns([Counting("a", [])], plan, numbers(), lambda line: None)

    # The time of a turn is its number: 1 to 5 twice, in fresh conversations; 100 to 109; 500 to 509.
    middles = {stage: summary.p50 / 1000 for stage, summary in measured["a"].items()}
    assert middles == {1: pytest.approx(3), 100: pytest.approx(104.5), 500: pytest.approx(504.5)}


async def test_the_warm_up_is_not_counted() -> None:
    subject = Counting("a", [])

    measured = await measure_turns(
        [subject], Plan(stages=(1,), blocks=1, turns=4, warm_up=9), numbers(), lambda _: None
    )

    assert measured["a"][1].turns == 4
    assert subject.answers["said"] == 4


async def test_the_first_of_several_starts_does_not_count_and_the_last_stays_up() -> None:
    subjects = [Counting("a", []), Counting("b", [])]

    took = await start(subjects, 3, lambda line: None)

    assert {name: len(seconds) for name, seconds in took.items()} == {"a": 2, "b": 2}
    assert [subject.running for subject in subjects] == [1, 1]


async def test_a_single_start_counts() -> None:
    assert await start([Counting("a", [])], 1, lambda line: None) == {"a": [1.0]}


async def test_it_refuses_a_plan_that_needs_more_phrases_than_there_are() -> None:
    with pytest.raises(ValueError, match="not enough phrases"):
        await measure_turns([Counting("a", [])], Plan(warm_up=5), iter(["only one"]), lambda line: None)
