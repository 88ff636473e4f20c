"""What was measured, as a table, as goals with their ratios, and as JSON."""

from __future__ import annotations

import os
import platform
import statistics
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from bench.measure import Measured, Plan
from bench.stock import Training


@dataclass(frozen=True)
class Report:
    """One run."""

    at: datetime
    plan: Plan
    stock: Measured
    engine: Measured
    assistant: Measured
    stock_training: Training
    training: Training | None  # ours; a quick run leaves it out

    @property
    def subjects(self) -> tuple[Measured, ...]:
        """The columns of the tables: stock is what the others stand beside."""
        return self.stock, self.engine, self.assistant


@dataclass(frozen=True)
class Goal:
    """Something of ours beside the same of stock. `limit` is what ours may be at most, as a part of stock's."""

    what: str
    ours: float
    stock: float
    unit: str
    limit: float | None = None  # None: shown, not demanded

    @property
    def ratio(self) -> float:
        """Ours as a part of stock's: less is better."""
        return self.ours / self.stock

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached, where there is one."""
        return None if self.limit is None else self.ratio <= self.limit


def goals(report: Report) -> list[Goal]:
    """The goals and what stands beside them."""
    stock, engine, assistant = report.subjects
    first = min(report.plan.stages)
    listed = [
        Goal(
            f"engine alone, turn {stage}, p50",
            engine.turns[stage].p50,
            stock.turns[stage].p50,
            "ms",
            1 / 3 if stage == first else None,
        )
        for stage in report.plan.stages
    ]
    listed += [
        Goal(f"whole turn over the web, turn {stage}, p50", assistant.turns[stage].p50, stock.turns[stage].p50, "ms", 1)
        for stage in report.plan.stages
    ]
    listed += [
        Goal("memory, all processes", assistant.memory_after.total, stock.memory_after.total, "MB", 1),
        Goal(
            "time to ready, all processes", statistics.median(assistant.starts), statistics.median(stock.starts), "s", 1
        ),
    ]
    if report.training is not None:
        listed.append(
            Goal(
                f"training (of stock {report.stock_training.epochs} epochs)",
                report.training.seconds,
                report.stock_training.seconds,
                "s",
                1,
            )
        )
        cpu = (report.training.cpu_seconds, report.stock_training.cpu_seconds)
        listed.append(Goal("training, processor time", *cpu, "s"))
    return listed


def show(report: Report, console: Console) -> None:
    """Print the tables."""
    console.print(turns_table(report))
    console.print(costs_table(report))
    console.print(goals_table(report))
    for note in method(report):
        console.print(f"- {note}", markup=False, highlight=False)


def turns_table(report: Report) -> Table:
    """One row a stage and measure, one column a subject."""
    table = Table(title="One turn, in milliseconds", title_justify="left")
    table.add_column("turn")
    table.add_column("measure")
    for subject in report.subjects:
        table.add_column(subject.title, justify="right")
    rows = {
        "p50": "p50",
        "p95": "p95",
        "p50 of the best block": "best_block",
        "p50 of the median block": "median_block",
        "processor time a turn": "cpu",
    }
    for stage in report.plan.stages:
        last = stage + report.plan.turns * (1 if stage == 1 else report.plan.blocks) - 1
        for number, (title, name) in enumerate(rows.items()):
            figures = (f"{getattr(subject.turns[stage], name):.1f}" for subject in report.subjects)
            end = number == len(rows) - 1
            table.add_row("" if number else f"{stage} to {last}", title, *figures, end_section=end)
    return table


def costs_table(report: Report) -> Table:
    """Memory and time to start."""
    table = Table(title="Memory and start", title_justify="left")
    table.add_column("")
    for subject in report.subjects:
        table.add_column(subject.title, justify="right")
    table.add_row("resident memory when ready, MB", *(f"{s.memory_ready.total:,.0f}" for s in report.subjects))
    table.add_row("resident memory after the run, MB", *(f"{s.memory_after.total:,.0f}" for s in report.subjects))
    names = list(report.assistant.memory_after.processes)
    for name in names:
        held = report.assistant.memory_after.processes[name]
        table.add_row(f"  of it {name}", "", "", f"{held:,.0f}")
    table.add_row("ready after, s (median)", *(f"{statistics.median(s.starts):.1f}" for s in report.subjects))
    table.add_row("ready after, s (best)", *(f"{min(s.starts):.1f}" for s in report.subjects))
    return table


def goals_table(report: Report) -> Table:
    """Ours, stock's, and the ratio beside its goal."""
    table = Table(title="Beside stock Rasa (less is better)", title_justify="left")
    for column in ("", "ours", "stock", "ours / stock", "goal", ""):
        table.add_column(column, justify="left" if not column else "right")
    for goal in goals(report):
        limit = "" if goal.limit is None else f"≤ {goal.limit:.2f}"
        verdict = {True: "reached", False: "missed", None: ""}[goal.met]
        figures = (f"{goal.ours:,.1f} {goal.unit}", f"{goal.stock:,.1f} {goal.unit}", f"{goal.ratio:.2f}")
        table.add_row(goal.what, *figures, limit, verdict)
    return table


def method(report: Report) -> tuple[str, ...]:
    """How it was measured, for whoever reads the figures."""
    plan, trained = report.plan, report.stock_training
    return (
        f"{plan.blocks} blocks of {plan.turns} turns at each stage, the three taking turns block by block; the first "
        f"{plan.warm_up} turns of each are a warm-up and are not counted.",
        "A turn is over for stock and for the engine when the HTTP answer is there, for the assistant when the first "
        "event that answers the message is there on the open stream. No phrase comes twice.",
        f"Stock was trained on {trained.examples:,} examples, {trained.epochs} epochs of DIET.",
        f"Ready: from the start of the processes to the first healthy answer; {_starts(plan)}.",
    )


def _starts(plan: Plan) -> str:
    return "one start" if plan.starts == 1 else f"{plan.starts} starts, of which the first does not count"


def to_json(report: Report) -> dict[str, Any]:
    """Everything, for comparing runs."""
    return {
        "at": report.at.isoformat(timespec="seconds"),
        "machine": {
            "system": platform.platform(),
            "cores": psutil.cpu_count(),
            "memory_mb": round(psutil.virtual_memory().total / 1e6),
            "load": [round(load, 2) for load in os.getloadavg()],
            "python": platform.python_version(),
        },
        "plan": asdict(report.plan),
        "stock": asdict(report.stock),
        "engine": asdict(report.engine),
        "assistant": asdict(report.assistant),
        "training": {
            "stock": asdict(report.stock_training),
            "ours": None if report.training is None else asdict(report.training),
        },
        "goals": [{**asdict(goal), "ratio": goal.ratio, "met": goal.met} for goal in goals(report)],
        "notes": list(method(report)),
    }
