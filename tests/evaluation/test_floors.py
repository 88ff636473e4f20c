"""The trained model, in a real engine, is no worse than when the floors were recorded: evaluation/floors.yml."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import yaml

from evaluation import data, readers
from evaluation.__main__ import HELD_OUT, judge
from evaluation.figures import Figure

FLOORS: dict[str, float] = yaml.safe_load(Path("evaluation/floors.yml").read_text("utf-8"))


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure]:
    """What the whole assistant makes of the fixed part, the negatives and the signals."""
    files = [data.read(HELD_OUT / name) for name in ("heldout.tsv", "negatives.tsv", "signals.tsv")]
    files[0] = data.fixed_part(files[0])
    parses = asyncio.run(readers.ours([row.text for file in files for row in file], lambda: None))
    return {figure.key: figure for figure in judge("Waypoint", parses, files, net=True).figures}


@pytest.mark.parametrize("key", FLOORS)
def test_no_figure_has_fallen_behind_its_floor(key: str, figures: dict[str, Figure]) -> None:
    figure = figures[key]

    assert figure.holds(FLOORS[key]), f"{figure.title}: {figure.share:.1%} ({figure.hits} of {figure.of})"
