"""What the judge calls lost, doubled and out of order: a trial whose judge sees nothing proves nothing."""

from __future__ import annotations

import pytest

from chaos.judge import Verdict, Way


def way(said: str, shown: str, *, may_double: bool = False) -> Way:
    judged = Way("words", may_double)
    judged.compare("Ada", list(said), list(shown))
    return judged


@pytest.mark.parametrize(
    ("said", "shown", "lost", "doubled", "out_of_order"),
    [
        ("abc", "abc", 0, 0, 0),
        ("abc", "ab", 1, 0, 0),
        ("abc", "", 3, 0, 0),
        ("abc", "abbc", 0, 1, 0),
        ("abc", "acb", 0, 0, 1),
        ("abc", "bca", 0, 0, 1),
        ("abc", "abca", 0, 1, 0),
        ("aab", "aab", 0, 0, 0),  # the same words said twice are no double
        ("aab", "ab", 1, 0, 0),
        ("ab", "abx", 0, 1, 0),  # what nobody said
        ("", "", 0, 0, 0),
    ],
)
def test_it_counts(said: str, shown: str, lost: int, doubled: int, out_of_order: int) -> None:
    judged = way(said, shown)
    assert (judged.lost, judged.doubled, judged.out_of_order) == (lost, doubled, out_of_order)
    assert judged.said == len(said)
    assert judged.arrived == len(said) - lost
    assert judged.is_right == (not lost and not doubled and not out_of_order)
    assert bool(judged.examples) != judged.is_right


def test_only_where_telegram_cannot_be_asked_may_a_thing_come_twice() -> None:
    assert way("abc", "abbc", may_double=True).is_right
    assert not way("abc", "acb", may_double=True).is_right
    assert not way("abc", "aab", may_double=True).is_right


def test_a_verdict_is_right_when_every_way_is_and_nothing_else_is_wrong() -> None:
    verdict = Verdict([way("a", "a")])
    assert verdict.is_right
    verdict.note("hand-offs missing", ["WP-2ABC-3DEF"])
    assert not verdict.is_right
    assert verdict.told() == ["hand-offs missing: WP-2ABC-3DEF"]
    assert not Verdict([way("a", "a"), way("a", "")]).is_right
