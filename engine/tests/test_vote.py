"""What is clear at a first glance is read no further, and what may not be missed is always read to its end."""

from __future__ import annotations

import numpy as np
import pytest

from engine.clauses import pieces
from engine.encoder import Encoder, Reading, Vectors, encoder, whole
from engine.vote import Vote

EXAMPLES = {
    "service.cost": ("what does it cost", "how much money is it", "the price please", "is it expensive", "do I pay"),
    "faq.offend_doctor": ("will my doctor be offended", "is he angry if I ask", "I do not want to insult her doctor",
                          "is it rude to my surgeon", "my oncologist may feel hurt"),
    "safety.emergency": ("he cannot breathe", "she bleeds and it does not stop", "fever of 39 after the chemo",
                         "my chest hurts and I faint", "his legs are numb since an hour"),
}  # fmt: skip


@pytest.fixture(scope="module")
def vote() -> Vote:
    """A vote that has learned three subjects."""
    texts = [text for examples in EXAMPLES.values() for text in examples]
    return Vote.fit(texts, [label for label, examples in EXAMPLES.items() for _ in examples])


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were read to their end."""
    texts: list[str] = []
    read = Encoder.read

    def watched(self: Encoder, text: str) -> Reading:
        reading = read(self, text)
        read_on = reading._go_on

        def go_on(middle: Vectors) -> Vectors:
            texts.append(text)
            return read_on(middle)

        reading._go_on = go_on
        return reading

    monkeypatch.setattr(Encoder, "read", watched)
    return texts


def test_what_is_clear_at_a_first_glance_is_read_no_further(vote: Vote, ended: list[str]) -> None:
    of_text = vote.read("what is the price, how much money does it cost", []).whole
    assert vote.labels[int(of_text.argmax())] == "service.cost"
    assert ended == []


def test_what_is_not_clear_is_read_to_its_end(vote: Vote, ended: list[str]) -> None:
    vote.read("the garden is full of snow", [])
    assert ended == ["the garden is full of snow"]


def test_a_clear_question_with_a_danger_in_one_clause_is_read_to_its_end(vote: Vote, ended: list[str]) -> None:
    text = "how much money does it cost, what is the price, and she bleeds and it does not stop"
    of_text, of_parts, _ = vote.read(text, pieces(text))
    assert ended == [text]
    danger = vote.labels.index("safety.emergency")
    assert of_parts[:, danger].max() > of_text[danger]


def test_every_reading_is_a_row_of_probabilities(vote: Vote) -> None:
    text = "is it rude to ask, and what does it cost?"
    parts = pieces(text)
    of_text, of_parts, _ = vote.read(text, parts)
    assert of_parts.shape == (len(parts), len(EXAMPLES))
    assert np.vstack([of_text, of_parts]).sum(axis=1) == pytest.approx(1)


def test_a_part_of_a_text_is_read_in_its_context_and_all_of_it_with_its_ends() -> None:
    text = "my doctor, will he be offended"
    reading = encoder().read(text)
    of_all, of_part = reading.last([whole(text), (11, len(text))])
    alone = encoder().read("will he be offended")
    assert of_all @ of_all == pytest.approx(1)
    assert of_part @ alone.last([whole("will he be offended")])[0] < 0.999
    # As far as single precision reaches in a vector of length one.
    assert encoder().vectors([text])["last"][0] == pytest.approx(of_all, abs=1e-6)


def test_a_part_without_a_token_has_the_vector_of_the_text() -> None:
    reading = encoder().read("hello")
    nothing, everything = reading.middle([(50, 60), whole("hello")])
    assert nothing == pytest.approx(everything)


def test_what_was_saved_reads_as_before(vote: Vote, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("vote")
    vote.save(folder, "intents")
    again = Vote.load(folder, "intents")
    for text in ("what is the price", "he cannot breathe, is it expensive"):
        for before, after in zip(vote.read(text, pieces(text)), again.read(text, pieces(text)), strict=True):
            assert after == pytest.approx(before, abs=1e-5)
