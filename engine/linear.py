"""Multinomial logistic regression on sentence vectors: fitted by scikit-learn, applied by numpy, kept as arrays."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from engine.encoder import DIMENSIONS, Vectors

C = 5.0  # docs/decisions/0003-classifier.md
FOLDS = 5


@dataclass(frozen=True)
class LinearModel:
    """One linear score a label, from the features of a text (engine/features.py).

    `temperature` makes the probabilities honest: of those at 0.7, 7 in 10 are right.
    """

    labels: tuple[str, ...]
    mean: Vectors
    weights: Vectors
    bias: Vectors
    temperature: float = 1.0

    @classmethod
    def fit(cls, vectors: Vectors, labels: Sequence[str]) -> LinearModel:
        """Learn from one vector and one label an example. Raises ValueError for fewer than two labels."""
        if len(set(labels)) < 2:
            raise ValueError("At least two intents with examples are needed to learn from.")
        mean = vectors[:, :DIMENSIONS].mean(axis=0)
        regression = LogisticRegression(C=C, max_iter=300, tol=1e-3)
        regression.fit(_centred(vectors, mean), labels)
        weights, bias = regression.coef_, regression.intercept_
        if len(regression.classes_) == 2:  # scikit-learn keeps one row for two labels
            weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
        return cls(tuple(regression.classes_), mean, weights.astype(np.float32), bias.astype(np.float32))

    def scores(self, vectors: Vectors) -> Vectors:
        """A score for each label, higher is likelier; one row a vector."""
        return _centred(vectors, self.mean) @ self.weights.T + self.bias

    def probabilities(self, vectors: Vectors) -> Vectors:
        """The probability of each label, in the order of `labels`; one row a vector."""
        return softmax(self.scores(vectors) / np.float32(self.temperature))

    def save(self, folder: Path) -> None:
        """Write the model into a folder."""
        np.savez(folder / "model.npz", mean=self.mean, weights=self.weights, bias=self.bias)
        described = {"labels": self.labels, "temperature": self.temperature}
        (folder / "model.json").write_text(json.dumps(described), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> LinearModel:
        """Read what `save` wrote. Raises OSError or ValueError when it is not there or not whole."""
        described = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        with np.load(folder / "model.npz", allow_pickle=False) as arrays:
            return cls(
                tuple(described["labels"]), arrays["mean"], arrays["weights"], arrays["bias"], described["temperature"]
            )


class HeldOut(NamedTuple):
    """Examples scored by a model that did not learn from them: which they are, and their scores by label."""

    labels: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    scores: Vectors


def held_out(vectors: Vectors, labels: Sequence[str]) -> Iterator[HeldOut]:
    """Five-fold cross-validation, one fold after the other; with fewer than five examples of a label, fewer folds.

    Raises ValueError when a label has a single example.
    """
    known = np.array(labels)
    order, counts = np.unique(known, return_counts=True)
    if counts.min() < 2:
        raise ValueError(f"Intent {order[counts.argmin()]} has one example; it needs at least two.")
    folds = StratifiedKFold(min(FOLDS, int(counts.min())), shuffle=True, random_state=0)
    for learn, rows in folds.split(vectors, known):
        yield HeldOut(tuple(order), rows, LinearModel.fit(vectors[learn], list(known[learn])).scores(vectors[rows]))


def calibrate(order: Sequence[str], scores: Vectors, labels: Sequence[str]) -> float:
    """The temperature under which the labels were likeliest, given held-out scores."""
    rows, columns = np.arange(len(labels)), np.searchsorted(order, labels)

    def surprise(log_temperature: float) -> float:
        probabilities = softmax(scores / np.exp(log_temperature))
        return float(-np.log(probabilities[rows, columns] + 1e-9).mean())

    return float(np.exp(minimize_scalar(surprise, bounds=(-2, 2), method="bounded").x))


def softmax(scores: Vectors) -> Vectors:
    """Scores to probabilities, row by row."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities: Vectors = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def _centred(vectors: Vectors, mean: Vectors) -> Vectors:
    """The sentence vectors as directions from the mean of all, since all lie on one side; the marks as they are."""
    directions = vectors[:, :DIMENSIONS] - mean
    directions = directions * (np.sqrt(2) / np.linalg.norm(directions, axis=1, keepdims=True)).astype(np.float32)
    return np.hstack([directions, vectors[:, DIMENSIONS:]])
