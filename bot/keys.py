"""The data keys that are kept beside backups: one file, replaced whole, so that a destroyed key is in it no longer.

An archive of `make backup` holds what people said, sealed, and no keys. The file holds the keys, wrapped by DATA_KEY,
and nothing that anybody said. Only the two together with DATA_KEY can be read; whoever was erased is lost to them.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from bot.model import Base, Case, Conversation, DataKey, DeskEvent


class KeysUnreadable(Exception):
    """The file of keys cannot be read; the message says why."""


@dataclass(frozen=True)
class Kept:
    """One key as it is kept; destroyed when `wrapped` is None."""

    id: str
    owner: str
    wrapped: str | None  # in base 64
    wrapped_by: str
    made_at: str
    destroyed_at: str | None


def of_database(connection: Connection) -> list[Kept]:
    """Every key that the database has."""
    rows = connection.execute(select(DataKey.__table__)).all()
    return [
        Kept(
            row.id,
            row.owner if row.wrapped is not None else "",  # who it was is forgotten, too
            base64.b64encode(row.wrapped).decode() if row.wrapped is not None else None,
            row.wrapped_by,
            row.made_at.isoformat(),
            row.destroyed_at.isoformat() if row.destroyed_at is not None else None,
        )
        for row in rows
    ]


def of_file(path: Path) -> list[Kept]:
    """The keys in a file; none when there is no file. Raises KeysUnreadable."""
    try:
        return [Kept(**each) for each in json.loads(path.read_text("utf-8"))["keys"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise KeysUnreadable(f"{path} is no whole file of keys ({type(error).__name__}).") from None


def joined(*sources: Sequence[Kept]) -> list[Kept]:
    """The keys of several sources, the first ones first; one that was destroyed in any of them stays so."""
    found: dict[str, Kept] = {}
    for key in (key for source in sources for key in source):
        if key.id not in found or key.wrapped is None:
            found[key.id] = key
    return list(found.values())


def write(path: Path, keys: Sequence[Kept]) -> None:
    """Replace the file in one step, for this user alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump({"version": 1, "keys": [asdict(key) for key in keys]}, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def renew(path: Path, keys: Sequence[Kept]) -> None:
    """Write what the database has now; keys that it does not know, being new, stay. Raises KeysUnreadable."""
    write(path, joined(keys, of_file(path)))


def put_back(connection: Connection, keys: Sequence[Kept]) -> None:
    """Give a database that was brought back its keys. What was destroyed here stays destroyed."""
    have = {key.id: key for key in of_database(connection)}
    for key in joined(keys, list(have.values())):
        row = {
            "owner": key.owner,
            "wrapped": base64.b64decode(key.wrapped) if key.wrapped is not None else None,
            "wrapped_by": key.wrapped_by,
            "made_at": datetime.fromisoformat(key.made_at).replace(tzinfo=UTC),
            "destroyed_at": datetime.fromisoformat(key.destroyed_at).replace(tzinfo=UTC) if key.destroyed_at else None,
        }
        if key.id in have:
            connection.execute(update(DataKey).where(DataKey.id == key.id).values(row))
        else:
            connection.execute(insert(DataKey).values(id=key.id, **row))


def erase_the_unreadable(connection: Connection) -> None:
    """Delete the cases that have no key: their people asked for it, or their time was over."""
    kept = select(DataKey.owner).where(DataKey.wrapped.is_not(None))
    gone = select(Case.id).where(Case.id.not_in(kept))
    theirs = select(Conversation.id).where(Conversation.case_id.in_(gone))
    for table in reversed(Base.metadata.sorted_tables):
        if table is DeskEvent.__table__:  # figures outlive a case, without saying whose they were
            connection.execute(update(DeskEvent).where(DeskEvent.case_id.in_(gone)).values(case_id=None))
            continue
        for column, ids in (("conversation_id", theirs), ("case_id", gone)):
            if column in table.c:
                connection.execute(delete(table).where(table.c[column].in_(ids)))
    connection.execute(delete(Case).where(Case.id.not_in(kept)))
