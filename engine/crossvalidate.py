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
    own, multilingual = encoder().own(texts), encoder().multilingual(texts)
    for learn, rest in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(own, named):
        vote = Vote.fit_vectors(list(known[learn]), list(named[learn]), own[learn], multilingual[learn])
        judged = [row for row in rest if held_back(texts[row])]
        probabilities = vote.probabilities_of([texts[row] for row in judged], own[judged], multilingual[judged])
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
