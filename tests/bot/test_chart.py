"""The picture of a week, drawn by a process of its own."""

from __future__ import annotations

import sys

import pytest

from bot.chart import Chart, NotDrawn, drawn

EMPTY = Chart("A week", ["Mon"], "Cases", {"Handed over": [0]}, "Waits", {"In hours": [0.0, 0.0]}, ["median", "90th"])


async def test_a_chart_is_a_png() -> None:
    assert (await drawn(EMPTY)).startswith(b"\x89PNG")


async def test_drawing_does_not_load_the_library_into_this_process() -> None:
    await drawn(EMPTY)
    assert "matplotlib.pyplot" not in sys.modules


async def test_a_chart_that_cannot_be_drawn_says_so() -> None:
    with pytest.raises(NotDrawn):
        await drawn(Chart("", [], "", {}, "", {}, []))
