"""The database: an engine with the settings that safety asks for, and migrations on start."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from bot import sqlite
from bot.keyring import KEYS, Keyring
from bot.model import Base
from bot.sealing import KeyUnknown, Unsealable

log = logging.getLogger(__name__)

BUSY_MILLISECONDS = 30_000
UNCOMPACTED = "database.uncompacted"  # the fact that clear text may stand in the database's files still
MIGRATIONS = Path(__file__).parent / "migrations"


class StoreError(Exception):
    """The database cannot be used as it is; the message says why and what to do. It holds no password."""


def connect(url: str) -> AsyncEngine:
    """An engine for SQLite (write-ahead log, durable commits, foreign keys) or PostgreSQL."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_async_engine(parsed, pool_pre_ping=True, hide_parameters=True)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    arguments = {"timeout": 30, "async_creator_fn": sqlite.connect}
    engine = create_async_engine(parsed, connect_args=arguments, hide_parameters=True)

    @event.listens_for(engine.sync_engine, "connect")
    def _pragmas(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see below
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_MILLISECONDS}",
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        # A transaction that reads first and writes later could not wait for another writer (SQLITE_BUSY at once);
        # taking the write lock at its start makes it wait its turn instead.
        # Those that only read say so, and need not wait.
        options = connection.get_execution_options()
        if options.get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN" if options.get("read_only") else "BEGIN IMMEDIATE")

    return engine


def sessions(engine: AsyncEngine, keys: Keyring) -> async_sessionmaker[AsyncSession]:
    """Sessions whose objects stay readable after the commit; they seal what they write, and open what they read."""
    return async_sessionmaker(engine, expire_on_commit=False, info={KEYS: keys})


def alembic_config(url: str, keys: Keyring | None = None) -> Config:
    """Alembic's settings, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"], config.attributes["keys"] = url, keys
    return config


async def upgrade(url: str, keys: Keyring | None = None) -> None:
    """Bring the database to the newest schema. Safe to call from several processes at once: one migrates, others wait.

    Without keys it has to be empty. Raises StoreError where it cannot be reached or written, is no database of ours, is
    newer than this program, or was sealed with other keys.
    """
    try:
        await asyncio.to_thread(_can_be_opened, make_url(url))
        await asyncio.to_thread(command.upgrade, alembic_config(url, keys), "head")
        await _compact(url)
    except (DBAPIError, sqlite3.Error, OSError) as error:
        raise unusable(url, error) from None


def check_keys(connection: Connection, keys: Keyring) -> None:
    """Raises StoreError when these are not the keys that the database was sealed with."""
    try:
        keys.check(connection)
    except (KeyUnknown, Unsealable):
        raise StoreError(
            f"{named(connection.engine.url)} was encrypted with another DATA_KEY. Set the one that was used so far "
            "(make run keeps it in var/secrets.env); while keys are exchanged, give the older ones as DATA_KEY_OLD. "
            "Nothing was changed."
        ) from None


async def _compact(url: str) -> None:
    """Take clear text out of the database's files after it was sealed: what was overwritten may stand there still."""
    engine = connect(url)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            found = await connection.execute(text("SELECT 1 FROM facts WHERE key = :key"), {"key": UNCOMPACTED})
            if found.first() is None:
                return
            log.info("taking clear text out of the database's files")
            if connection.dialect.name == "sqlite":
                await connection.exec_driver_sql("VACUUM")
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            else:
                for table in Base.metadata.tables:
                    await connection.exec_driver_sql(f'VACUUM FULL "{table}"')
            await connection.execute(text("DELETE FROM facts WHERE key = :key"), {"key": UNCOMPACTED})
    finally:
        await engine.dispose()


def _can_be_opened(url: URL) -> None:
    """A SQLite file that cannot be opened says so here; to the driver it would be a fault in a thread of its own."""
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(url.database)) as connection:
            connection.execute("PRAGMA schema_version")


async def revision(url: str, *, any_release: bool = False) -> str:
    """Which revision of the schema the database has, "" for an empty one. Raises StoreError.

    With `any_release` one that this program does not know is told, too.
    """
    return await read(url, _revision if any_release else checked)


async def tables(url: str) -> list[str]:
    """The tables of ours that the database has, those of a newer release that belong to them included.

    Raises StoreError.
    """
    return await read(url, _tables)


async def read[T](url: str, look: Callable[[Connection], T]) -> T:
    """What `look` finds in a database, by a connection of its own that only reads. Raises StoreError."""
    engine = connect(url)
    try:
        await asyncio.to_thread(_can_be_opened, make_url(url))
        async with engine.connect() as connection:
            await connection.execution_options(read_only=True)
            return await connection.run_sync(look)
    except (DBAPIError, sqlite3.Error, OSError) as error:
        raise unusable(url, error) from None
    finally:
        await engine.dispose()


def _revision(connection: Connection) -> str:
    return MigrationContext.configure(connection).get_current_revision() or ""


def _tables(connection: Connection) -> list[str]:
    found = inspect(connection)
    ours = {"alembic_version", *Base.metadata.tables}
    belongs = {
        table: any(key["referred_table"] in ours for key in found.get_foreign_keys(table))
        for table in found.get_table_names()
    }
    return sorted(table for table, to_ours in belongs.items() if to_ours or table in ours)


def sqlite_file(url: str) -> Path:
    """The file of a SQLite database."""
    return Path(make_url(url).database or "")


def for_libpq(url: str) -> tuple[str, dict[str, str]]:
    """A PostgreSQL database as its own programs are told of it: the address, and in the environment the password."""
    parsed = make_url(url)
    query = {("sslmode" if name == "ssl" else name): value for name, value in parsed.query.items()}
    address = URL.create(
        "postgresql", parsed.username, None, parsed.host, parsed.port, parsed.database, query
    ).render_as_string()
    return address, {"PGPASSWORD": parsed.password} if parsed.password else {}


def checked(connection: Connection) -> str:
    """The schema's revision. Raises StoreError for one that this program does not know.

    A newer schema is left alone: what this program does not know of it, it would not keep.
    """
    found = _revision(connection)
    if not known(found):
        raise StoreError(
            f"{named(connection.engine.url)} has schema {found}, and this program knows schemas up to {newest()}. "
            "Start a release that is at least as new as the one that ran last, or restore a backup that was made with "
            "this one (make restore)."
        )
    if not found and "cases" in inspect(connection).get_table_names():
        raise StoreError(
            f"{named(connection.engine.url)} holds tables that no release of this program has made. "
            "Set DATABASE_URL to an empty database, or to the one that was used so far."
        )
    return found


def newest() -> str:
    """The newest revision of the schema that this program knows."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head() or ""


def known(revision: str) -> bool:
    """Whether this program knows a revision; it knows that a database can be empty ("")."""
    return not revision or revision in {each.revision for each in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}


def unusable(url: str, error: Exception) -> StoreError:
    """What to do about a database that does not let us do our work."""
    parsed = make_url(url)
    cause = error.orig if isinstance(error, DBAPIError) else error
    return StoreError(f"{named(parsed)} cannot be used: {cause}. {_advice(parsed)}")


def named(url: URL) -> str:
    """The database as it is called in a message: without its password."""
    return f"The database {url.render_as_string(hide_password=True)}"


def _advice(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return (
            f"It has to be a SQLite file that this user may write, in a folder that this user may write, on a disk "
            f"that is not full. Look at {url.database}, or set DATABASE_URL to another file."
        )
    return (
        "See that PostgreSQL runs there, that the database exists, that its user may connect to it and make tables "
        "in it, and that DATABASE_URL says so: postgresql://user:password@host/database"
    )
