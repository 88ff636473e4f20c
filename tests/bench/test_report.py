"""What is printed and kept."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from bench.__main__ import keep
from bench.measure import Measured, Plan, Summary
from bench.picture import svg
from bench.report import Report, goals, show, to_json
from bench.stock import Training
from bench.subjects import Memory

PLAN = Plan(stages=(1, 100))


def measured(title: str, p50: float, memory: float, ready: float) -> Measured:
    turns = {stage: Summary(p50, p50 * 2, p50, p50, p50, 100) for stage in PLAN.stages}
    held = Memory({"one": memory - 10, "two": 10})
    return Measured(title, turns, [ready - 1, ready, ready + 1], held, held, {"faq.certainty": 100})


@pytest.fixture
def report() -> Report:
    return Report(
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        PLAN,
        stock=measured("stock <Rasa>", 30.0, 1400.0, 50.0),
        engine=measured("engine alone", 10.0, 600.0, 20.0),
        assistant=measured("whole assistant", 60.0, 700.0, 25.0),
        stock_training=Training(5000, 5, 400.0, 800.0, 1500.0),
        training=Training(5000, 0, 40.0, 50.0, 700.0),
    )


def printed(report: Report) -> str:
    console = Console(file=io.StringIO(), width=140)
    show(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def row(text: str, start: str) -> list[str]:
    (line,) = (line for line in text.splitlines() if start in line)
    return [cell.strip() for cell in line.strip("│ ").split("│")]


def test_the_table_shows_ours_beside_stock_with_ratio_and_goal(report: Report) -> None:
    text = printed(report)

    assert row(text, "engine alone, turn 1, p50") == [
        "engine alone, turn 1, p50", "10.0 ms", "30.0 ms", "0.33", "≤ 0.33", "reached",
    ]  # fmt: skip
    assert row(text, "whole turn over the web, turn 1, p50")[-3:] == ["2.00", "≤ 1.00", "missed"]
    assert row(text, "memory, all processes")[1:4] == ["700.0 MB", "1,400.0 MB", "0.50"]
    assert row(text, "time to ready, all processes")[1:4] == ["25.0 s", "50.0 s", "0.50"]
    assert row(text, "training (of stock 5 epochs)")[1:4] == ["40.0 s", "400.0 s", "0.10"]


def test_the_goal_of_a_third_holds_for_the_first_turn_only(report: Report) -> None:
    limits = {goal.what: goal.limit for goal in goals(report)}

    assert limits["engine alone, turn 1, p50"] == pytest.approx(1 / 3)
    assert limits["engine alone, turn 100, p50"] is None


def test_a_quick_run_leaves_our_training_out(report: Report) -> None:
    assert not [goal for goal in goals(replace(report, training=None)) if "training" in goal.what]
    assert "training (of" not in printed(replace(report, training=None))


def test_the_figures_are_kept_as_json_with_a_picture_beside(report: Report, tmp_path: Path) -> None:
    path = keep(report, tmp_path / "bench")

    assert path.name == "2026-01-02T03-04-05.json"
    kept = json.loads(path.read_text("utf-8"))
    assert kept == json.loads(json.dumps(to_json(report)))
    assert kept["engine"]["turns"]["1"]["p50"] == 10.0
    assert path.with_suffix(".svg").read_text("utf-8") == svg(report)


def test_the_picture_draws_each_median_to_scale(report: Report) -> None:
    picture = ElementTree.fromstring(svg(report))  # noqa: S314  # made a line above

    bars = [
        float(bar.get("width", 0))
        for bar in picture.iter("{http://www.w3.org/2000/svg}rect")
        if bar.get("height") == "20"
    ]
    assert len(bars) == 6
    stock, engine, assistant = bars[:3]
    assert stock / engine == pytest.approx(3, rel=0.01)
    assert assistant / engine == pytest.approx(6, rel=0.01)


def test_the_picture_says_whose_bar_is_whose(report: Report) -> None:
    texts = [text.text for text in ElementTree.fromstring(svg(report)).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314

    assert {"stock <Rasa>", "engine alone", "whole assistant", "from turn 1", "from turn 100", "30 ms"} <= set(texts)
