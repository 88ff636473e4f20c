"""Fixtures of the bot's tests: the real guide, a clock that is set by hand, real databases of both kinds."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import database
from bot.casework import Casework
from bot.guide import Guide
from bot.model import Base
from sandbox.testing import GROUP_ID, running
from scripts.run import free_port
from tests.bot.processes import Bot, SlowEngine, World
from tests.keys import DATA_KEY, keys
from tests.postgres import NAME, postgres_url

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    time: datetime = field(default=MONDAY)

    def __call__(self) -> datetime:
        """The time."""
        return self.time

    def pass_by(self, **amount: float) -> None:
        """Let time pass: `pass_by(days=3)`."""
        self.time += timedelta(**amount)


@pytest.fixture(scope="session")
def guide() -> Guide:
    """The guide as it is."""
    return Guide.load()


@pytest.fixture
def clock() -> Clock:
    """A clock that shows a Monday morning."""
    return Clock()


async def execute(socket: Path, *statements: str) -> None:
    """Run statements outside of any transaction."""
    connection = await asyncpg.connect(user="postgres", database=NAME, host=str(socket))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def migrated_postgresql(postgres: Path) -> Path:
    """A server whose database has the newest schema: every test finds it empty."""
    asyncio.run(database.upgrade(postgres_url(postgres, NAME), keys()))
    return postgres


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema: tests copy it."""
    file = tmp_path_factory.mktemp("migrated") / "waypoint.db"
    asyncio.run(database.upgrade(f"sqlite+aiosqlite:///{file}", keys()))
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def template(request: pytest.FixtureRequest) -> tuple[str, Path]:
    """The kind of database, and where the migrated one is."""
    return request.param, request.getfixturevalue(f"migrated_{request.param}")


@pytest.fixture
async def database_url(template: tuple[str, Path], tmp_path: Path) -> AsyncIterator[str]:
    """A fresh, migrated database of each kind."""
    kind, place = template
    if kind == "sqlite":
        shutil.copy(place, tmp_path / "waypoint.db")
        yield f"sqlite+aiosqlite:///{tmp_path / 'waypoint.db'}"
        return
    # Emptying one database is many times faster than making a new one.
    # The keys of the desk and of the system stay, as they do while a process runs.
    tables = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables if table.name != "data_keys")
    await execute(
        place,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid()",
        f"TRUNCATE {tables} RESTART IDENTITY CASCADE",
    )
    yield postgres_url(place, NAME)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[AsyncEngine]:
    """The database, connected as the processes connect it."""
    engine = database.connect(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def casework(db: AsyncEngine, guide: Guide, clock: Clock) -> Casework:
    """The use cases on a real database, with the real guide and a clock that is set by hand."""
    return Casework(database.sessions(db, keys()), guide, now=clock, public_url="https://waypoint.example")


async def locked(db: AsyncEngine) -> OperationalError:
    """What SQLite says to a writer that is not patient while another one writes."""
    async with db.begin():
        other = sqlite3.connect(str(db.url.database), timeout=0)
        with contextlib.closing(other), pytest.raises(sqlite3.OperationalError) as caught:
            other.execute("BEGIN IMMEDIATE")
    return OperationalError("BEGIN IMMEDIATE", {}, caught.value)


@pytest.fixture
async def world(db: AsyncEngine, guide: Guide, database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    # The bot's own clock: with a hand that stands in the past, its sweep deletes as too old what was just said.
    casework = Casework(database.sessions(db, keys()), guide)
    engine = SlowEngine(casework)
    async with engine.serving() as engine_url, running() as box:
        environment = {
            "PATH": os.environ["PATH"],
            "PORT": str(free_port()),
            "DATABASE_URL": database_url,
            "FILES_DIR": str(tmp_path / "files"),
            "SECRET_KEY": "s" * 40,
            "DATA_KEY": DATA_KEY,
            "ENGINE_SECRET": "e" * 40,
            "ENGINE_URLS": engine_url,
            "TELEGRAM_BOT_TOKEN": box.token,
            "TELEGRAM_API_BASE": box.url,
            "COORDINATORS_CHAT_ID": str(GROUP_ID),
            "STOP_NOTICE_SECONDS": "2",
        }
        yield World(engine, Bot(environment, f"http://127.0.0.1:{environment['PORT']}"), box, casework)
