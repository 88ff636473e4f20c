"""The training data: the examples in data/nlu, and the messages of data/signals.yml that tell several things."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from engine.cues import SAID

FOLDER = Path("data/nlu")
TELLING = Path("data/signals.yml")


SIGNALS = frozenset(SAID) - {"understand_enough"}  # the self-question is answered by itself


@dataclass(frozen=True)
class Telling:
    """A message, and the signals that it tells; what it denies is not there."""

    text: str
    tells: frozenset[str]


def examples(folder: Path = FOLDER) -> Iterator[tuple[str, str]]:
    """Every example: its text and its intent."""
    for path in sorted(folder.glob("*.yml")):
        for subject in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            for line in subject["examples"].splitlines() if "intent" in subject else ():
                if line.startswith("- "):
                    yield line[2:].strip(), subject["intent"]


def tellings(path: Path = TELLING) -> list[Telling]:
    """The messages of data/signals.yml. Raises ValueError when one has no text or names something else."""
    found = []
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        if not entry.get("text") or not SIGNALS.issuperset(entry.get("tells", ())):
            raise ValueError(f"{path}: each entry has a `text`, and `tells` some of {', '.join(sorted(SIGNALS))}.")
        found.append(Telling(entry["text"], frozenset(entry.get("tells", ()))))
    return found
