"""The keyring: which key seals what, kept in memory for a short time; and how rows are sealed and opened by the way.

Every case has a key of its own, and so have the desk (its members) and the system (what belongs to no case yet). A
session seals before it writes and opens as it reads, so that the use cases see people's words and the database never
does. See docs/decisions/0009-encrypted-at-rest.md.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, event, insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstanceState, Session, object_session
from sqlalchemy.orm.attributes import flag_modified, set_committed_value

from bot.model import ROWS, Base, Button, Case, Conversation, DataKey, Inbox, Member, Outbox, Secret, new_id
from bot.sealing import KeyGone, KeyUnknown, Sealed, Unsealable, Wrapper, new_key, seal, unseal

DESK, SYSTEM = "desk", "system"  # owners that are no cases
SECONDS = 60.0  # for which a key is kept in memory
MANY = 5_000  # keys in memory at once
KEYS, OPEN = "keys", "open"  # what a session knows: the keyring, and what it sealed in the flush that runs

SECRETS: dict[type[Base], dict[str, type]] = {
    model: {
        name: column.type.kind
        for name, column in ((each.key, each.columns[0]) for each in inspect(model).column_attrs)
        if isinstance(column.type, Secret)
    }
    for model in ROWS
}


class Keyring:
    """Data keys by id and by owner. `clock` counts seconds."""

    def __init__(self, secrets: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        """`secrets` are DATA_KEY and those before it. Raises BadKey."""
        self.wrapper = Wrapper(secrets)
        self._clock = clock
        self._keys: dict[str, tuple[float, bytes]] = {}
        self._ids: dict[str, tuple[float, str]] = {}

    def opens(self, connection: Connection, key_id: str) -> bytes:
        """The key of an id. Raises KeyGone, Unsealable and KeyUnknown."""
        if (known := self._keys.get(key_id)) and known[0] > self._clock():
            return known[1]
        self._learn(connection, select(DataKey.__table__).where(DataKey.id == key_id))
        if key_id not in self._keys or self._keys[key_id][0] <= self._clock():
            raise KeyGone("its key was destroyed, or never was here")
        return self._keys[key_id][1]

    def of(self, connection: Connection, owner: str) -> tuple[str, bytes]:
        """The key that seals for an owner: (id, key). Raises KeyGone."""
        known = self._ids.get(owner)
        if known is None or known[0] <= self._clock() or known[1] not in self._keys:
            self._ids.pop(owner, None)
            query = select(DataKey.__table__).where(DataKey.owner == owner, DataKey.wrapped.is_not(None))
            self._learn(connection, query.order_by(DataKey.made_at, DataKey.id))
        if owner in self._ids:
            key_id = self._ids[owner][1]
            return key_id, self.opens(connection, key_id)
        raise KeyGone("there is no key for it any more")

    def make(self, connection: Connection, owner: str) -> tuple[str, bytes]:
        """A fresh key for an owner."""
        key_id, key = new_id(), new_key()
        row: dict[str, object] = {"id": key_id, "owner": owner, "wrapped": self.wrapper.wrap(key_id, key)}
        row |= {"wrapped_by": self.wrapper.current, "made_at": datetime.now(UTC)}
        connection.execute(insert(DataKey), row)
        self._keep(key_id, owner, key)
        return key_id, key

    def check(self, connection: Connection) -> None:
        """See that these keys are the ones that the database was sealed with. Raises KeyUnknown and Unsealable.

        The desk's and the system's keys are made where there are none yet.
        """
        for wrapped_by in connection.scalars(
            select(DataKey.wrapped_by).where(DataKey.wrapped.is_not(None)).distinct()
        ).all():
            if not self.wrapper.knows(wrapped_by):
                raise KeyUnknown(wrapped_by)
        for owner in (DESK, SYSTEM):
            try:
                self.of(connection, owner)
            except KeyGone:
                self.make(connection, owner)

    def learn(self, connection: Connection, owners: Select[str]) -> None:
        """Read the keys of many owners at once."""
        self._learn(
            connection, select(DataKey.__table__).where(DataKey.owner.in_(owners), DataKey.wrapped.is_not(None))
        )

    def forget(self, owner: str = "") -> None:
        """Let go of an owner's keys, or of all, at once."""
        if not owner:
            self._keys.clear()
            self._ids.clear()
        elif (known := self._ids.pop(owner, None)) is not None:
            self._keys.pop(known[1], None)

    def _learn(self, connection: Connection, query: Select[Any]) -> None:
        for row in connection.execute(query).all():
            if row.wrapped is not None:
                self._keep(row.id, row.owner, self.wrapper.unwrap(row.id, bytes(row.wrapped), row.wrapped_by))

    def _keep(self, key_id: str, owner: str, key: bytes) -> None:
        if len(self._keys) >= MANY:
            self.forget()
        until = self._clock() + SECONDS
        self._keys[key_id], self._ids[owner] = (until, key), (until, key_id)


async def learn(session: AsyncSession, owners: Select[str]) -> None:
    """Read the keys of many cases at once, before they are read one by one."""
    keys = session.info.get(KEYS)
    if keys is not None:
        await session.run_sync(lambda sync: keys.learn(sync.connection(), owners))


def lost(session: AsyncSession, owner: str) -> None:
    """A case's key was destroyed: this process forgets it at once, the others within a minute."""
    if (keys := session.info.get(KEYS)) is not None:
        keys.forget(owner)


def seal_anew(row: Any) -> None:
    """Let a row be sealed by the key that its owner has now, when it is written."""
    for name in SECRETS[type(row)]:
        flag_modified(row, name)


def place(model: type[Base], column: str, values: Iterable[object]) -> str:
    """What a value is sealed for."""
    return f"{model.__tablename__}.{column}:{':'.join(map(str, values))}"


def packed(value: Any, kind: type) -> bytes:
    """A value as bytes."""
    return (value if kind is str else json.dumps(value, ensure_ascii=False)).encode("utf-8", "surrogatepass")


def unpacked(data: bytes, kind: type) -> Any:
    """The value of these bytes."""
    text = data.decode("utf-8", "surrogatepass")
    return text if kind is str else json.loads(text)


# By the way of every session.


def _keyring(session: Session) -> Keyring:
    keys = session.info.get(KEYS)
    if not isinstance(keys, Keyring):
        raise Unsealable("this session was given no keys")
    return keys


def _owner(session: Session, row: Any) -> str:
    if isinstance(row, Case):
        return row.id
    if isinstance(row, Member):
        return DESK
    if (case_id := getattr(row, "case_id", None)) is not None:
        return str(case_id)
    if isinstance(row, Button | Inbox | Outbox) and row.conversation_id is not None:
        pending = (each for each in session.new if isinstance(each, Conversation) and each.id == row.conversation_id)
        conversation = next(pending, None) or session.get(Conversation, row.conversation_id)
        if conversation is not None:
            return conversation.case_id
    return SYSTEM


def _row(row: Any) -> list[object]:
    """What names a row; ids that would be made by the insert are made now."""
    names = ROWS[type(row)]
    if names in (("id",), ("mark",)) and getattr(row, names[0]) is None:
        setattr(row, names[0], new_id())
    return [getattr(row, name) for name in names]


@event.listens_for(Session, "before_flush")
def _seal(session: Session, context: object, instances: object) -> None:
    rows = [row for row in (*session.new, *session.dirty) if type(row) in ROWS]
    if not rows:
        return
    keys, connection = _keyring(session), session.connection()
    for row in session.new:
        if isinstance(row, Case):
            _row(row)  # a case and its key are written together
            keys.make(connection, row.id)
    opened: list[tuple[Any, str, Any]] = session.info.setdefault(OPEN, [])
    for row in rows:
        state: InstanceState[Any] = inspect(row)
        named = _row(row)
        for name, kind in SECRETS[type(row)].items():
            value = row.__dict__.get(name)
            if value is None or value == kind() or not state.attrs[name].history.has_changes():
                continue
            key_id, key = keys.of(connection, _owner(session, row))
            opened.append((row, name, value))
            setattr(row, name, seal(key_id, key, place(type(row), name, named), packed(value, kind)))


@event.listens_for(Session, "after_flush_postexec")
def _as_before(session: Session, context: object) -> None:
    for row, name, value in session.info.pop(OPEN, ()):
        set_committed_value(row, name, value)


@event.listens_for(Session, "after_soft_rollback")
def _undone(session: Session, previous: object) -> None:
    session.info.pop(OPEN, None)


def _open(row: Any, context: Any, names: Iterable[str] | None = None) -> None:
    session = context.session if context is not None else object_session(row)
    assert session is not None  # noqa: S101 - rows are read by sessions
    for name, kind in SECRETS[type(row)].items():
        value = row.__dict__.get(name)
        if isinstance(value, Sealed):
            key = _keyring(session).opens(session.connection(), value.key_id)
            named = [getattr(row, each) for each in ROWS[type(row)]]
            set_committed_value(row, name, unpacked(unseal(value, key, place(type(row), name, named)), kind))


for _model in ROWS:
    event.listen(_model, "load", _open)
    event.listen(_model, "refresh", _open)
