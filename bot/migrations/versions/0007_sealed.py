"""Encrypted at rest: a key for every case, and everything that people said, sealed by it"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from bot.database import UNCOMPACTED, StoreError
from bot.keyring import SYSTEM, Keyring
from bot.sealing import seal

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

log = logging.getLogger(__name__)

MOMENT = sa.DateTime(timezone=True)
ROWS_AT_ONCE = 500
SAID_EVERY = 10_000  # rows

OF_CONVERSATION = "(SELECT c.case_id FROM conversations c WHERE c.id = t.conversation_id)"
# Table: (what names a row, its primary key, whose it is, columns of words, columns of JSON).
SECRETS = {
    "cases": ("t.id", "id", "t.id", ("progress", "holder_name", "close_reason"), ()),
    "inbox": ("t.id", "number", OF_CONVERSATION, (), ("payload", "said")),
    "messages": ("t.conversation_id || ':' || t.seq", "id", "t.case_id", ("name",), ("blocks",)),
    "buttons": ("t.id", "id", OF_CONVERSATION, ("label",), ("parse",)),
    "outbox": ("t.mark", "id", f"coalesce(t.case_id, {OF_CONVERSATION})", (), ("payload",)),
    "reminders": ("t.mark", "id", "t.case_id", ("text", "by_name"), ()),
    "notes": ("t.mark", "id", "t.case_id", ("text", "by_name"), ()),
    "drafts": ("t.id", "id", "t.case_id", ("text",), ()),
    "members": ("t.user_id", "user_id", "'desk'", ("name", "username"), ()),
    "files": ("t.id", "id", "t.case_id", ("name", "telegram_file_id"), ()),
}


def upgrade() -> None:
    """Apply: seal what stands there in clear text, table by table, in batches."""
    connection = op.get_bind()
    op.create_table(
        "data_keys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("wrapped_by", sa.String(length=16), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("destroyed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_data_keys_owner"), "data_keys", ["owner"])
    binary, nothing = ("BYTEA", "''") if connection.dialect.name == "postgresql" else ("BLOB", "x''")
    for table in ("outbox", "reminders", "notes"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN mark VARCHAR(32) NOT NULL DEFAULT ''")
        random = (
            "md5(random()::text || id)" if connection.dialect.name == "postgresql" else "lower(hex(randomblob(16)))"
        )
        op.execute(f"UPDATE {table} SET mark = {random}")  # noqa: S608
    op.execute(f"ALTER TABLE files ADD COLUMN key {binary} NOT NULL DEFAULT {nothing}")

    keys: Keyring | None = context.config.attributes.get("keys")
    filled = connection.exec_driver_sql("SELECT 1 FROM cases UNION SELECT 1 FROM inbox LIMIT 1").first() is not None
    if filled and keys is None:
        raise StoreError("What is kept has to be encrypted, and no DATA_KEY is set. Set it, and start again.")
    sealer = Sealer(connection, keys) if keys is not None else None
    for table, (_, _, _, words, jsons) in SECRETS.items():
        for column in (*words, *jsons):
            op.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO clear_{column}")
            null = "" if column == "said" else f"NOT NULL DEFAULT {nothing}"
            op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {binary} {null}")
        if sealer is not None and filled:
            sealer.seal(table)
        for column in (*words, *jsons):
            op.execute(f"ALTER TABLE {table} DROP COLUMN clear_{column}")
    if filled:  # clear text may still stand in the database's files: taken out when this is committed
        op.execute(f"INSERT INTO facts (key, value) VALUES ('{UNCOMPACTED}', 'yes')")  # noqa: S608


class Sealer:
    """Seals the rows of a table."""

    def __init__(self, connection: sa.Connection, keys: Keyring) -> None:
        self._connection, self._keys, self._made = connection, keys, set[str]()

    def seal(self, table: str) -> None:
        """All rows."""
        _, primary, _, words, jsons = SECRETS[table]
        columns, done = (*words, *jsons), 0
        assigned = ", ".join(f"{column} = :{column}" for column in columns)
        update = sa.text(f"UPDATE {table} SET {assigned} WHERE {primary} = :primary_")  # noqa: S608
        for rows in self._batches(table):
            values = [self._sealed(table, row) for row in rows]
            self._connection.execute(update, values)
            done += len(values)
            if done % SAID_EVERY < ROWS_AT_ONCE:
                log.info("encrypting %s: %d rows", table, done)

    def _batches(self, table: str) -> Iterator[list[Any]]:
        named, primary, owner, words, jsons = SECRETS[table]
        columns = ", ".join(f"CAST(t.clear_{column} AS TEXT) AS {column}" for column in (*words, *jsons))
        query = (
            f"SELECT t.{primary} AS primary_, {named} AS named_, {owner} AS owner_, {columns} FROM {table} t "  # noqa: S608
            f"{{}} ORDER BY t.{primary} LIMIT {ROWS_AT_ONCE}"
        )
        rows = list(self._connection.execute(sa.text(query.format(""))).mappings())
        while rows:
            yield rows
            after = sa.text(query.format(f"WHERE t.{primary} > :last"))
            rows = list(self._connection.execute(after, {"last": rows[-1]["primary_"]}).mappings())

    def _sealed(self, table: str, row: Any) -> dict[str, Any]:
        _, _, _, words, jsons = SECRETS[table]
        values: dict[str, Any] = {"primary_": row["primary_"]}
        for column in (*words, *jsons):
            clear = row[column]
            if column in jsons:
                found = json.loads(clear) if clear is not None else None
                clear = json.dumps(found, ensure_ascii=False) if found else found
            if not clear:
                values[column] = None if column == "said" and clear is None else b""
                continue
            key_id, key = self._key(row["owner_"] or SYSTEM)
            place = f"{table}.{column}:{row['named_']}"
            values[column] = seal(key_id, key, place, clear.encode("utf-8", "surrogatepass")).data
        return values

    def _key(self, owner: str) -> tuple[str, bytes]:
        # Each owner's key is made with the first of its rows; `cases` come first.
        if owner not in self._made:
            self._made.add(owner)
            return self._keys.make(self._connection, owner)
        return self._keys.of(self._connection, owner)


def downgrade() -> None:
    """Take back, while there is nothing in it: words that were sealed are not written in clear text again."""
    if op.get_bind().exec_driver_sql("SELECT 1 FROM cases UNION SELECT 1 FROM inbox LIMIT 1").first() is not None:
        raise StoreError("There is no way back to a database in clear text. Restore a backup that was made before.")
    for table, (_, _, _, words, jsons) in SECRETS.items():
        for column in (*words, *jsons):
            op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
            null, kind = ("" if column == "said" else "NOT NULL DEFAULT ''"), "JSON" if column in jsons else "TEXT"
            op.execute(
                f"ALTER TABLE {table} ADD COLUMN {column} {kind} {null}".replace("JSON NOT NULL DEFAULT ''", "JSON")
            )
    op.execute("ALTER TABLE files DROP COLUMN key")
    for table in ("outbox", "reminders", "notes"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN mark")
    op.drop_table("data_keys")
