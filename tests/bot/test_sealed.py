"""Encrypted at rest: what people say is nowhere in clear text, cannot be moved, and is gone with its key."""

from __future__ import annotations

import asyncio
import io
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import event, inspect, make_url, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import backup, database, keys
from bot.casework import Casework, Inbound
from bot.database import StoreError
from bot.guide import Guide
from bot.keyring import SECRETS, Keyring
from bot.model import (
    Button,
    Case,
    Conversation,
    DataKey,
    Draft,
    File,
    Inbox,
    Member,
    Message,
    Note,
    Outbox,
    Reminder,
    new_id,
)
from bot.progress import Progress
from bot.rekey import rekey
from bot.sealing import CHUNK, BadKey, KeyGone, Sealed, Unsealable, new_key, plain_size, seal_file, unseal_file
from bot.settings import Settings
from tests.bot.conftest import Clock, execute
from tests.keys import DATA_KEY
from tests.keys import keys as keyring
from tests.postgres import postgres_url

PLANTED = "xylophonecancer"
CLEAR = """
INSERT INTO cases (id, code, created_at, updated_at, lang, consent, consent_version, consent_channel, progress, state,
 urgent, urgent_reason, holder_name, close_reason, escalations, reopened, blocked)
 VALUES ('c', 'WP-1', THEN, THEN, 'en', 'agreed', '', '', 'PLANTED', 'talking', false, '', 'Mei', '', 0, 0, false);
INSERT INTO conversations (id, case_id, channel, address, lang, created_at, last_seq, blocked)
 VALUES ('v', 'c', 'web', 'v', 'en', THEN, 1, false);
INSERT INTO messages (conversation_id, case_id, seq, role, name, lang, say, blocks, at)
 VALUES ('v', 'c', 1, 'patient', '', 'en', '', '["PLANTED"]', THEN);
INSERT INTO inbox (id, lane, conversation_id, external_id, seq, payload, received_at, state, attempts, alarm,
 said, error) VALUES ('i', 'v', 'v', '1', 1, '{"text": "PLANTED"}', THEN, 'new', 0, '', 'null', '');
INSERT INTO outbox (lane, kind, payload, priority, coalesce, created_at, not_before, attempts, state, error)
 VALUES ('group', 'x', '{"text": "PLANTED"}', 5, '', THEN, THEN, 0, 'due', '')"""


@pytest.fixture
async def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(backup, "FOLDER", tmp_path / "backups")
    return Settings(
        database_url=database_url,
        files_dir=tmp_path / "files",
        keys_file=tmp_path / "waypoint.keys",
        data_key=DATA_KEY,  # type: ignore[arg-type]
    )


async def plant(casework: Casework) -> str:
    """A case with the marker in every column that can hold somebody's words. Returns its conversation."""
    conversation = await casework.open_conversation("telegram", "42")
    words, now = f"about my {PLANTED}", casework.now()
    async with casework.transaction() as session:
        case = await session.get_one(Case, (await session.get_one(Conversation, conversation)).case_id)
        case.progress = Progress().model_dump_json().replace('"name":""', f'"name":"{PLANTED}"')
        case.holder_name = case.close_reason = words
        of, at = {"case_id": case.id}, {"created_at": now}
        session.add_all(
            [
                Inbox(lane=conversation, conversation_id=conversation, external_id="1", payload={"text": words},
                      said=[{"say": words}], received_at=now, state="done"),
                Inbox(lane="desk:0", external_id="2", payload={"text": words}, said=[{"say": words}], received_at=now),
                Message(conversation_id=conversation, seq=1, role="patient", name=words, at=now, **of,
                        blocks=[{"type": "text", "text": words}]),
                Button(id="b", conversation_id=conversation, seq=1, label=words, parse={"x": words}),
                Outbox(lane="chat:42", kind="say", payload={"text": words}, not_before=now, **of, **at),
                Outbox(lane="group", kind="group.post", payload={"text": words}, not_before=now, **at),
                Reminder(due_at=now, text=words, by_name=words, **of),
                Note(at=now, text=words, by_name=words, **of),
                Draft(kind="answer", user_id=1, text=words, at=now, **of),
                Member(user_id=1, name=words, username=words),
                File(name=words, mime="", size=1, kind="document", telegram_file_id=words, key=words, **of, **at),
            ]
        )  # fmt: skip
    return conversation


async def raw(db: AsyncEngine) -> bytes:
    """All that the database holds, as bytes; for SQLite those of its files, the write-ahead log included."""
    if db.dialect.name == "sqlite":
        file = Path(str(make_url(str(db.url)).database))
        return b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")))
    found = b""
    async with db.connect() as connection:
        for table in await connection.run_sync(lambda sync: inspect(sync).get_table_names()):
            for row in (await connection.execute(text(f'SELECT * FROM "{table}"'))).all():  # noqa: S608
                found += b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    return found


async def test_no_word_stands_in_the_database_and_all_are_read_as_they_were(
    casework: Casework, db: AsyncEngine
) -> None:
    await plant(casework)
    assert PLANTED.encode() not in await raw(db)
    async with casework.reading() as session:
        for model, secrets in SECRETS.items():
            rows = (await session.scalars(select(model))).all()
            assert rows, model
            for row in rows:
                for name in secrets:
                    assert PLANTED in str(getattr(row, name)), (model, name)


async def test_what_was_not_sealed_is_never_written(casework: Casework, db: AsyncEngine) -> None:
    await plant(casework)
    async with db.begin() as connection:
        with pytest.raises(Exception, match="sealed values only"):
            await connection.execute(Note.__table__.update().values(text="in clear text"))


@pytest.mark.parametrize(
    "swap",
    [
        "UPDATE notes SET text = (SELECT text FROM reminders)",
        "UPDATE notes SET text = by_name",
        "UPDATE messages SET seq = 2",
        "UPDATE inbox SET payload = (SELECT payload FROM inbox WHERE external_id = '2') WHERE external_id = '1'",
    ],
)
async def test_a_value_that_was_moved_is_refused(casework: Casework, db: AsyncEngine, swap: str) -> None:
    await plant(casework)
    async with db.begin() as connection:
        await connection.execute(text(swap))
    async with casework.reading() as session:
        with pytest.raises(Unsealable):
            [await session.scalars(select(model)) for model in (Note, Message, Inbox)]


async def test_a_wrong_key_stops_the_start_with_a_sentence(casework: Casework, database_url: str) -> None:
    await plant(casework)
    with pytest.raises(StoreError, match="another DATA_KEY"):
        await database.upgrade(database_url, Keyring(["some other key that is long enough to be one"]))
    await database.upgrade(database_url, keyring())


@pytest.mark.parametrize("key", ["", "short"])
def test_no_key_or_a_short_one_stops_the_start_with_a_sentence(key: str) -> None:
    with pytest.raises(BadKey, match="DATA_KEY"):
        Keyring([key])


@pytest.fixture(params=["sqlite", "postgresql"])
async def own_database(request: pytest.FixtureRequest, tmp_path: Path, postgres: Path) -> str:
    """The address of a database with nothing in it, which no other test uses."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'own.db'}"
    await execute(postgres, "DROP DATABASE IF EXISTS own WITH (FORCE)", "CREATE DATABASE own")
    return postgres_url(postgres, "own")


async def test_what_was_kept_in_clear_text_is_sealed_at_the_start(own_database: str) -> None:
    database_url = own_database
    await asyncio.to_thread(command.upgrade, database.alembic_config(database_url), "0006")
    old = database.connect(database_url)
    async with old.begin() as connection:
        for sql in CLEAR.replace("PLANTED", PLANTED).replace("THEN", "'2026-01-01 00:00:00+00:00'").split(";\n"):
            await connection.execute(text(sql.replace(":", "\\:")))
    assert PLANTED.encode() in await raw(old)
    await old.dispose()  # what it knows of the tables is not true any more
    await database.upgrade(database_url, keyring())
    assert PLANTED.encode() not in await raw(old)
    async with database.sessions(old, keyring())() as session:
        assert (await session.get_one(Case, "c")).progress == PLANTED
        assert (await session.get_one(Case, "c")).holder_name == "Mei"
        assert [row.blocks for row in (await session.scalars(select(Message))).all()] == [[PLANTED]]
        assert [(row.payload, row.said) for row in (await session.scalars(select(Inbox))).all()] == [
            ({"text": PLANTED}, None)
        ]
        assert [row.payload for row in (await session.scalars(select(Outbox))).all()] == [{"text": PLANTED}]
    await old.dispose()


# Erasure.


async def test_an_erased_person_is_in_no_backup_either(
    casework: Casework, settings: Settings, tmp_path: Path, db: AsyncEngine
) -> None:
    conversation = await plant(casework)
    other = await casework.open_conversation("web", "other")
    archive = await backup.save(settings, tmp_path / "kept.tar.gz")
    old_keys = keys.of_file(settings.keys_file)
    await casework.erase_at_once(conversation)
    keys.write(settings.keys_file, await casework.data_keys())
    destroyed = {key.id for key in keys.of_file(settings.keys_file) if key.wrapped is None}
    assert len(destroyed & {key.id for key in old_keys if key.wrapped is not None}) == 1
    keys.write(settings.keys_file, old_keys)  # a copy that somebody forgot to replace: what is destroyed here stays so

    await backup.restore(settings, archive)
    async with casework.reading() as session:
        assert await session.get(Conversation, conversation) is None
        assert await session.get(Conversation, other) is not None
        for model in (Message, Note, Reminder, Draft, File, Button):
            assert (await session.scalars(select(model))).all() == [], model


async def test_without_the_keys_an_archive_is_not_brought_back(
    casework: Casework, settings: Settings, tmp_path: Path, db: AsyncEngine
) -> None:
    await plant(casework)
    archive = await backup.save(settings, tmp_path / "kept.tar.gz")
    async with db.begin() as connection:
        await connection.execute(text("DELETE FROM data_keys"))
    here = settings.keys_file.rename(tmp_path / "elsewhere")
    with pytest.raises(backup.BackupError, match="KEYS_FILE"):
        await backup.restore(settings, archive)
    here.rename(settings.keys_file)
    await backup.restore(settings, archive)
    async with database.sessions(db, keyring())() as session:
        assert PLANTED in (await session.scalars(select(Note))).one().text


async def test_words_that_nobody_has_read_yet_outlive_an_erasure_by_a_coordinator(
    casework: Casework, db: AsyncEngine
) -> None:
    conversation = await casework.open_conversation("telegram", "42")
    await casework.receive(conversation, "1", Inbound("text", "still to be read"))
    async with casework.transaction() as session:
        case = await session.get_one(Case, (await session.get_one(Conversation, conversation)).case_id)
        await casework.erase(session, case, casework.deleted, by="coordinator")
    async with database.sessions(db, keyring())() as session:
        assert (await session.scalars(select(Inbox))).one().payload["text"] == "still to be read"


async def test_another_process_forgets_a_key_within_a_minute(casework: Casework, db: AsyncEngine) -> None:
    conversation = await casework.open_conversation("telegram", "42")
    seconds = Clock()
    other = Keyring([DATA_KEY], lambda: seconds().timestamp())
    async with casework.reading() as session:
        case = (await session.get_one(Conversation, conversation)).case_id
        row = (await session.scalars(select(DataKey).where(DataKey.owner == case))).one()
    async with db.connect() as connection:
        await connection.run_sync(lambda sync: other.opens(sync, row.id))
        await connection.rollback()
        await casework.erase_at_once(conversation)
        seconds.pass_by(seconds=61)
        with pytest.raises(KeyGone):
            await connection.run_sync(lambda sync: other.opens(sync, row.id))


# Another DATA_KEY.


async def test_the_key_is_exchanged_while_people_talk(
    own_database: str, guide: Guide, clock: Clock, tmp_path: Path
) -> None:
    database_url = own_database
    await database.upgrade(database_url, keyring())
    db = database.connect(database_url)
    casework = Casework(database.sessions(db, keyring()), guide, now=clock)
    settings = Settings(database_url=database_url, keys_file=tmp_path / "waypoint.keys")
    await plant(casework)
    newer = "a newer key of these tests and long enough too"
    both = Keyring([newer, DATA_KEY])
    running = replace(casework, sessions=database.sessions(db, both))
    person = await running.open_conversation("web", "talks")
    said: list[str] = []

    async def talk(_: float) -> None:
        for number in range(20):
            await running.receive(person, f"m{number}", Inbound("text", f"word {number}"))

    after = settings.model_copy(update={"data_key": _secret(newer), "data_key_old": _secret(DATA_KEY)})
    await asyncio.gather(talk(0), rekey(after, said.append, lambda seconds: asyncio.sleep(0)))
    assert any("Keys wrapped anew" in line for line in said)

    alone = Keyring([newer])
    await database.upgrade(database_url, alone)
    async with database.sessions(db, alone)() as session:
        for model in SECRETS:
            assert (await session.scalars(select(model))).all()
    with pytest.raises(StoreError, match="another DATA_KEY"):
        await database.upgrade(database_url, keyring())
    await db.dispose()


class Killed(Exception):
    """The process ends here."""


@pytest.mark.parametrize("after", range(1, 7))
async def test_an_exchange_that_is_broken_off_anywhere_loses_nothing_and_can_be_run_again(
    own_database: str, guide: Guide, clock: Clock, tmp_path: Path, after: int
) -> None:
    await database.upgrade(own_database, keyring())
    db = database.connect(own_database)
    await plant(Casework(database.sessions(db, keyring()), guide, now=clock))
    newer = "a newer key of these tests and long enough too"
    settings = Settings(
        database_url=own_database,
        keys_file=tmp_path / "waypoint.keys",
        data_key=_secret(newer),
        data_key_old=_secret(DATA_KEY),
    )
    said: list[str] = []

    def tell(line: str) -> None:
        said.append(line)
        if len(said) == after:
            raise Killed

    async def at_once(_: float) -> None:
        """No other process runs."""

    async def all_is_read(known: Keyring) -> None:
        async with database.sessions(db, known)() as session:
            for model in SECRETS:
                assert (await session.scalars(select(model))).all()

    with pytest.raises(Killed):
        await rekey(settings, tell, at_once)
    await all_is_read(Keyring([newer, DATA_KEY]))
    await rekey(settings, said.append, at_once)
    await all_is_read(Keyring([newer]))
    await db.dispose()


def _secret(value: str):  # type: ignore[no-untyped-def]
    from pydantic import SecretStr

    return SecretStr(value)


# Files.


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_a_file_is_the_same_after_it_was_sealed(tmp_path: Path, size: int) -> None:
    content, key, path = bytes(range(256)) * (size // 256) + b"x" * (size % 256), new_key(), tmp_path / "sealed"
    with path.open("wb") as target:
        seal_file(io.BytesIO(content), target, key)
    assert b"".join(unseal_file(path, key)) == content
    assert plain_size(path) == size
    assert content[:64] not in path.read_bytes() or size == 0 or size == 1


@pytest.mark.parametrize("damage", ["cut", "swapped", "changed"])
def test_a_file_that_was_changed_is_not_given(tmp_path: Path, damage: str) -> None:
    key, path, length = new_key(), tmp_path / "sealed", CHUNK + 28
    with path.open("wb") as target:
        seal_file(io.BytesIO(b"a" * CHUNK + b"b" * CHUNK + b"c"), target, key)
    kept = path.read_bytes()
    path.write_bytes(
        {
            "cut": kept[:length],
            "swapped": kept[length : 2 * length] + kept[:length] + kept[2 * length :],
            "changed": kept[:50] + bytes([kept[50] ^ 1]) + kept[51:],
        }[damage]
    )
    with pytest.raises(Unsealable):
        list(unseal_file(path, key))


def test_a_large_file_is_never_in_memory_whole(tmp_path: Path) -> None:
    source, path, key = tmp_path / "large", tmp_path / "sealed", new_key()
    source.write_bytes(b"x" * 20 * 1024 * 1024)
    tracemalloc.start()
    with source.open("rb") as file, path.open("wb") as target:
        seal_file(file, target, key)
    for _ in unseal_file(path, key):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 1024 * 1024


def test_a_sealed_value_names_its_key() -> None:
    key_id = new_id()
    assert Sealed(b"\x01" + bytes.fromhex(key_id) + b"rest").key_id == key_id


async def test_keys_that_are_in_memory_cost_no_statement(casework: Casework, db: AsyncEngine) -> None:
    conversation = await casework.open_conversation("telegram", "42")
    await casework.receive(conversation, "1", Inbound("text", "a word"))
    asked: list[str] = []
    event.listen(db.sync_engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    await casework.receive(conversation, "2", Inbound("text", "another word"))
    assert asked
    assert not [statement for statement in asked if "data_keys" in statement]
