"""The second half of the safety net: a small classifier for danger that is worded too mildly for patterns.

A logistic regression on words, pairs and triples of words, in plain Python, so that it is there when the engine is
not. It reads a message whole and sentence by sentence, since danger is often one sentence of a long story.
`python -m bot.tripwire` learns it from data/nlu into models/tripwire.json (part of `make train`); the engine has a
stronger one, which knows the meaning of sentences (engine/danger.py).
"""

from __future__ import annotations

import json
import math
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from bot.wording import plain

Danger = Literal["emergency", "self_harm"]

ROOT = Path(__file__).resolve().parent.parent
LEARNED = ROOT / "models" / "tripwire.json"
DANGERS: tuple[Danger, ...] = ("emergency", "self_harm")
LETTERS = 6  # words are cut, so that endings and most misspelt endings do not count
FEWEST = 2  # examples that a term must stand in
EPOCHS, RATE, DECAY, WEIGHT = 12, 0.6, 2e-5, 2.0  # an example of danger weighs twice
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+(?:[.,]\d+)?|\?")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")


class TripwireMissing(Exception):
    """It was not learned yet; the message says what to do."""


def terms(text: str) -> set[str]:
    """Words, pairs and triples of neighbours; of numbers only how they are written ("38,4" is "##,#")."""
    words = [re.sub(r"\d", "#", word) if word[0].isdigit() else word[:LETTERS] for word in _WORD.findall(text)]
    return {" ".join(words[start : start + length]) for length in (1, 2, 3) for start in range(len(words) - length + 1)}


@dataclass(frozen=True)
class Tripwire:
    """The weights of each term for each danger, and the weights of none."""

    weights: dict[str, tuple[float, ...]]
    bias: tuple[float, ...]

    def likely(self, text: str) -> dict[Danger, float]:
        """How likely each danger is in a text (lower case, plain quotes), whole or in one of its sentences."""
        parts = {text, *_SENTENCE.split(text)}
        read = [_probabilities(self._scores(terms(part))) for part in parts]
        return {danger: max(row[place] for row in read) for place, danger in enumerate(DANGERS)}

    def _scores(self, found: Iterable[str]) -> list[float]:
        known = [row for term in found if (row := self.weights.get(term)) is not None]
        scale = 1 / math.sqrt(len(known)) if known else 0.0
        return [bias + scale * sum(row[place] for row in known) for place, bias in enumerate(self.bias)]

    @classmethod
    def learn(cls, examples: Sequence[tuple[str, Danger | None]], seed: int = 0) -> Tripwire:
        """Stochastic gradient descent over examples; the same result for the same examples."""
        order = random.Random(seed)  # noqa: S311  # nothing secret is drawn
        counted = Counter(term for text, _ in examples for term in terms(text))
        rows = [
            (
                [term for term in sorted(terms(text)) if counted[term] >= FEWEST],
                DANGERS.index(danger) if danger else None,
            )
            for text, danger in examples
        ]
        new = cls({term: (0.0,) * len(DANGERS) for term, count in counted.items() if count >= FEWEST}, (-2.0, -2.0))
        weights, bias = {term: list(row) for term, row in new.weights.items()}, list(new.bias)
        learning = cls(weights, bias)  # type: ignore[arg-type]  # lists while it learns
        for epoch in range(EPOCHS):
            rate = RATE / (1 + epoch / 3)
            for known, danger in order.sample(rows, len(rows)):
                guessed = _probabilities(learning._scores(known))
                scale = 1 / math.sqrt(len(known)) if known else 0.0
                for place in range(len(DANGERS)):
                    wrong = ((danger == place) - guessed[place]) * (WEIGHT if danger is not None else 1.0)
                    bias[place] += 0.1 * rate * wrong
                    for term in known:
                        weights[term][place] += rate * (wrong * scale - DECAY * weights[term][place])
        return cls({term: (round(row[0], 4), round(row[1], 4)) for term, row in weights.items()}, (bias[0], bias[1]))

    def save(self, path: Path) -> None:
        """Write it, in one step."""
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.new")
        new.write_text(json.dumps({"weights": self.weights, "bias": self.bias}), encoding="utf-8")
        new.replace(path)

    @classmethod
    def read(cls, path: Path = LEARNED) -> Tripwire:
        """Read what `save` wrote. Raises TripwireMissing."""
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise TripwireMissing(f"There is no {path.name} in {path.parent.name}/. Run: make train") from None
        return cls({term: tuple(row) for term, row in stored["weights"].items()}, tuple(stored["bias"]))


@cache
def tripwire() -> Tripwire:
    """The one of this process. Raises TripwireMissing."""
    return Tripwire.read()


def _probabilities(scores: Sequence[float]) -> list[float]:
    """Of each danger, beside none, which scores 0."""
    most = max(0.0, *scores)
    powers = [math.exp(score - most) for score in scores]
    total = sum(powers) + math.exp(-most)
    return [power / total for power in powers]


def examples(folder: Path = ROOT / "data" / "nlu") -> Iterator[tuple[str, str]]:
    """Every example of the training data: its intent and its text."""
    for path in sorted(folder.glob("*.yml")):
        for subject in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            for line in subject["examples"].splitlines() if "intent" in subject else ():
                if line.startswith("- "):
                    yield str(subject["intent"]), line[2:]


def main() -> int:
    """Learn it anew; returns the exit code."""
    danger_of: dict[str, Danger] = {f"safety.{danger}": danger for danger in DANGERS}
    Tripwire.learn([(plain(text), danger_of.get(intent)) for intent, text in examples()]).save(LEARNED)
    return 0


if __name__ == "__main__":
    sys.exit(main())
