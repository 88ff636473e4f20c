"""Alembic's environment: the same async engine as the program, one process at a time."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, event, inspect, text

from bot.database import check_keys, checked, connect
from bot.model import Base, Secret, UtcDateTime

LOCK = 7_421_001  # an advisory lock of our own, so that processes that start together migrate one after another


def _plain_types(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Migrations name the database's own types, so that they stand when the model changes."""
    if kind == "type" and isinstance(item, Secret):
        return "sa.LargeBinary()"
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    checked(connection)  # under the lock: a newer release may have migrated while we waited for it
    keys = context.config.attributes.get("keys")
    if keys is not None and inspect(connection).has_table("data_keys"):
        check_keys(connection, keys)
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
        render_item=_plain_types,
    )
    context.run_migrations()
    if keys is not None:
        check_keys(connection, keys)
    if connection.dialect.name == "sqlite" and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
        raise RuntimeError(f"after the migrations {len(broken)} rows refer to nothing; nothing was changed")


def _without_foreign_keys(connection: Any, _: Any) -> None:
    """SQLite changes a table by making it anew, which rows that refer to it must not hinder; they are checked after."""
    connection.execute("PRAGMA foreign_keys=OFF")  # inside of a transaction it would do nothing


async def _run() -> None:
    engine = connect(context.config.attributes["url"])
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _without_foreign_keys)
    try:
        async with engine.begin() as connection:  # SQLite: BEGIN IMMEDIATE is the lock
            await connection.run_sync(_migrate)
    finally:
        await engine.dispose()


asyncio.run(_run())
