"""Multinomial logistic regression: fitted by scikit-learn, applied by numpy, kept as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from engine.encoder import Vectors


@dataclass(frozen=True)
class LinearModel:
    """One linear score a label."""

    labels: tuple[str, ...]
    weights: Vectors
    bias: Vectors

    @classmethod
    def fit(cls, rows: Vectors | csr_matrix, labels: npt.NDArray[np.str_], strength: float) -> LinearModel:
        """Learn from one row and one label an example.

        `strength` is C, the inverse of the regularisation. Raises ValueError for fewer than two labels.
        """
        if len(set(labels)) < 2:
            raise ValueError("At least two labels with examples are needed to learn from.")
        regression = LogisticRegression(C=strength, max_iter=100, tol=2e-3)
        regression.fit(rows, labels)
        weights, bias = regression.coef_, regression.intercept_
        if len(regression.classes_) == 2:  # scikit-learn keeps one row for two labels
            weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
        return cls(tuple(regression.classes_), weights.astype(np.float32).T.copy(), bias.astype(np.float32))

    def scores(self, rows: Vectors | csr_matrix) -> Vectors:
        """A score for each label, higher is likelier; one row a vector."""
        scores: Vectors = np.asarray(rows @ self.weights, np.float32) + self.bias
        return scores


def softmax(scores: Vectors) -> Vectors:
    """Scores to probabilities, row by row."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities: Vectors = powers / powers.sum(axis=1, keepdims=True)
    return probabilities
