"""`python -m engine.crossvalidate`: five-fold cross-validation of the intents; prints one JSON object a line.

Only examples that were kept from the encoder are judged (engine/vote.py): it has learned from the others.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from sklearn.model_selection import StratifiedKFold

from engine.encoder import encoder
from engine.examples import examples
from engine.vote import Vote, held_back

FOLDS = 5


def main() -> int:
    """Print text, topic, predicted, second and confidence of every judged example."""
    texts, intents = zip(*dict.fromkeys(examples()), strict=True)
    known, named = np.array(texts, dtype=object), np.array(intents)
    views = encoder().vectors(texts)
    for learn, rest in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(known, named):
        vote = Vote.fit(list(known[learn]), list(named[learn]), {view: rows[learn] for view, rows in views.items()})
        judged = [row for row in rest if held_back(texts[row])]
        seen = {view: rows[judged] for view, rows in views.items()}
        probabilities = vote.probabilities([texts[row] for row in judged], seen)
        for row, likely in zip(judged, probabilities, strict=True):
            first, second = np.argsort(-likely)[:2]
            line = {
                "text": texts[row],
                "topic": intents[row],
                "predicted": vote.labels[first],
                "second": vote.labels[second],
                "confidence": round(float(likely[first]), 4),
            }
            print(json.dumps(line, ensure_ascii=False), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
