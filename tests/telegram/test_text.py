"""Cutting, rows of buttons, and words that call nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.telegram_text import buttons_in_rows, parts, quiet, units


@given(st.text(alphabet=st.sampled_from("ab 🙂\n"), max_size=400), st.integers(min_value=4, max_value=60))
def test_parts_are_short_enough_and_lose_nothing_but_space(text: str, limit: int) -> None:
    pieces = parts(text, limit)
    assert all(units(piece) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_a_text_is_cut_between_paragraphs_before_lines_and_lines_before_words() -> None:
    assert parts("one two\nthree\n\nfour", 16) == ["one two\nthree", "four"]
    assert parts("one two\nthree four", 14) == ["one two", "three four"]
    assert parts("one two three", 9) == ["one two", "three"]


def test_a_word_that_is_too_long_is_cut_between_characters() -> None:
    assert parts("🙂" * 5, 4) == ["🙂🙂", "🙂🙂", "🙂"]


def test_no_paragraph_break_makes_a_tiny_part() -> None:
    assert parts("a\n\n" + "b" * 30, 20)[0] != "a"


@pytest.mark.parametrize(
    ("labels", "rows"),
    [
        ([], []),
        (["Yes"], [["Yes"]]),
        (["Yes", "No", "Not sure"], [["Yes", "No", "Not sure"]]),
        (["a", "b", "c", "d"], [["a", "b", "c"], ["d"]]),
        (["I have it", "I asked for it", "Lost"], [["I have it", "I asked for it"], ["Lost"]]),
        (["I would rather not say", "No"], [["I would rather not say"], ["No"]]),
    ],
)
def test_a_row_holds_as_many_buttons_as_a_small_phone_shows_uncut(labels: list[str], rows: list[list[str]]) -> None:
    keyboard = buttons_in_rows([(label, "c:x") for label in labels])
    assert [[button.text for button in row] for row in (keyboard.inline_keyboard if keyboard else [])] == rows


@pytest.mark.parametrize("text", ["write to a@b.example", "20/30 or https://x.example/y", "and/or", "a @ b / c"])
def test_what_calls_nobody_is_left_alone(text: str) -> None:
    assert quiet(text) == text


@pytest.mark.parametrize("text", ["@mei_desk", "(@mei_desk)", "/close", "see /close@bot"])
def test_names_and_commands_in_words_are_taken_their_effect_not_their_look(text: str) -> None:
    assert quiet(text) != text
    assert quiet(text).replace("\u2060", "") == text
