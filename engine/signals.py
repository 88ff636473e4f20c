"""Finding every signal of the guide that a message mentions, each with the clause that says it.

A person tells many things at once: "they want to take out the whole stomach, nobody explains why and we have to decide
by Friday". So each sentence, each clause and each pair of neighbouring clauses is read by the classifier on its own.
How sure that reading is, is one hint of several; how much each hint counts is learned from messages that tell several
things or none (data/signals.yml). What is wrongly filled in is worse than what is asked again.
"""

# ruff: noqa: E501 (vocabularies are easier to read and to add to in long lines)

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import exp, log
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

from engine.clauses import Span, clauses, plain, sentences
from engine.cues import DENIED_OF, TAKEN_BACK, WITH_OWN_NOT
from engine.encoder import Vectors
from engine.examples import SIGNALS
from engine.vote import Read

SURE = 0.70  # the probability from which a signal counts as told: docs/decisions/0004-understanding.md
STRENGTH = 0.3  # C of the logistic regression that weighs the hints
NEARLY_AS_SURE = 0.05  # of two pieces that say it, the shorter
NO_HINT, NOT_TOLD = 0.01, -6.0  # a reading and scores below these make no candidate


class Signal(NamedTuple):
    """One signal: said to be there ("yes") or not to be ("no"), by the words at start..end."""

    value: str
    polarity: str
    start: int
    end: int
    confidence: float


@dataclass(frozen=True)
class Weights:
    """How much each hint counts, and how often each signal is told when a message tells several."""

    hints: tuple[float, ...]
    bias: float
    signals: dict[str, float]

    def probability(self, signal: str, hints: Sequence[float]) -> float:
        """How likely the message tells the signal."""
        of_hints = sum(weight * hint for weight, hint in zip(self.hints, hints, strict=True))
        return 1 / (1 + exp(-(of_hints + self.bias + self.signals.get(signal, 0.0))))

    @classmethod
    def fit(cls, seen: Sequence[tuple[str, Sequence[float], bool]]) -> Weights:
        """Learn from (signal, its hints in a message, whether the message tells it)."""
        names = sorted({signal for signal, _, _ in seen})
        rows = np.array([[*hints, *(signal == name for name in names)] for signal, hints, _ in seen], np.float64)
        spread = rows.std(axis=0) + 1e-9
        regression = LogisticRegression(C=STRENGTH, max_iter=2000)
        regression.fit(rows / spread, [told for _, _, told in seen])
        weights = [round(float(weight), 4) for weight in regression.coef_[0] / spread]
        of_hints, of_signals = weights[: -len(names)], weights[-len(names) :]
        bias = round(float(regression.intercept_[0]), 4)
        return cls(tuple(of_hints), bias, dict(zip(names, of_signals, strict=True)))


# The self-question is a signal when the answer is no.
SELF = "understand_enough"
_OF_INTENT = {"signals.self.no": (SELF, "yes"), "signals.self.yes": (SELF, "no")}

_QUESTION = re.compile(
    r"^(?:what if|if|is it|is that|is this|do|does|did|should|can|could|would|will|how|when|where|which|who|what|are|am i)\b|\?\s*$"
)
_SUPPOSED = re.compile(
    r"\b(?:what if|in case|suppose|imagine|let'?s say|if (?:i|we|he|she|they|it|my|the|two|doctors?|ever|there)|would it|hypothetic\w*|in general|generally)\b"
)
_OTHERS = re.compile(
    r"\b(?:my|a|our) (?:neighbou?r|colleague|co-?worker|boss|teacher|hairdresser)(?:'s)?\b|\b(?:i|we) (?:read|heard|saw) (?:about|that|of|on)\b|\bsome(?:one|body) (?:i know|else|in)\b|\bpeople (?:say|who)\b"
)


class Candidate(NamedTuple):
    """A signal that a message may tell, the piece that says it best, and the hints that it does."""

    value: str
    polarity: str
    piece: Span
    hints: tuple[float, ...]


def find_signals(
    text: str, parts: Sequence[Span], labels: Sequence[str], read: Read, told: Vectors | None, weights: Weights
) -> list[Signal]:
    """The signals that the text tells or denies, each once, in the order of the text.

    `read` is what the vote made of the text and its parts (engine/clauses.py, pieces), with the intents `labels`;
    `told` has a row of scores of SIGNALS for the text and one for each part, or is None when nothing hinted at one.
    """
    absent = _absent(text)
    found: dict[str, Signal] = {}
    for candidate in candidates(text, parts, labels, read, told):
        probability = weights.probability(candidate.value, candidate.hints)
        value, polarity, piece, _ = candidate
        if probability < SURE or any(one.value == value and _overlap(one, piece) for one in absent):
            continue
        known = found.get(value)
        if known is None or probability > known.confidence:
            found[value] = Signal(value, polarity, piece.start, piece.end, round(probability, 3))
    signals = [*found.values(), *(one for one in absent if one.value not in found)]
    return sorted(signals, key=lambda signal: (signal.start, signal.end))


def candidates(
    text: str, parts: Sequence[Span], labels: Sequence[str], read: Read, told: Vectors | None
) -> Iterator[Candidate]:
    """Every signal that some piece of the text may tell, with its hints."""
    low = [plain(part.text) for part in parts]
    meant = [place for place, words in enumerate(low) if not (_SUPPOSED.search(words) or _OTHERS.search(words))]
    if not meant:
        return
    words = log(1 + len(text.split()))
    absent = {one.value for one in _absent(text)}
    surest = read.parts[meant].max(axis=0)
    for column, label in enumerate(labels):
        value, polarity = _meaning(label)
        if not value:
            continue
        if value in SIGNALS:
            in_whole, in_parts = _told(told, value, meant)
        else:  # the self-question, which has no scores: the reading stands for them
            in_whole, in_parts = _logit(float(read.whole[column])), _logit(float(surest[column]))
        if surest[column] < NO_HINT and max(in_whole, in_parts) <= NOT_TOLD:
            continue
        best = _shortest([parts[place] for place in meant], read.parts[meant, column])
        reading = float(read.parts[meant[best], column])
        sure, question = _logit(reading), bool(_QUESTION.search(low[meant[best]]))
        hints = (
            sure,
            _logit(float(read.whole[column])),
            reading / float(read.parts[meant[best]].max()),
            question,
            question * sure,
            value in absent,
            words,
            in_whole,
            in_parts,
        )
        yield Candidate(value, polarity, parts[meant[best]], hints)


def _told(told: Vectors | None, value: str, meant: Sequence[int]) -> tuple[float, float]:
    """How surely the message as a whole and one of its parts tell a signal, as scores."""
    if told is None:
        return NOT_TOLD, NOT_TOLD
    scores = told[:, SIGNALS.index(value)]
    bounded = np.clip([scores[0], scores[1:][meant].max()], NOT_TOLD, -NOT_TOLD)
    return float(bounded[0]), float(bounded[1])


def _shortest(pieces: Sequence[Span], readings: Vectors) -> int:
    """The piece that says it: of those read about as surely as the surest, the shortest."""
    sure = [place for place, reading in enumerate(readings) if reading >= readings.max() - NEARLY_AS_SURE]
    return min(sure, key=lambda place: len(pieces[place].text))


def _overlap(one: Signal, piece: Span) -> bool:
    return one.start < piece.end and piece.start < one.end


def _logit(probability: float) -> float:
    bounded = min(max(probability, 0.001), 0.999)
    return log(bounded / (1 - bounded))


@cache
def _meaning(intent: str) -> tuple[str, str]:
    if intent in _OF_INTENT:
        return _OF_INTENT[intent]
    if intent.startswith(("signals.situations.", "signals.dismissal.")):
        return intent.rsplit(".", 1)[1], "yes"
    return "", ""


@lru_cache(1)
def _absent(text: str) -> list[Signal]:
    found = []
    for sentence in sentences(text):
        if _QUESTION.search(plain(sentence.text)) or _SUPPOSED.search(plain(sentence.text)):
            continue
        for clause in clauses(sentence):
            low = plain(clause.text)
            for name, pattern in DENIED_OF.items():
                match = pattern.search(low)
                if match and (name in WITH_OWN_NOT or not TAKEN_BACK.search(low[: match.start()])):
                    found.append(Signal(name, "no", clause.start, clause.end, 0.9))
    seen: set[str] = set()
    return [one for one in found if not (one.value in seen or seen.add(one.value))]  # type: ignore[func-returns-value]
