"""What is shown at the end: one table of the ways, one of what was done, and a sentence."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from chaos.trial import Outcome


def show(outcome: Outcome, console: Console) -> None:
    """Print the outcome."""
    plan, verdict = outcome.plan, outcome.verdict
    table = Table(title=f"{plan.kind}, seed {plan.seed}: {outcome.kills} kills, {outcome.people} people")
    for column in ("what", "said", "arrived", "lost", "out of order", "twice"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for way in verdict.ways:
        twice = f"{way.doubled}{' (Telegram)' if way.may_double and way.doubled else ''}"
        table.add_row(way.name, str(way.said), str(way.arrived), str(way.lost), str(way.out_of_order), twice)
    console.print(table)
    done = ", ".join(f"{what} {count}" for what, count in sorted(outcome.faults.items()))
    console.print(f"Done: {done}. Processes started again: {outcome.restarts}.", markup=False, highlight=False)
    for what, count in (+verdict.twice).items():
        console.print(f"Twice on Telegram, which cannot be asked: {count} {what}", markup=False, highlight=False)
    for what, count in (+verdict.wrong).items():
        console.print(f"{what}: {count}", markup=False, highlight=False, style="red")
    for line in verdict.told()[:20]:
        console.print(f"  {line}", markup=False, highlight=False, style="red")
    console.print(
        "Nothing was lost, doubled or out of order." if verdict.is_right else "Something is wrong: see above.",
        style="green" if verdict.is_right else "red",
    )


def to_json(outcome: Outcome) -> dict[str, Any]:
    """The outcome as it is kept."""
    verdict = outcome.verdict
    return {
        "plan": asdict(outcome.plan),
        "kills": outcome.kills,
        "people": outcome.people,
        "faults": dict(outcome.faults),
        "restarts": outcome.restarts,
        "ways": [asdict(way) for way in verdict.ways],
        "wrong": dict(verdict.wrong),
        "twice": dict(verdict.twice),
        "examples": verdict.told(),
        "is_right": verdict.is_right,
    }
