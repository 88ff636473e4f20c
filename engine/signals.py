"""Finding every signal of the guide that a message mentions, each with the clause that says it.

A person tells many things at once: "they want to take out the whole stomach, nobody explains why and we have to decide
by Friday". So each sentence, each clause and each pair of neighbouring clauses is read by the classifier on its own.
What is wrongly filled in is worse than what is asked again, so only a sure reading counts.
"""

# ruff: noqa: E501 (vocabularies are easier to read and to add to in long lines)

from __future__ import annotations

import re
from typing import NamedTuple

from engine.clauses import Span, clauses, plain, sentences
from engine.cues import DENIED_OF, SAID_OF, TAKEN_BACK, WITH_OWN_NOT
from engine.encoder import Vectors

# How sure a reading must be: alone, with a word that speaks for it (engine/cues.py), and more of what is asked rather
# than told. Measured: docs/decisions/0004-understanding.md.
SURE = 0.60
SURE_WITH_CUE = 0.10
SURER_IN_QUESTION = 0.20


class Signal(NamedTuple):
    """One signal: said to be there ("yes") or not to be ("no"), by the words at start..end."""

    value: str
    polarity: str
    start: int
    end: int
    confidence: float


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


def find_signals(text: str, parts: list[Span], labels: tuple[str, ...], probabilities: Vectors) -> list[Signal]:
    """The signals that the text mentions, each once, in the order of the text.

    `probabilities` has a row for each of its parts (engine/clauses.py, pieces) and a column for each of `labels`, the
    intents.
    """
    absent = _absent(text)
    meanings = {column: _meaning(label) for column, label in enumerate(labels) if _meaning(label)[0]}
    best: dict[str, Signal] = {}
    for piece, row in zip(parts, probabilities, strict=True):
        low = plain(piece.text)
        if _SUPPOSED.search(low) or _OTHERS.search(low):
            continue
        more = SURER_IN_QUESTION if _QUESTION.search(low) else 0.0
        for column, (value, polarity) in meanings.items():
            if row[column] < max(SURE_WITH_CUE + more, row.max() / 2):
                continue
            cue = SAID_OF.get(value) if polarity == "yes" else None
            if row[column] < SURE + more and not (cue and cue.search(low)):
                continue
            if any(one.value == value and one.start < piece.end and piece.start < one.end for one in absent):
                continue
            known = best.get(value)
            if known is None or _better(row[column], piece, known):
                best[value] = Signal(value, polarity, piece.start, piece.end, round(float(row[column]), 3))
    found = list(best.values()) + [one for one in absent if one.value not in best]
    return sorted(found, key=lambda signal: (signal.start, signal.end))


def _meaning(intent: str) -> tuple[str, str]:
    if intent in _OF_INTENT:
        return _OF_INTENT[intent]
    if intent.startswith(("signals.situations.", "signals.dismissal.")):
        return intent.rsplit(".", 1)[1], "yes"
    return "", ""


def _better(confidence: float, piece: Span, known: Signal) -> bool:
    """The surest reading, but the shorter words when it is about as sure: they are what was said."""
    inside = known.start <= piece.start and piece.end <= known.end
    return confidence > known.confidence + (-0.05 if inside else 0.05)


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
