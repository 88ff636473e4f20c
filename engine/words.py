"""A message as a bag of words and pairs of words: what a sentence vector blurs, a name or a "not", stands out here.

Words are cut to six letters, so that "operation", "operated" and most misspelt endings are the same term.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np
from scipy.sparse import csr_matrix

from engine.clauses import plain
from engine.encoder import Vectors
from engine.linear import LinearModel

LETTERS = 6
FEWEST = 2  # examples that a term must stand in to be one
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+|\?")


def terms(text: str) -> list[str]:
    """Words and pairs of neighbours, in lower case and cut; numbers by how many digits they have."""
    words = ["#" * len(word) if word.isdigit() else word[:LETTERS] for word in _WORD.findall(plain(text))]
    return [*words, *(f"{first} {second}" for first, second in pairwise(words))]


@dataclass(frozen=True)
class Vocabulary:
    """The terms that count, and how much each: the rarer, the more (tf-idf, sublinear, rows of length one)."""

    places: dict[str, int]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Vocabulary:
        """The terms of some examples."""
        found = Counter(term for text in texts for term in set(terms(text)))
        kept = sorted(term for term, examples in found.items() if examples >= FEWEST)
        weights = tuple(1 + log((1 + len(texts)) / (1 + found[term])) for term in kept)
        return cls({term: place for place, term in enumerate(kept)}, weights)

    def scores(self, texts: Iterable[str], model: LinearModel) -> Vectors:
        """What a linear model of these terms makes of texts: for a few of them quicker than by way of `vectors`."""
        rows = []
        for text in texts:
            weights = self._weighed(text)
            said = np.fromiter(weights.values(), np.float32, len(weights))
            rows.append(said @ model.weights[list(weights)] + model.bias)
        return np.stack(rows)

    def _weighed(self, text: str) -> dict[int, float]:
        """How much each term of a text counts, by its place."""
        counts = Counter(place for term in terms(text) if (place := self.places.get(term)) is not None)
        row = {place: (1 + log(count)) * self.weights[place] for place, count in counts.items()}
        length = sum(value * value for value in row.values()) ** 0.5
        return {place: value / length for place, value in row.items()}

    def vectors(self, texts: Iterable[str]) -> csr_matrix:
        """One sparse row a text."""
        values: list[float] = []
        columns: list[int] = []
        ends = [0]
        for text in texts:
            row = self._weighed(text)
            values += row.values()
            columns += row
            ends.append(len(columns))
        return csr_matrix((np.array(values, np.float32), columns, ends), shape=(len(ends) - 1, len(self.places)))
