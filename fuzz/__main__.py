"""`make fuzz`, `python -m fuzz --help`: try nonsense at every edge, and say what was not handled and what was lost."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from queue import Empty
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from fuzz.finding import Findings
from fuzz.targets import KEPT, TARGETS, run

CASES = 1_000_000
AT_ONCE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0 when everything was handled and nothing was lost."""
    parser = argparse.ArgumentParser(prog="fuzz", description="Try nonsense at every edge where something comes in.")
    parser.add_argument("--cases", type=int, default=CASES, help=f"how many, all targets together ({CASES:,})")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same cases (1)")
    parser.add_argument("--targets", nargs="+", choices=[each.name for each in TARGETS], help="only these (all)")
    options = parser.parse_args(arguments)
    console = Console(soft_wrap=True)
    chosen = [each for each in TARGETS if not options.targets or each.name in options.targets]
    whole = sum(each.share for each in chosen)
    planned = {each.name: max(1, round(options.cases * each.share / whole)) for each in chosen}
    KEPT.mkdir(parents=True, exist_ok=True)
    outcome = together(planned, options.seed, console)
    show(outcome, options.seed, console)
    wrong = {
        name: {"unhandled": f.unhandled, "lost": f.lost} for name, (f, _) in outcome.items() if f.unhandled or f.lost
    }
    if wrong:
        path = KEPT / f"seed-{options.seed}.json"
        path.write_text(json.dumps(wrong, indent=2, ensure_ascii=True) + "\n", "utf-8")
        console.print(f"What was tried there: {path}", markup=False, highlight=False)
    return 1 if wrong else 0


def together(planned: dict[str, int], seed: int, console: Console) -> dict[str, tuple[Findings, float]]:
    """Run targets side by side, with a bar for each. Returns what each found, and its seconds."""
    context = multiprocessing.get_context("spawn")
    columns = (TextColumn("{task.description:9}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        context.Manager() as manager,
        ProcessPoolExecutor(AT_ONCE, context) as pool,
        Progress(*columns, console=console) as bar,
    ):
        news: Any = manager.Queue()
        bars: dict[str, TaskID] = {name: bar.add_task(name, total=cases) for name, cases in planned.items()}
        runs: dict[str, Future[tuple[Findings, float]]] = {
            name: pool.submit(run, name, cases, seed, news) for name, cases in planned.items()
        }
        while not (all(each.done() for each in runs.values()) and news.empty()):
            try:
                name, count = news.get(timeout=1)
                bar.advance(bars[name], count)
            except Empty:
                continue
        return {name: each.result() for name, each in runs.items()}


def show(outcome: dict[str, tuple[Findings, float]], seed: int, console: Console) -> None:
    """A table, a line a target, and where things went wrong."""
    table = Table("target", "cases", "unhandled", "lost", "a second", title=f"seed {seed}")
    for name, (findings, seconds) in outcome.items():
        rate = f"{findings.cases / max(seconds, 0.1):,.0f}"
        table.add_row(name, f"{findings.cases:,}", str(len(findings.unhandled)), str(len(findings.lost)), rate)
    cases = sum(findings.cases for findings, _ in outcome.values())
    table.add_section()
    table.add_row(
        "all",
        f"{cases:,}",
        *(str(sum(len(getattr(f, kind)) for f, _ in outcome.values())) for kind in ("unhandled", "lost")),
        "",
    )
    console.print(table)
    for name, (findings, _) in outcome.items():
        for where in (*findings.unhandled, *findings.lost):
            console.print(f"{name}: {where}", markup=False, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
