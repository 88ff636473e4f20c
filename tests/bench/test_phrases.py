"""The phrases that are typed while measuring."""

from __future__ import annotations

from bench.measure import Plan
from bench.phrases import phrases
from bot import safety


def test_no_phrase_comes_twice() -> None:
    every = list(phrases())

    assert len(set(every)) == len(every)


def test_there_are_enough_for_a_whole_run() -> None:
    plan = Plan()

    assert len(list(phrases())) >= plan.warm_up + max(plan.stages) + len(plan.stages) * plan.blocks * plan.turns


def test_two_runs_ask_the_same() -> None:
    assert list(phrases()) == list(phrases())


def test_none_is_an_emergency_which_would_never_reach_the_engine() -> None:
    assert [text for text in phrases() if safety.screen(text)] == []
