"""The training data: the examples in data/nlu, and the messages of data/signals.yml that tell several things."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from engine.clauses import plain
from engine.cues import SAID, SAID_OF

FOLDER = Path("data/nlu")
TELLING = Path("data/signals.yml")


SIGNALS = tuple(sorted(SAID.keys() - {"understand_enough"}))  # the self-question is answered by itself
DENIALS = ("signals.none", "signals.self.yes")  # these tell no signal, whatever cues they have
WEIGHED = 3  # one telling of so many


@dataclass(frozen=True)
class Telling:
    """A message, and the signals that it tells; what it denies is not there. Of the `unsure` ones nobody has said."""

    text: str
    tells: frozenset[str]
    unsure: frozenset[str] = frozenset()

    @property
    def weighed(self) -> bool:
        """Whether it is kept from the encoder and the models, to weigh the hints on: one in three, always the same."""
        return hashlib.sha256(self.text.encode()).digest()[1] * WEIGHED < 256


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
        if not entry.get("text") or not set(SIGNALS).issuperset(entry.get("tells", ())):
            raise ValueError(f"{path}: each entry has a `text`, and `tells` some of {', '.join(SIGNALS)}.")
        found.append(Telling(entry["text"], frozenset(entry.get("tells", ()))))
    return found


def telling(text: str, intent: str) -> Telling:
    """What an example tells: the signal that its intent is. Others of which it has a cue may stand in it, too."""
    name = intent.rsplit(".", 1)[1] if intent.startswith(("signals.situations.", "signals.dismissal.")) else ""
    low = plain(text)
    unsure = frozenset(signal for signal in SIGNALS if signal != name and SAID_OF[signal].search(low))
    return Telling(text, frozenset({name} & set(SIGNALS)), frozenset() if intent in DENIALS else unsure)
