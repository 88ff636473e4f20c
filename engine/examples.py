"""The training data's examples, as they stand in data/nlu."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

FOLDER = Path("data/nlu")


def examples(folder: Path = FOLDER) -> Iterator[tuple[str, str]]:
    """Every example: its text and its intent."""
    for path in sorted(folder.glob("*.yml")):
        for subject in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            for line in subject["examples"].splitlines() if "intent" in subject else ():
                if line.startswith("- "):
                    yield line[2:].strip(), subject["intent"]
