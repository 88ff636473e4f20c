"""`make chaos`, `python -m chaos --help`: break things while people talk, and say what was lost."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from rich.console import Console

from chaos.report import show, to_json
from chaos.trial import Plan, Trial
from chaos.world import POSTGRES, ChaosError
from scripts.postgres import PostgresMissing
from scripts.supervise import ServiceError

KEPT = Path("var/chaos")
KINDS = ("sqlite", POSTGRES)


async def main(arguments: list[str] | None = None) -> int:
    """The command line; returns 0 when nothing was lost."""
    parser = argparse.ArgumentParser(
        prog="chaos", description="Kill, freeze and hinder the processes while people talk."
    )
    parser.add_argument("--database", choices=[*KINDS, "both"], default="both", help="which database (both)")
    parser.add_argument("--kills", type=int, default=500, help="how many SIGKILLs on each (500: about an hour)")
    parser.add_argument("--people", type=int, default=6, help="how many talk at a time (6)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same order of faults and words (1)")
    options = parser.parse_args(arguments)
    console = Console(soft_wrap=True)
    task = asyncio.current_task()
    if task is not None:
        # So that everything that was started is stopped, too, when we are.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    right = True
    for kind in KINDS if options.database == "both" else (options.database,):
        folder = Path(tempfile.mkdtemp(prefix=f"waypoint-chaos-{kind}-"))
        console.print(f"{kind}: logs are in {folder}", markup=False, highlight=False)
        plan = Plan(kind, options.kills, options.seed, options.people)
        try:
            outcome = await Trial(plan, folder, lambda line: console.print(line, markup=False, highlight=False)).run()
        except asyncio.CancelledError:
            return 130
        except (ChaosError, ServiceError, PostgresMissing) as error:
            console.print(str(error), markup=False, highlight=False, style="red")
            return 1
        show(outcome, console)
        KEPT.mkdir(parents=True, exist_ok=True)
        path = KEPT / f"{kind}-{datetime.now().astimezone():%Y-%m-%dT%H-%M-%S}.json"
        path.write_text(json.dumps(to_json(outcome), indent=2) + "\n", "utf-8")
        console.print(f"Kept: {path}", markup=False, highlight=False)
        right = right and outcome.verdict.is_right
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
