"""A stock Rasa 3.6.21 that has learned from the same examples and the same rules.

It has the pipeline and the policies that Rasa takes when none are named, as after `rasa init`. Two things favour it:
responses stand in place of our actions, so it needs no action server; and rules leave TED nothing to learn.

DIET's 100 epochs take hours on this many examples, so 5 are trained unless all are asked for. That changes how well it
understands, and not how long a turn takes or how much memory it holds: the weights are as many.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

ENGINE = Path("engine/.venv")
ENGINE_PYTHON = ENGINE / "bin/python"
POLL = 1.0  # seconds between two looks at a training
DRIFT = 0.1  # so much may the number of examples have changed before a trained stock assistant is out of date

DEFAULTS = "lib/python3.10/site-packages/rasa/engine/recipes/config_files/default_config.yml"
ALL_EPOCHS = 100
FEW_EPOCHS = 5
QUIET = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}


class TrainingError(Exception):
    """A training failed; the message says where its log is."""


@dataclass(frozen=True)
class Training:
    """What one training took. The machine's other work lengthens `seconds`, hardly `cpu_seconds`."""

    examples: int
    epochs: int  # of DIET; 0 for ours, which has none
    seconds: float
    cpu_seconds: float
    megabytes: float  # the most memory it held, as seen once a second


@dataclass(frozen=True)
class Stock:
    """A trained stock project."""

    folder: Path
    training: Training

    @property
    def model(self) -> Path:
        """The trained model."""
        return self.folder / "models/stock.tar.gz"


def project(root: Path, epochs: int) -> dict[str, str]:
    """What the stock assistant is trained from, files by path: our examples, our rules with responses for actions."""
    files = {f"data/nlu/{path.name}": path.read_text("utf-8") for path in sorted((root / "data/nlu").glob("*.yml"))}
    answers: set[str] = set()
    for path in sorted((root / "data/stories").glob("*.yml")):
        flow = yaml.safe_load(path.read_text("utf-8"))
        for step in (step for rule in flow["rules"] for step in rule["steps"] if "action" in step):
            step["action"] = step["action"].replace("action_", "utter_", 1)
            answers.add(step["action"])
        files[f"data/stories/{path.name}"] = _dump(flow)
    ours = yaml.safe_load((root / "domain.yml").read_text("utf-8"))
    domain = {
        "version": "3.1",
        "intents": ours["intents"],
        "responses": {answer: [{"text": f"The answer of {answer}."}] for answer in sorted(answers)},
        "session_config": {"session_expiration_time": 60, "carry_over_slots_to_new_session": True},
    }
    config = yaml.safe_load((root / ENGINE / DEFAULTS).read_text("utf-8")) | {"assistant_id": "stock"}
    next(part for part in config["pipeline"] if part["name"] == "DIETClassifier")["epochs"] = epochs
    return files | {"domain.yml": _dump(domain), "config.yml": _dump(config)}


def examples(files: dict[str, str]) -> int:
    """How many examples the project's files hold."""
    subjects = [yaml.safe_load(text)["nlu"] for name, text in files.items() if name.startswith("data/nlu/")]
    return sum(len(re.findall(r"^- ", intent["examples"], re.MULTILINE)) for subject in subjects for intent in subject)


def fingerprint(files: dict[str, str]) -> str:
    """A name for exactly these files."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:16]


def write(files: dict[str, str], folder: Path) -> None:
    """Write the project's files into a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def write_run_files(folder: Path) -> None:
    """What `rasa run` needs besides the model: its REST channel, and its SQL tracker store on SQLite."""
    store = {"type": "SQL", "dialect": "sqlite", "db": str(folder / "tracker.db")}
    write({"credentials.yml": _dump({"rest": None}), "endpoints.yml": _dump({"tracker_store": store})}, folder)


def environment() -> dict[str, str]:
    """Our own environment, and Rasa told to report nothing and to keep quiet about its libraries."""
    return {**os.environ, **QUIET}


def rasa(*arguments: str) -> list[str]:
    """The command line of the stock `rasa`. It runs in any folder, so the path is whole."""
    return [str(ENGINE_PYTHON.absolute()), "-m", "rasa", *arguments]


async def trained(root: Path, cache: Path, tell: Callable[[str], None], *, epochs: int, retrain: bool = False) -> Stock:
    """The stock assistant for today's examples, out of the cache if it was trained before. Raises TrainingError.

    One that was trained on nearly as many older examples, or for more epochs, will do: training takes long, and neither
    changes the time of a turn or the memory. `retrain` trains it anew in any case.
    """
    files = project(root, epochs)
    folder = cache / fingerprint(files)
    count = examples(files)
    if not retrain:
        if found := _load(folder):
            return found
        for older in _newest_first(cache):
            near = abs(older.training.examples - count) <= count * DRIFT
            if near and older.training.epochs >= epochs:
                return older
    shutil.rmtree(folder, ignore_errors=True)
    write(files, folder)
    tell(f"Training the stock assistant, once: {epochs} epochs of {count:,} examples, on two cores a minute an epoch")
    command = rasa("train", "--fixed-model-name", "stock", "--out", "models")
    training = await train(command, folder, folder / "train.log", tell, examples=count, epochs=epochs)
    shutil.rmtree(folder / ".rasa", ignore_errors=True)  # what Rasa keeps for the next training: there is none here
    # Written last: a folder without it was not finished, and is made anew.
    (folder / "training.json").write_text(json.dumps(asdict(training)), "utf-8")
    return Stock(folder, training)


async def train(
    command: list[str], folder: Path, log: Path, tell: Callable[[str], None], *, examples: int, epochs: int = 0
) -> Training:
    """Run a training, and say now and then how far it is. Raises TrainingError."""
    began = time.monotonic()
    cpu, memory, told = 0.0, 0.0, began
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env=environment(), stdout=output, stderr=output
        )
    try:
        seen = psutil.Process(process.pid)
        while process.returncode is None:
            try:
                times = seen.cpu_times()
                cpu, memory = times.user + times.system, max(memory, seen.memory_info().rss / 1e6)
            except psutil.NoSuchProcess:  # it just ended
                pass
            if time.monotonic() - told >= 30:
                told = time.monotonic()
                tell(f"  {told - began:4.0f} s  {_last_line(log)}")
            try:
                await asyncio.wait_for(process.wait(), POLL)
            except TimeoutError:
                continue
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise TrainingError(f"`{' '.join(command)}` failed. Its log is {log}; it ends with: {_last_line(log)}")
    return Training(examples, epochs, time.monotonic() - began, cpu, memory)


def _load(folder: Path) -> Stock | None:
    done = folder / "training.json"
    return Stock(folder, Training(**json.loads(done.read_text("utf-8")))) if done.exists() else None


def _newest_first(cache: Path) -> list[Stock]:
    done = sorted(cache.glob("*/training.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [found for path in done if (found := _load(path.parent))]


def _last_line(log: Path) -> str:
    """The end of a log; a progress bar overwrites its own line, so what stands after the last return counts."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 2_000))
        lines = file.read().decode("utf-8", "replace").replace("\r", "\n").strip().splitlines()
    return lines[-1].strip()[:110] if lines else ""


def _dump(document: dict[str, Any]) -> str:
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
