"""What the classifier learns from: the sentence vector, and a few marks that such a vector blurs."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from engine import encoder as encoding
from engine.clauses import plain
from engine.cues import DENIED_OF, SAID_OF
from engine.encoder import Vectors

# How much a mark weighs beside a vector of length one; docs/decisions/0003-classifier.md.
CUE, FORM = 0.5, 0.3

_ASKS = re.compile(r"(?:what|how|where|when|who|which|why|is|are|do|does|did|can|could|should|would|will|may)\b")
_NEGATES = re.compile(r"\b(?:no|not|never|nobody|nothing|none|without|cannot)\b|n'?t\b")


def features(texts: Sequence[str]) -> Vectors:
    """One row a text: `encoder.DIMENSIONS` numbers of its vector, then its marks."""
    marks = np.array([_marks(plain(text)) for text in texts], np.float32).reshape(len(texts), -1)
    return np.hstack([encoding.encoder().encode(texts), marks])


def _marks(text: str) -> list[float]:
    words = len(text.split())
    form = ("?" in text, bool(_ASKS.match(text)), bool(_NEGATES.search(text)), words < 4, words > 20)
    cues = [*SAID_OF.values(), *DENIED_OF.values()]
    return [CUE * bool(cue.search(text)) for cue in cues] + [FORM * mark for mark in form]
