"""Linear models that vote on a text: on our encoder's two vectors, on the multilingual one, and on the words.

Each errs in its own way, so together they err less (docs/decisions/0004-understanding.md). How much each counts is
fitted on examples that neither the models nor the encoder have learned from; so the probabilities mean what they say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from engine.clauses import Span
from engine.danger import DANGERS
from engine.encoder import Vectors, encoder, whole
from engine.features import marks, marks_within
from engine.linear import LinearModel, softmax
from engine.words import Vocabulary

Labels: TypeAlias = "npt.NDArray[np.str_]"
Views: TypeAlias = "dict[str, Vectors]"  # of sentence vectors, one row a text
Rows: TypeAlias = "dict[str, Vectors | csr_matrix]"  # by view, one row a text

STRENGTHS = {"words": 10.0, "middle": 10.0, "last": 5.0, "multilingual": 10.0}
# What is asked one after the other; each costs about as much as all before it.
STEPS = (("words", "middle"), ("words", "middle", "last"), tuple(STRENGTHS))
HELD_BACK = 10  # one example of so many
# From where on nothing more is asked (docs/decisions/0004-understanding.md): how likely one label must be, …
CLEAR, SURE = 0.7, 0.5
# … and how unlikely what may not be missed, in the whole message and in a part of it: by the begin of a label.
HINTS = {"signals.": (0.15, 0.15)} | dict.fromkeys(DANGERS, (0.05, 0.3))


class Read(NamedTuple):
    """The probability of each label, in their order: in a text, and a row of them for each of its parts.

    `rows` are what the end of our encoder made of the text and its parts; None when they were clear before it.
    """

    whole: Vectors
    parts: Vectors
    rows: Vectors | None


def held_back(text: str) -> bool:
    """Whether an example is kept from the encoder and the models, to calibrate on: one in ten, always the same."""
    return hashlib.sha256(text.encode()).digest()[0] * HELD_BACK < 256


@dataclass(frozen=True)
class Vote:
    """The probability of each label for a text.

    `shares` says how much each view counts, for each of STEPS.
    """

    members: dict[str, LinearModel]
    means: dict[str, Vectors]  # sentence vectors all lie on one side; only their direction from here counts
    vocabulary: Vocabulary
    shares: list[dict[str, float]]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the probabilities."""
        return self.members["words"].labels

    @classmethod
    def fit(cls, texts: Sequence[str], labels: Sequence[str], views: Views | None = None) -> Vote:
        """Learn from examples, whose vectors may be known already. Raises ValueError for fewer than two labels."""
        views = views or encoder().vectors(texts)
        known, back = np.array(labels), np.array([held_back(text) for text in texts])
        shares = [dict.fromkeys(step, 0.5) for step in STEPS]
        if back.any() and set(known[~back]) == set(labels):
            learned = cls._fit(_of(texts, ~back), known[~back], {view: rows[~back] for view, rows in views.items()}, [])
            rows = learned.rows(_of(texts, back), {view: rows[back] for view, rows in views.items()})
            scores = {view: learned.members[view].scores(rows[view]) for view in rows}
            right = np.searchsorted(learned.labels, known[back])
            shares = [_shares({view: scores[view] for view in step}, right) for step in STEPS]
        return cls._fit(texts, known, views, shares)

    @classmethod
    def _fit(cls, texts: Sequence[str], labels: Labels, views: Views, shares: list[dict[str, float]]) -> Vote:
        means = {view: vectors.mean(axis=0) for view, vectors in views.items()}
        new = cls({}, means, Vocabulary.of(texts), shares)
        rows = new.rows(texts, views)
        new.members.update({view: LinearModel.fit(rows[view], labels, STRENGTHS[view]) for view in STRENGTHS})
        return new

    def rows(self, texts: Sequence[str], views: Views) -> Rows:
        """What the members look at in whole texts, by view."""
        seen = marks(texts)
        rows: Rows = {view: self._row(view, vectors, seen) for view, vectors in views.items()}
        return rows | {"words": self.vocabulary.vectors(texts)}

    def last_rows(self, texts: Sequence[str], known: Vectors) -> Vectors:
        """What the end of our encoder makes of whole texts: as the first of `Read.rows`, one row a text.

        `known` holds the vectors of the first of them.
        """
        vectors = np.concatenate([known, encoder().last(texts[len(known) :])])
        return self._row("last", vectors, marks(texts))

    def read(self, text: str, parts: Sequence[Span]) -> Read:
        """What a text and its parts say.

        What is clear at a first glance is not looked at again: the second half of our encoder takes as long as the
        first, and the multilingual one, which reads whole texts only, as long as both.
        """
        reading, said = encoder().read(text), [text, *(part.text for part in parts)]
        places = [whole(text), *((part.start, part.end) for part in parts)]
        seen = marks_within(text, [part.text for part in parts])
        scores, rows = (
            {
                "words": self.vocabulary.scores(said, self.members["words"]),
                "middle": self._scores("middle", reading.middle(places), seen),
            },
            None,
        )
        likely = self._counted(scores, 0)
        if not self._is_clear(likely):
            rows = self._row("last", reading.last(places), seen)
            scores["last"] = self.members["last"].scores(rows)
            likely = self._counted(scores, 1)
            if likely[0].max() < SURE:
                of_whole = {view: of_view[:1] for view, of_view in scores.items()}
                of_whole["multilingual"] = self._scores("multilingual", encoder().multilingual([text]), seen[:1])
                likely[0] = self._counted(of_whole, 2)[0]
        return Read(likely[0], likely[1:], rows)

    def probabilities(self, texts: Sequence[str], views: Views) -> Vectors:
        """Of each label for whole texts whose vectors are known already, all views being asked."""
        rows = self.rows(texts, views)
        return self._counted({view: self.members[view].scores(rows[view]) for view in rows}, 2)

    def _is_clear(self, likely: Vectors) -> bool:
        in_whole, in_part = self._limits
        return bool(likely[0].max() >= CLEAR and (likely[0] < in_whole).all() and (likely[1:] < in_part).all())

    @cached_property
    def _limits(self) -> Vectors:
        """How likely each label may be at a first glance that is the last: in the whole message, and in a part."""
        limits = {label: most for label in self.labels for begin, most in HINTS.items() if label.startswith(begin)}
        return np.array([limits.get(label, (np.inf, np.inf)) for label in self.labels], np.float32).T

    def _scores(self, view: str, vectors: Vectors, seen: Vectors) -> Vectors:
        return self.members[view].scores(self._row(view, vectors, seen))

    def _row(self, view: str, vectors: Vectors, seen: Vectors) -> Vectors:
        directions: Vectors = vectors - self.means[view]
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        return directions if view == "multilingual" else np.hstack([directions, seen])

    def _counted(self, scores: dict[str, Vectors], step: int) -> Vectors:
        return softmax(np.sum([self.shares[step][view] * of_view for view, of_view in scores.items()], axis=0))

    def save(self, folder: Path, name: str) -> None:
        """Write it into a folder."""
        arrays = {f"mean.{view}": mean for view, mean in self.means.items()}
        for view, member in self.members.items():
            arrays |= {f"weights.{view}": member.weights, f"bias.{view}": member.bias}
        np.savez(folder / f"{name}.npz", **arrays)
        described = {
            "labels": self.labels,
            "shares": self.shares,
            "terms": list(self.vocabulary.places),
            "weights": self.vocabulary.weights,
        }
        (folder / f"{name}.json").write_text(json.dumps(described), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, name: str) -> Vote:
        """Read what `save` wrote. Raises OSError or ValueError when it is not there or not whole."""
        described = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
            labels = tuple(described["labels"])
            members = {
                view: LinearModel(labels, arrays[f"weights.{view}"], arrays[f"bias.{view}"]) for view in STRENGTHS
            }
            means = {view: arrays[f"mean.{view}"] for view in STRENGTHS if view != "words"}
        places = {term: place for place, term in enumerate(described["terms"])}
        vocabulary = Vocabulary(places, tuple(described["weights"]))
        return cls(members, means, vocabulary, described["shares"])


def _shares(scores: dict[str, Vectors], right: npt.NDArray[np.int64]) -> dict[str, float]:
    """The shares under which the right labels were likeliest. Their size makes the probabilities honest, too."""
    each = np.arange(len(right))
    exact = [of_view.astype(np.float64) for of_view in scores.values()]  # the search takes very small steps

    def surprise(shares: npt.NDArray[np.float64]) -> float:
        counted = softmax(np.sum([share * of_view for share, of_view in zip(shares, exact, strict=True)], axis=0))
        return float(-np.log(counted[each, right] + 1e-9).mean())

    found = minimize(surprise, [0.5] * len(scores), bounds=[(0.01, 3.0)] * len(scores), method="L-BFGS-B")
    return {view: round(float(share), 4) for view, share in zip(scores, found.x, strict=True)}


def _of(texts: Sequence[str], kept: npt.NDArray[np.bool_]) -> list[str]:
    return [text for text, keep in zip(texts, kept, strict=True) if keep]
