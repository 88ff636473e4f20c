"""Which signals a message tells, however many: one logistic regression a signal, on the end of our encoder.

The vote (engine/vote.py) says what a text mainly is, so of two signals in one clause it sees one or none. This looks
for each by itself, and has learned it from messages that tell several: those of data/signals.yml, and examples put
together.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from engine.encoder import Vectors
from engine.examples import SIGNALS, Telling, telling, tellings
from engine.vote import Vote

STRENGTH = 1.0  # C: docs/decisions/0004-understanding.md
JOINED = 4000  # pairs of examples
JOINTS = (". ", ", ", " and ", "\n", " - ", " also ", " but ")


class Told:
    """How likely a text tells each of SIGNALS. `weights` have a column for each, `bias` a number."""

    def __init__(self, weights: Vectors, bias: Vectors) -> None:
        self.weights, self.bias = weights, bias

    @classmethod
    def fit(cls, vote: Vote, texts: Sequence[str], labels: Sequence[str], last: Vectors) -> Told:
        """Learn from the examples that the vote has learned from, and from messages that tell several signals.

        `last` are the examples' vectors, from the end of our encoder.
        """
        single = [telling(*example) for example in zip(texts, labels, strict=True)]
        seen = [*single, *_joined(single), *(message for message in tellings() if not message.weighed)]
        rows = vote.last_rows([message.text for message in seen], last)
        weights, bias = np.zeros((rows.shape[1], len(SIGNALS)), np.float32), np.zeros(len(SIGNALS), np.float32)
        for column, signal in enumerate(SIGNALS):
            sure = np.array([signal not in message.unsure for message in seen])
            there = np.array([signal in message.tells for message in seen])[sure]
            regression = LogisticRegression(C=STRENGTH, max_iter=200, tol=1e-3).fit(rows[sure], there)
            weights[:, column], bias[column] = regression.coef_[0], regression.intercept_[0]
        return cls(weights, bias)

    def scores(self, rows: Vectors | None) -> Vectors | None:
        """For each of SIGNALS a score, above 0 when it is rather told; one row a row of `Read.rows`, None for None."""
        return None if rows is None else rows @ self.weights + self.bias

    def save(self, folder: Path) -> None:
        """Write it into a folder."""
        np.savez(folder / "told.npz", weights=self.weights, bias=self.bias)

    @classmethod
    def load(cls, folder: Path) -> Told:
        """Read what `save` wrote. Raises OSError or ValueError when it is not there or not whole."""
        with np.load(folder / "told.npz", allow_pickle=False) as arrays:
            return cls(arrays["weights"], arrays["bias"])


def _joined(single: Sequence[Telling]) -> list[Telling]:
    """Pairs of examples of which the first tells a signal, as one message; the same ones every time."""
    order = random.Random(0)  # noqa: S311  # nothing secret is drawn
    signals = [message for message in single if message.tells]
    firsts, seconds = order.choices(signals, k=JOINED), order.choices(signals, k=JOINED // 2)
    seconds += order.choices(single, k=JOINED - len(seconds))
    made = []
    for one, other in zip(firsts, seconds, strict=True):
        first, second = order.sample((one, other), 2)
        tells = one.tells | other.tells
        text = first.text + order.choice(JOINTS) + second.text
        made.append(Telling(text, tells, (one.unsure | other.unsure) - tells))
    return made
