"""Marks of a text that a sentence vector blurs: a word that speaks for a signal, a question, a "not", the length."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from engine.clauses import plain
from engine.cues import DENIED_OF, SAID_OF
from engine.encoder import Vectors

# How much a mark weighs beside a vector of length one; docs/decisions/0003-classifier.md.
CUE, FORM = 0.35, 0.2

_CUES: tuple[re.Pattern[str] | None, ...] = (*SAID_OF.values(), *DENIED_OF.values())
_ASKS = re.compile(r"(?:what|how|where|when|who|which|why|is|are|do|does|did|can|could|should|would|will|may)\b")
_NEGATES = re.compile(r"\b(?:no|not|never|nobody|nothing|none|without|cannot)\b|n'?t\b")


def marks(texts: Sequence[str]) -> Vectors:
    """One row a text."""
    return np.array([_marks(text, _CUES) for text in texts], np.float32)


def marks_within(text: str, parts: Sequence[str]) -> Vectors:
    """One row for a text, and one for each of its parts. A word that the text has not cannot speak in a part of it."""
    of_text = _marks(text, _CUES)
    heard = tuple(cue if said else None for cue, said in zip(_CUES, of_text, strict=False))
    return np.array([of_text, *(_marks(part, heard) for part in parts)], np.float32)


def _marks(text: str, cues: tuple[re.Pattern[str] | None, ...]) -> list[float]:
    text = plain(text)
    words = len(text.split())
    form = ("?" in text, bool(_ASKS.match(text)), bool(_NEGATES.search(text)), words < 4, words > 20)
    return [CUE * bool(cue and cue.search(text)) for cue in cues] + [FORM * mark for mark in form]
