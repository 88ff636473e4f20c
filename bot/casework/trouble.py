"""Which errors go away by waiting, without anything being wrong with what was being done."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# What says that the statement, or what it was given, is wrong is a kind of its own (IntegrityError, DataError, …).
PASSING = (DBAPIError, OperationalError, InterfaceError)
# SQLite says OperationalError of wrong statements, too; these are of the file, the disk and those who share them.
OF_SQLITE = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
)
PRIMARY = 0xFF  # of a code that says more exactly what happened


def passes(error: Exception) -> bool:
    """Whether the database was away, busy, full or restarted, or two waited for each other."""
    if isinstance(error, OSError | PoolTimeout):
        return True
    if type(error) not in PASSING or not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", 0) & PRIMARY in OF_SQLITE
    return True
