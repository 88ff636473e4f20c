"""`make bench`, `python -m bench --help`: measure, print, and keep the figures in var/bench."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from bench import desk, people, stock, widget
from bench.measure import QUICK, Measured, Plan, measure_turns, start
from bench.phrases import phrases
from bench.picture import svg
from bench.report import Report, show, to_json
from bench.subjects import Assistant, BenchError, Engine, StockRasa, used_by
from scripts.run import free_port
from scripts.stack import Stack, StackMissing
from scripts.supervise import Service, ServiceError, Supervisor

ROOT = Path(__file__).resolve().parent.parent
KEPT = Path("var/bench")
MODEL = Path("models/waypoint.tar.gz")
TRAIN_OURS = "import sys; from pathlib import Path; from engine.train import train; train(Path(sys.argv[1]))"


async def measure(plan: Plan, console: Console, *, epochs: int, retrain: bool, train_ours: bool) -> Report:
    """One run, from training to the last turn. Raises BenchError, ServiceError, TrainingError."""

    def tell(line: str) -> None:
        console.print(line, markup=False, highlight=False)

    if not MODEL.exists():
        raise BenchError(f"There is no {MODEL}. Train it first: make train")
    trained = await stock.trained(ROOT, KEPT / "stock", tell, epochs=epochs, retrain=retrain)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="waypoint-bench-")))
        training = None
        if train_ours:
            count = stock.examples(stock.project(ROOT, epochs))
            tell(f"Training our model on {count:,} examples")
            command = [str(stock.ENGINE_PYTHON), "-c", TRAIN_OURS, str(folder / "waypoint.tar.gz")]
            training = await stock.train(command, ROOT, folder / "train.log", tell, examples=count)
        subjects = (
            StockRasa(folder / "stock", trained),
            Engine(folder / "engine"),
            Assistant(folder / "assistant"),
        )
        for subject in subjects:
            stack.push_async_callback(subject.stop)
        tell("Starting")
        starts = await start(subjects, plan.starts, tell)
        ready = {subject.name: subject.memory() for subject in subjects}
        tell("Measuring turns")
        turns = await measure_turns(subjects, plan, phrases(), tell)
        by_name = {
            subject.name: Measured(
                subject.title,
                turns[subject.name],
                starts[subject.name],
                ready[subject.name],
                subject.memory(),
                dict(subject.answers.most_common()),
            )
            for subject in subjects
        }
    return Report(datetime.now().astimezone(), plan, **by_name, stock_training=trained.training, training=training)


async def many_people(plan: people.Plan, console: Console, *, stack: bool) -> None:
    """A crowd on the whole assistant; with `stack` on what deploy/ describes, one of each and two."""

    def tell(line: str) -> None:
        console.print(line, markup=False, highlight=False)

    crowds: dict[str, people.Crowd] = {}
    with tempfile.TemporaryDirectory(prefix="waypoint-bench-") as name:
        folder = Path(name)
        if stack:
            for title, without in (("one of each", ("bot-2", "engine-2", "actions-2")), ("two of each", ())):
                running = Stack(folder / title.replace(" ", "-"), tell, without)
                try:
                    await running.start()
                    tell(f"{title}, behind nginx, on PostgreSQL")
                    crowds[title] = await people.measure(running.address, plan, partial(used_by, running), tell)
                finally:
                    await running.stop()
        else:
            port = free_port()
            command = (sys.executable, "-m", "bench.bare", str(port), str(folder / "bare.db"))
            supervisor = Supervisor(folder / "log", lambda line: None)
            address = f"http://127.0.0.1:{port}"
            try:
                await supervisor.start(Service("bare", command, dict(os.environ), f"{address}/health"))
                rate = await people.bare(address, 10)
            finally:
                await supervisor.stop()
            tell(f"A bare Starlette with one commit takes {rate:.0f} messages a second")
            assistant = Assistant(folder / "assistant")
            try:
                await assistant.start()
                used = partial(used_by, assistant)
                crowds["the whole assistant, on SQLite"] = await people.measure(assistant.address, plan, used, tell)
            finally:
                await assistant.stop()
    rows = {title: crowd.row() for title, crowd in crowds.items()}
    table = Table(title="Many people at once")
    for column in ("", *rows):
        table.add_column(column, justify="right" if column else "left")
    for figure in next(iter(rows.values())):
        table.add_row(figure.replace("_", " "), *(f"{row[figure]:,.1f}" for row in rows.values()))
    console.print(table)
    for title, crowd in crowds.items():
        if crowd.errors:
            tell(f"{title}: {dict(crowd.errors)}")
    keep_figures("people", json.dumps(rows, indent=2) + "\n", console, people.picture(crowds))


async def desk_under_load(console: Console) -> None:
    """Print how long words wait between a person and the coordinators, and keep the figures."""
    ways = await desk.measure(lambda line: console.print(line, markup=False, highlight=False))
    rows = {name: way.row() for name, way in ways.items()}
    table = Table(title="The coordinators' desk, in seconds of Telegram's clock")
    for column in ("", *next(iter(rows.values()))):
        table.add_column(column.replace("_", " "), justify="right" if column else "left")
    for name, row in rows.items():
        table.add_row(name, *(f"{figure:g}" if isinstance(figure, int) else f"{figure:.1f}" for figure in row.values()))
    console.print(table)
    keep_figures("desk", json.dumps(rows, indent=2) + "\n", console)


async def widget_in_a_browser(console: Console) -> None:
    """Print what the website's chat takes of a phone's time, and keep the figures. Raises BenchError, ServiceError."""
    with tempfile.TemporaryDirectory(prefix="waypoint-bench-") as folder:
        figures = await widget.measure(Path(folder), lambda line: console.print(line, markup=False, highlight=False))
    table = Table(title="The website's chat")
    for column in ("", "measured", "goal", ""):
        table.add_column(column, justify="left" if not column else "right")
    for figure in figures:
        limit = "" if figure.limit is None else f"≤ {figure.limit:g} {figure.unit}"
        verdict = {True: "reached", False: "missed", None: ""}[figure.met]
        table.add_row(figure.what, f"{figure.value:,.1f} {figure.unit}", limit, verdict)
    console.print(table)
    keep_figures("widget", widget.to_json(figures), console)


def keep_figures(subject: str, figures: str, console: Console, picture: str = "") -> None:
    """Write the figures of one subject (JSON), and a picture of them (SVG) where there is one, and say where."""
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{subject}-{datetime.now().astimezone():%Y-%m-%dT%H-%M-%S}.json"
    path.write_text(figures, "utf-8")
    told = f"Kept: {path}"
    if picture:
        path.with_suffix(".svg").write_text(picture, "utf-8")
        told += f" and {path.with_suffix('.svg').name}"
    console.print(told, markup=False, highlight=False)


def keep(report: Report, folder: Path) -> Path:
    """Write the figures and the picture; returns the path of the figures."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report.at:%Y-%m-%dT%H-%M-%S}.json"
    path.write_text(json.dumps(to_json(report), indent=2, ensure_ascii=False) + "\n", "utf-8")
    path.with_suffix(".svg").write_text(svg(report), "utf-8")
    return path


async def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure Waypoint beside a stock Rasa.")
    parser.add_argument("--quick", action="store_true", help="a run of a few minutes, with fewer turns")
    parser.add_argument("--all-epochs", action="store_true", help="train the stock assistant whole, which takes hours")
    parser.add_argument("--retrain", action="store_true", help="train the stock assistant even if the cache has it")
    parser.add_argument("--people", action="store_true", help="only many people at once, a quarter of an hour")
    parser.add_argument("--stack", action="store_true", help="the same on deploy/'s processes, one of each and two")
    parser.add_argument("--desk", action="store_true", help="only the coordinators' desk under load, a few minutes")
    parser.add_argument("--widget", action="store_true", help="only the website's chat in a browser, two minutes")
    options = parser.parse_args(arguments)
    console = Console(soft_wrap=True)
    if options.desk:
        await desk_under_load(console)
        return 0
    task = asyncio.current_task()
    if task is not None:
        # So that everything that was started is stopped, too, when we are.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        if options.people or options.stack:
            await many_people(people.QUICK if options.quick else people.Plan(), console, stack=options.stack)
            return 0
        if options.widget:
            await widget_in_a_browser(console)
            return 0
        report = await measure(
            QUICK if options.quick else Plan(),
            console,
            epochs=stock.ALL_EPOCHS if options.all_epochs else stock.FEW_EPOCHS,
            retrain=options.retrain,
            train_ours=not options.quick,
        )
    except asyncio.CancelledError:
        return 130
    except (BenchError, ServiceError, StackMissing, stock.TrainingError, httpx.HTTPError) as error:
        console.print(str(error) or type(error).__name__, markup=False, highlight=False, style="red")
        return 1
    show(report, console)
    path = keep(report, KEPT)
    console.print(f"Kept: {path} and {path.with_suffix('.svg').name}", markup=False, highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
