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

    def vectors(self, texts: Iterable[str]) -> csr_matrix:
        """One sparse row a text."""
        values: list[float] = []
        columns: list[int] = []
        ends = [0]
        for text in texts:
            counts = Counter(place for term in terms(text) if (place := self.places.get(term)) is not None)
            row = [(1 + log(count)) * self.weights[place] for place, count in counts.items()]
            length = sum(value * value for value in row) ** 0.5
            values += [value / length for value in row]
            columns += counts
            ends.append(len(columns))
        return csr_matrix((np.array(values, np.float32), columns, ends), shape=(len(ends) - 1, len(self.places)))
