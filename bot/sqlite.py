"""SQLite for asyncio, with one visit to its thread for each statement.

aiosqlite visits it to make a cursor, to execute, to fetch and to close; each visit costs about as much as the
statement itself, and a turn has thirty statements. SQLAlchemy's adapter always fetches everything, so nothing is lost
by doing all four at once (docs/performance.md).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import aiosqlite


class Cursor:
    """What SQLAlchemy's adapter for aiosqlite asks of a cursor; the rows are there once it is executed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount, self.arraysize = -1, 1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Cursor:
        """There is nothing to open."""
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Cursor:
        """Execute one statement, and fetch what it finds."""
        return await self._do(lambda cursor: cursor.execute(sql, parameters))

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> Cursor:
        """Execute a statement once for each of the parameters."""
        return await self._do(lambda cursor: cursor.executemany(sql, parameters))

    async def fetchall(self) -> list[Any]:
        """All rows."""
        return self._rows

    async def close(self) -> None:
        """It was closed when all was fetched."""

    async def _do(self, execute: Callable[[sqlite3.Cursor], Any]) -> Cursor:
        await self._connection.in_thread(partial(self._executed, execute))
        return self

    def _executed(self, execute: Callable[[sqlite3.Cursor], Any], connection: sqlite3.Connection) -> None:
        cursor = connection.cursor()
        try:
            execute(cursor)
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
            self._rows = cursor.fetchall() if cursor.description else []
        finally:
            cursor.close()


class Connection(aiosqlite.Connection):
    """A connection whose cursors need one visit."""

    def cursor(self) -> Any:
        """A cursor, which is made in the thread once it is needed."""
        return Cursor(self)

    async def in_thread(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Do something with the connection where it lives."""
        await self._execute(work, self._conn)  # type: ignore[no-untyped-call]


def connect(database: str, **options: Any) -> Connection:
    """As aiosqlite.connect. Its thread ends with the process."""
    connection = Connection(partial(sqlite3.connect, database, **options), iter_chunk_size=64)
    connection._thread.daemon = True  # as SQLAlchemy does with a connection of aiosqlite's
    return connection
