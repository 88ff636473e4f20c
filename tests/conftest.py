"""Fixtures that every test may use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from tests.collector import Collector, collecting
from tests.keys import DATA_KEY
from tests.postgres import new_database, postgres

__all__ = ["postgres"]

settings.register_profile("waypoint", deadline=None)  # how fast it is, is measured by `make bench`
settings.load_profile("waypoint")

ROOT = Path(__file__).parent.parent
START_SECONDS = 300


@dataclass(frozen=True)
class Running:
    """The whole assistant, started as `make run` starts it."""

    address: str
    sandbox: str
    database: str
    logs: Path
    collector: Collector


@pytest.fixture(scope="session")
def waypoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The real processes: engine with the trained model, actions, bot and the simulated Telegram."""
    var = tmp_path_factory.mktemp("waypoint")
    yield from _started(var, f"sqlite+aiosqlite:///{var / 'waypoint.db'}")


@pytest.fixture(scope="session")
def waypoint_on_postgresql(tmp_path_factory: pytest.TempPathFactory, postgres: Path) -> Iterator[Running]:
    """The same, with its data in PostgreSQL, in a database of its own."""
    yield from _started(tmp_path_factory.mktemp("waypoint-postgresql"), new_database(postgres, "running"))


def _started(var: Path, database: str) -> Iterator[Running]:
    with collecting() as (collector, address):
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_BSP_SCHEDULE_DELAY": "100", "LOG_FORMAT": "json"}
        yield from _run(var, database, collector, traced)


def _run(var: Path, database: str, collector: Collector, traced: dict[str, str]) -> Iterator[Running]:
    state = var / "state.json"
    withheld = ("TELEGRAM_BOT_TOKEN", "SECRET_KEY", "DATA_KEY")
    environment = {name: value for name, value in os.environ.items() if name not in withheld}
    environment |= {"PORT": "0", "GROUP_SENDS_PER_MINUTE": "10000", "DATABASE_URL": database}
    environment |= {"DATA_KEY": DATA_KEY}
    environment |= {"MESSAGES_PER_MINUTE": "10000"}  # all people of the tests live here
    environment |= traced
    command = [sys.executable, "scripts/run.py", "--state-file", str(state), "--var", str(var)]
    output = (var / "run.log").open("w")
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not state.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the assistant did not start:\n{(var / 'run.log').read_text()}")
            time.sleep(0.1)  # between two looks at whether it is ready
        told = json.loads(state.read_text())
        yield Running(told["address"], told["sandbox"], database, var / "log", collector)
    finally:
        process.terminate()
        process.wait(timeout=30)
        output.close()
