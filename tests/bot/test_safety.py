"""The safety net without the engine: patterns, what excuses them, and the classifier for what is worded mildly."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import safety
from bot.tripwire import Tripwire, TripwireMissing, terms


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("HE CANT BREATHE", "emergency.now"),
        ("thanks for the list. btw she has chest pain since lunch, which report do you need?", "emergency.now"),
        ("my son had a seizure an hour ago", "emergency.now"),
        ("fever 38.2 after chemo", "emergency.team"),
        ("he can\u2019t pee since yesterday", "emergency.team"),
        ("c\u200bhest pain", "emergency.now"),
        ("I want to end my life tonight, I am going to take my own life", "self_harm.now"),
        ("I wish I was dead", "self_harm.wish"),
        ("my father keeps talking about suicide", "self_harm.third_party"),
    ],
)
def test_a_red_flag_is_found_however_it_is_typed(text: str, tier: str) -> None:
    assert safety.screen(text) == tier


@pytest.mark.parametrize(
    "text",
    [
        "no fever, no chest pain, all good",
        "he had a seizure two years ago, that is how they found it",
        "what should we do if she gets a fever?",
        "I am dying to know what the report says",
        "is it normal to ask for a second opinion",
        "the chest CT is on a CD",
        "",
    ],
)
def test_what_is_denied_past_imagined_or_an_idiom_raises_no_alarm(text: str) -> None:
    assert safety.screen(text) is None


def test_when_nobody_looks_after_it_less_is_enough() -> None:
    mild = "her leg got thick and sore over the weekend"
    assert safety.screen(mild) is None
    assert safety.screen(mild, wary=True) == "emergency.team"


def test_danger_in_one_sentence_of_a_long_story_counts_as_if_it_stood_alone() -> None:
    beside = dict.fromkeys(["we", "have", "the", "ct", "and", "blood", "tests"], (0.0, 0.0))
    tripwire = Tripwire({"shiver": (6.0, 0.0), **beside}, (-3.0, -3.0))
    assert tripwire.likely("we have the ct and the blood tests he shivers")["emergency"] < 0.5
    story = "we have the ct and the blood tests. he shivers."
    assert tripwire.likely(story)["emergency"] == tripwire.likely("he shivers")["emergency"] > 0.5


def test_what_was_learned_tells_danger_from_none() -> None:
    examples = [("he burns with fever", "emergency"), ("she burns up", "emergency"), ("the cake burns", None)] * 3
    learned = Tripwire.learn([*examples, *[("the cake is ready", None), ("he bakes", None)] * 3])  # type: ignore[list-item]
    assert learned.likely("he burns with fever")["emergency"] > 0.5 > learned.likely("the cake is ready")["emergency"]


def test_the_same_examples_give_the_same_tripwire() -> None:
    examples = [("he burns with fever", "emergency"), ("i want to be gone", "self_harm"), ("hello there", None)] * 2
    assert Tripwire.learn(examples) == Tripwire.learn(examples)  # type: ignore[arg-type]


def test_numbers_count_only_by_how_they_are_written() -> None:
    assert terms("fever 38,4") == terms("fever 39,1") == {"fever", "##,#", "fever ##,#"}


def test_without_what_was_learned_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TripwireMissing, match="make train"):
        Tripwire.read(tmp_path / "tripwire.json")
