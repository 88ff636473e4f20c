"""Linear models that vote on a text: on our encoder's two vectors, on the multilingual one, and on the words.

Each errs in its own way, so together they err less (docs/decisions/0004-understanding.md). How much each counts is
fitted on examples that neither the models nor the encoder have learned from; so the probabilities mean what they say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from engine.encoder import LAYER, Vectors, encoder
from engine.features import marks, marks_of_parts
from engine.linear import LinearModel, softmax
from engine.words import Vocabulary

Labels: TypeAlias = "npt.NDArray[np.str_]"
Rows: TypeAlias = "dict[str, Vectors | csr_matrix]"  # by view, one row a text

STRENGTHS = {"own": 5.0, "middle": 10.0, "multilingual": 10.0, "words": 10.0}
HELD_BACK = 10  # one example of so many
SURE = 0.5  # from here on the multilingual view changes no figure (docs/decisions/0004-understanding.md)


def held_back(text: str) -> bool:
    """Whether an example is kept from the encoder and the models, to calibrate on: one in ten, always the same."""
    return hashlib.sha256(text.encode()).digest()[0] * HELD_BACK < 256


@dataclass(frozen=True)
class Vote:
    """The probability of each label for a text.

    `shares` says how much a view counts; `shares_of_part` the same for a part of a text, which has no multilingual
    vector of its own.
    """

    members: dict[str, LinearModel]
    means: dict[str, Vectors]  # sentence vectors all lie on one side; only their direction from here counts
    vocabulary: Vocabulary
    shares: dict[str, float]
    shares_of_part: dict[str, float]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the probabilities."""
        return self.members["own"].labels

    @classmethod
    def fit(cls, texts: Sequence[str], labels: Sequence[str]) -> Vote:
        """Learn from examples. Raises ValueError for fewer than two labels."""
        return cls.fit_vectors(texts, labels, encoder().own(texts), encoder().multilingual(texts))

    @classmethod
    def fit_vectors(cls, texts: Sequence[str], labels: Sequence[str], own: Vectors, multilingual: Vectors) -> Vote:
        """Learn from examples whose vectors are known already."""
        known, back = np.array(labels), np.array([held_back(text) for text in texts])
        shares = dict.fromkeys(STRENGTHS, 0.5)
        of_part = {view: share for view, share in shares.items() if view != "multilingual"}
        if back.any() and set(known[~back]) == set(labels):
            learned = cls._fit(_of(texts, ~back), known[~back], own[~back], multilingual[~back], shares, of_part)
            rows = learned.rows(_of(texts, back), own[back], multilingual[back])
            scores = {view: learned.members[view].scores(rows[view]) for view in rows}
            right = np.searchsorted(learned.labels, known[back])
            shares = _shares(scores, right)
            of_part = _shares({view: scores[view] for view in of_part}, right)
        return cls._fit(texts, known, own, multilingual, shares, of_part)

    @classmethod
    def _fit(
        cls,
        texts: Sequence[str],
        labels: Labels,
        own: Vectors,
        multilingual: Vectors,
        shares: dict[str, float],
        of_part: dict[str, float],
    ) -> Vote:
        last, middle = _layers(own)
        means = {"own": last.mean(axis=0), "middle": middle.mean(axis=0), "multilingual": multilingual.mean(axis=0)}
        new = cls({}, means, Vocabulary.of(texts), shares, of_part)
        rows = new.rows(texts, own, multilingual)
        new.members.update({view: LinearModel.fit(rows[view], labels, STRENGTHS[view]) for view in rows})
        return new

    def rows(self, texts: Sequence[str], own: Vectors, multilingual: Vectors) -> Rows:
        """What the members look at in whole texts, by view."""
        multilingual = _centred(multilingual, self.means["multilingual"])
        return self._rows_of_own(texts, own, marks(texts)) | {"multilingual": multilingual}

    def probabilities(self, text: str) -> Vectors:
        """Of each label for a whole text, in the order of `labels`.

        The multilingual encoder takes as long as our own, so it is asked only when the others are not sure.
        """
        own = encoder().own([text])
        likely: Vectors = self.probabilities_of_parts(text, [text], own)[0]
        if likely.max() < SURE:
            likely = self.probabilities_of([text], own, encoder().multilingual([text]))[0]
        return likely

    def probabilities_of(self, texts: Sequence[str], own: Vectors, multilingual: Vectors) -> Vectors:
        """The same, for texts whose vectors are known already."""
        return self._counted(self.rows(texts, own, multilingual), self.shares)

    def probabilities_of_parts(self, text: str, parts: Sequence[str], own: Vectors) -> Vectors:
        """Of each label for parts of a text, given the vectors that our encoder has of them."""
        return self._counted(self._rows_of_own(parts, own, marks_of_parts(text, parts)), self.shares_of_part)

    def _rows_of_own(self, texts: Sequence[str], own: Vectors, marks: Vectors) -> Rows:
        layers = zip(("own", "middle"), _layers(own), strict=True)
        rows: Rows = {view: np.hstack([_centred(layer, self.means[view]), marks]) for view, layer in layers}
        return rows | {"words": self.vocabulary.vectors(texts)}

    def _counted(self, rows: Rows, shares: dict[str, float]) -> Vectors:
        scores = [shares[view] * self.members[view].scores(rows[view]) for view in rows]
        return softmax(np.sum(scores, axis=0))

    def save(self, folder: Path, name: str) -> None:
        """Write it into a folder."""
        arrays = {f"mean.{view}": mean for view, mean in self.means.items()}
        for view, member in self.members.items():
            arrays |= {f"weights.{view}": member.weights, f"bias.{view}": member.bias}
        np.savez(folder / f"{name}.npz", **arrays)
        described = {
            "labels": self.labels,
            "shares": self.shares,
            "shares_of_part": self.shares_of_part,
            "terms": list(self.vocabulary.places),
            "weights": self.vocabulary.weights,
        }
        (folder / f"{name}.json").write_text(json.dumps(described), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path, name: str) -> Vote:
        """Read what `save` wrote. Raises OSError or ValueError when it is not there or not whole."""
        described = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
            members = {
                view: LinearModel(tuple(described["labels"]), arrays[f"weights.{view}"], arrays[f"bias.{view}"])
                for view in described["shares"]
            }
            means = {view: arrays[f"mean.{view}"] for view in described["shares"] if view != "words"}
        places = {term: place for place, term in enumerate(described["terms"])}
        vocabulary = Vocabulary(places, tuple(described["weights"]))
        return cls(members, means, vocabulary, described["shares"], described["shares_of_part"])


def _shares(scores: dict[str, Vectors], right: npt.NDArray[np.int64]) -> dict[str, float]:
    """The shares under which the right labels were likeliest. Their size makes the probabilities honest, too."""
    each = np.arange(len(right))
    exact = [of_view.astype(np.float64) for of_view in scores.values()]  # the search takes very small steps

    def surprise(shares: npt.NDArray[np.float64]) -> float:
        counted = softmax(np.sum([share * of_view for share, of_view in zip(shares, exact, strict=True)], axis=0))
        return float(-np.log(counted[each, right] + 1e-9).mean())

    found = minimize(surprise, [0.5] * len(scores), bounds=[(0.01, 3.0)] * len(scores), method="L-BFGS-B")
    return {view: round(float(share), 4) for view, share in zip(scores, found.x, strict=True)}


def _layers(own: Vectors) -> tuple[Vectors, Vectors]:
    return own[:, :LAYER], own[:, LAYER:]


def _centred(vectors: Vectors, mean: Vectors) -> Vectors:
    directions: Vectors = vectors - mean
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions


def _of(texts: Sequence[str], kept: npt.NDArray[np.bool_]) -> list[str]:
    return [text for text, keep in zip(texts, kept, strict=True) if keep]
