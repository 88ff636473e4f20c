"""`make evaluate`, `python -m evaluation --help`: judge the trained model by messages that it has not learned from."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench import stock
from bot import safety
from bot.tripwire import examples
from evaluation import data, figures, readers, report
from evaluation.data import DataError, Row
from evaluation.figures import Judged
from evaluation.readers import ReadingError, Tick
from evaluation.topics import Parse, Treated, filled, treat
from scripts.supervise import ServiceError

ROOT = Path(__file__).resolve().parent.parent
HELD_OUT = ROOT / "tests/understanding"
KEPT = Path("var/evaluation")
STOCK_CACHE = Path("var/bench/stock")
MODEL = Path("models/waypoint.tar.gz")
FOLDS = "engine.crossvalidate"

Tell = Callable[[str], None]
Reading = Callable[[Sequence[str], Tick], Awaitable[list[Parse]]]


async def read(title: str, reading: Reading, texts: Sequence[str], console: Console) -> list[Parse]:
    """What a reader makes of texts, with a bar that says how far it is."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=len(texts))
        return await reading(texts, lambda: progress.advance(task))


async def predict(path: Path, out: Path, console: Console) -> None:
    """Write what the assistant treats the messages of a file as. Raises DataError, ReadingError, ServiceError."""
    rows = data.read(path)
    for problem in (problems := data.unknown(rows))[: data.MOST_PROBLEMS]:
        _say(console, f"{path}, {problem}; every answer to it counts as wrong")
    if len(problems) > data.MOST_PROBLEMS:
        _say(console, f"… and {len(problems) - data.MOST_PROBLEMS} more such labels")
    parses = await read("Reading", readers.ours, [row.text for row in rows], console)
    treated = [treat(one, safety.screen(row.text)) for row, one in zip(rows, parses, strict=True)]
    judged = [Judged(*pair) for pair in zip(rows, treated, strict=True)]
    data.write(out / "predictions.tsv", rows, treated)
    if any(row.right for row in rows):
        result = report.Result("Waypoint", judged, figures.of_topics(judged), [one.seconds for one in parses])
        report.show(report.sheets([result]), console)
    _say(console, f"Written: {out / 'predictions.tsv'}")


def judge(title: str, parses: Sequence[Parse], files: Sequence[Sequence[Row]], *, net: bool) -> report.Result:
    """One reader's figures over held-out messages, negatives and signals; with `net`, the safety net looks first."""
    rows = [row for file in files for row in file]
    tiers = [safety.screen(row.text) if net else None for row in rows]
    judged = [Judged(row, treat(*one)) for row, one in zip(rows, zip(parses, tiers, strict=True), strict=True)]
    held_out, negatives = len(files[0]), len(files[0]) + len(files[1])
    found = [filled(*one) for one in zip(parses[negatives:], tiers[negatives:], strict=True)]
    made = figures.of_topics(judged[:held_out], judged[held_out:negatives])
    made += figures.of_signals(files[2], found, [one.denied for one in parses[negatives:]])
    return report.Result(title, judged[:held_out], made, [one.seconds for one in parses])


async def evaluate(console: Console, *, beside: bool, folds: bool, epochs: int) -> None:
    """Print the figures over the held-out messages and keep them as a page. Raises as `predict`, and TrainingError."""
    files = [data.read(HELD_OUT / name) for name in ("heldout.tsv", "negatives.tsv", "signals.tsv")]
    texts = [row.text for file in files for row in file]
    examples = await crossvalidate(lambda line: _say(console, line)) if folds else []
    parses = await read("Waypoint", readers.ours, texts, console)
    results = [judge("Waypoint", parses, files, net=True)]
    if beside:
        results.append(judge("without its safety net", parses, files, net=False))
        for title, reading in await others(console, epochs):
            results.append(judge(title, await read(title, reading, texts, console), files, net=False))
    sheets = report.sheets(results, examples)
    report.show(sheets, console)
    at = datetime.now().astimezone()
    page = KEPT / f"{at:%Y-%m-%dT%H-%M-%S}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(report.html(sheets, results[0].judged, at), encoding="utf-8")
    _say(console, f"Kept: {page}")


async def others(console: Console, epochs: int) -> list[tuple[str, Reading]]:
    """Who stands beside the engine: a stock Rasa, and nlp.js where Node.js is."""
    trained = await stock.trained(ROOT, STOCK_CACHE, lambda line: _say(console, line), epochs=epochs)
    title = f"stock Rasa, DIET, {trained.training.epochs} epochs"
    found: list[tuple[str, Reading]] = [(title, lambda texts, tick: readers.stock_rasa(texts, tick, trained))]
    try:
        readers.install_nlpjs()
    except ReadingError as missing:
        _say(console, str(missing))
        return found
    learned = list(examples())
    return [*found, ("nlp.js", lambda texts, tick: readers.nlpjs(texts, tick, learned))]


async def crossvalidate(tell: Tell) -> list[Judged]:
    """The examples, each judged by a model that had not learned it."""
    tell("Cross-validating: the engine learns five times")
    command = [str(stock.ENGINE_PYTHON), "-m", FOLDS]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    try:
        output, errors = (stream.decode("utf-8", "replace") for stream in await process.communicate())
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        raise ReadingError(f"{' '.join(command)} failed; it ends with: {errors.strip()[-500:]}")
    return [crossed(number, line) for number, line in enumerate(output.split("\n"), 1) if line.startswith("{")]


def crossed(number: int, line: str) -> Judged:
    """A line of the cross-validation. Its intents stay what they are: here the engine is judged, not the assistant."""
    try:
        one = json.loads(line)
        treated = Treated(one["predicted"], one["second"], float(one["confidence"]))
        return Judged(Row(str(number), one["text"], one["topic"]), treated)
    except (ValueError, KeyError, TypeError):
        raise ReadingError(f"{FOLDS} printed what is no reading in its line {number}.") from None


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False)


async def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="evaluation", description="Judge how well the assistant understands.")
    parser.add_argument("--data", type=Path, help="a tab-separated file: id, text, topic, also; without it, our own")
    parser.add_argument("--out", type=Path, default=KEPT, help="the folder for the predictions of --data")
    parser.add_argument("--beside", action="store_true", help="also a stock Rasa and nlp.js, on the same messages")
    parser.add_argument("--epochs", type=int, default=stock.FEW_EPOCHS, help="how long the stock Rasa learns")
    parser.add_argument("--folds", action="store_true", help="also 5-fold cross-validation over the examples")
    options = parser.parse_args(arguments)
    console = Console(soft_wrap=False)
    if (task := asyncio.current_task()) is not None:
        # So that everything that was started is stopped, too, when we are.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        if not MODEL.exists():
            raise ReadingError(f"There is no {MODEL}. Train it first: make train")
        if options.data is not None:
            await predict(options.data, options.out, console)
        else:
            await evaluate(console, beside=options.beside, folds=options.folds, epochs=options.epochs)
    except asyncio.CancelledError:
        return 130
    except (DataError, ReadingError, ServiceError, stock.TrainingError) as error:
        console.print(str(error), markup=False, highlight=False, style="red")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
