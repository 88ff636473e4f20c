"""Backup and restore on both databases, while others read and write."""

from __future__ import annotations

import asyncio
import stat
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import backup, database
from bot.backup import BackupError
from bot.casework import Casework, Inbound
from bot.model import Base, Inbox
from bot.settings import Settings
from tests.bot.conftest import execute
from tests.keys import DATA_KEY, keys
from tests.postgres import NAME, postgres_url


@pytest.fixture
async def settings(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(backup, "FOLDER", tmp_path / "backups")
    return Settings(
        database_url=database_url, files_dir=tmp_path / "files", keys_file=tmp_path / "waypoint.keys", data_key=DATA_KEY
    )


async def say(casework: Casework, conversation: str, number: int) -> int:
    """One message comes in. Returns its number in the transcript."""
    return (await casework.receive(conversation, str(number), Inbound("text", f"word {number}"))).seq


async def heard(casework: Casework) -> list[str]:
    """What came in, in order."""
    async with casework.reading() as session:
        return list((await session.scalars(select(Inbox.external_id).order_by(Inbox.number))).all())


async def test_what_was_said_and_sent_comes_back_as_it_was(
    casework: Casework, settings: Settings, tmp_path: Path
) -> None:
    conversation = await casework.open_conversation("telegram", "1")
    await say(casework, conversation, 1)
    settings.files_dir.mkdir()
    (settings.files_dir / "scan").write_bytes(b"a scan")
    archive = await backup.save(settings, tmp_path / "kept.tar.gz")

    await say(casework, conversation, 2)
    await casework.open_conversation("telegram", "2")
    (settings.files_dir / "scan").unlink()
    before = await backup.restore(settings, archive)

    assert await heard(casework) == ["1"]
    assert (settings.files_dir / "scan").read_bytes() == b"a scan"
    assert await casework.open_conversation("telegram", "1") == conversation

    assert before is not None  # what the restore replaced can be brought back, too
    await backup.restore(settings, before)
    assert await heard(casework) == ["1", "2"]


async def test_a_backup_and_a_restore_while_people_write_are_each_of_one_moment(
    casework: Casework, settings: Settings, tmp_path: Path
) -> None:
    conversations = [await casework.open_conversation("telegram", str(person)) for person in range(4)]
    go_on = True

    async def talk(conversation: str) -> None:
        number = 0
        while go_on:
            number += 1
            try:
                await say(casework, conversation, number)
            except Exception:
                await asyncio.sleep(0.01)  # the tables are being exchanged: whoever writes tries again

    talking = [asyncio.create_task(talk(conversation)) for conversation in conversations]
    archive = await backup.save(settings, tmp_path / "kept.tar.gz")
    await backup.restore(settings, archive)
    go_on = False
    await asyncio.gather(*talking)
    async with casework.reading() as session:
        rows = (
            await session.execute(
                select(Inbox.lane, func.count(), func.count(Inbox.external_id.distinct())).group_by(Inbox.lane)
            )
        ).all()
        unspoken = await session.scalar(
            text("SELECT count(*) FROM inbox i LEFT JOIN messages m ON m.conversation_id = i.lane AND m.seq = i.seq"
                 " WHERE m.id IS NULL")
        )  # fmt: skip
    assert len(rows) == 4
    assert all(count == different for _, count, different in rows)
    assert unspoken == 0


async def test_whoever_has_the_chat_open_sees_what_is_said_after_a_restore(
    casework: Casework, settings: Settings, tmp_path: Path
) -> None:
    conversation = await casework.open_conversation("web", "1")
    archive = await backup.save(settings, tmp_path / "kept.tar.gz")
    seen = [await say(casework, conversation, number) for number in range(3)][-1]
    await backup.restore(settings, archive)
    await say(casework, conversation, 4)
    assert [event["blocks"][0]["text"] for event in await casework.events_after(conversation, seen)] == ["word 4"]


async def test_an_archive_is_readable_by_its_owner_alone_and_holds_no_keys(
    settings: Settings, tmp_path: Path, db: AsyncEngine
) -> None:
    archive = await backup.save(settings)
    assert archive.parent == tmp_path / "backups"
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    with tarfile.open(archive) as tar:
        assert tar.getnames() == ["about.json", "database"]
    assert [path.name for path in archive.parent.iterdir()] == [archive.name]  # nothing half-done is left


async def test_an_older_backup_is_brought_to_the_newest_schema(
    casework: Casework, settings: Settings, tmp_path: Path
) -> None:
    config = database.alembic_config(settings.database_url)
    await asyncio.to_thread(command.downgrade, config, "0001")
    archive = await backup.save(settings, tmp_path / "old.tar.gz")
    await database.upgrade(settings.database_url, keys())
    await casework.open_conversation("telegram", "1")
    await backup.restore(settings, archive)
    assert await database.revision(settings.database_url) == database.newest()
    await casework.open_conversation("telegram", "1")


async def test_a_database_that_a_newer_release_has_migrated_gives_way_to_a_backup_of_this_one(
    casework: Casework, settings: Settings, tmp_path: Path, db: AsyncEngine
) -> None:
    archive = await backup.save(settings, tmp_path / "kept.tar.gz")
    async with db.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = await backup.restore(settings, archive)
    assert before is not None
    assert await database.revision(settings.database_url) == database.newest()
    with pytest.raises(BackupError, match="newer release"):
        await backup.restore(settings, before)


async def test_what_is_no_whole_backup_changes_nothing(casework: Casework, settings: Settings, tmp_path: Path) -> None:
    conversation = await casework.open_conversation("telegram", "1")
    await say(casework, conversation, 1)
    archive = await backup.save(settings, tmp_path / "kept.tar.gz")
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(archive.read_bytes()[:-200])
    for what in (cut, tmp_path / "nowhere.tar.gz"):
        with pytest.raises(BackupError, match="no whole backup"):
            await backup.restore(settings, what)
    assert await heard(casework) == ["1"]
    assert not (tmp_path / "backups").exists()


async def test_an_archive_is_never_written_over(settings: Settings, tmp_path: Path, db: AsyncEngine) -> None:
    (tmp_path / "kept.tar.gz").write_text("an earlier one")
    with pytest.raises(BackupError, match="exists already"):
        await backup.save(settings, tmp_path / "kept.tar.gz")


async def test_a_backup_of_the_other_kind_of_database_is_refused(
    settings: Settings, tmp_path: Path, migrated_sqlite: Path, migrated_postgresql: Path
) -> None:
    others = {
        "sqlite": postgres_url(migrated_postgresql, NAME),
        "postgresql": f"sqlite+aiosqlite:///{migrated_sqlite}",
    }
    other = Settings(
        database_url=others[settings.database_url.partition("+")[0]],
        files_dir=tmp_path / "files",
        data_key=DATA_KEY,
        keys_file=tmp_path / "k",
    )
    archive = await backup.save(other, tmp_path / "kept.tar.gz")
    with pytest.raises(BackupError, match="DATABASE_URL names"):
        await backup.restore(settings, archive)


@pytest.fixture(params=["sqlite", "postgresql"])
async def new_machine(request: pytest.FixtureRequest, tmp_path: Path, postgres: Path) -> AsyncIterator[str]:
    """The address of a database in which there is nothing yet."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'new' / 'waypoint.db'}"
        return
    await execute(postgres, "DROP DATABASE IF EXISTS new_machine WITH (FORCE)", "CREATE DATABASE new_machine")
    yield postgres_url(postgres, "new_machine")


async def test_a_new_machine_gets_everything_from_the_archive_alone(
    new_machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrated_sqlite: Path, migrated_postgresql: Path
) -> None:
    monkeypatch.setattr(backup, "FOLDER", tmp_path / "backups")
    kept = {
        "sqlite": f"sqlite+aiosqlite:///{migrated_sqlite}",
        "postgresql": postgres_url(migrated_postgresql, NAME),
    }[new_machine.partition("+")[0]]
    old = Settings(database_url=kept, files_dir=tmp_path / "old-files", data_key=DATA_KEY, keys_file=tmp_path / "k")
    new = Settings(
        database_url=new_machine, files_dir=tmp_path / "new-files", data_key=DATA_KEY, keys_file=tmp_path / "k"
    )
    old.files_dir.mkdir()
    (old.files_dir / "scan").write_bytes(b"a scan")
    assert await backup.restore(new, await backup.save(old, tmp_path / "kept.tar.gz")) is None
    assert set(await database.tables(new_machine)) == {"alembic_version", *Base.metadata.tables}
    assert (new.files_dir / "scan").read_bytes() == b"a scan"


async def test_an_empty_database_is_no_backup(new_machine: str, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="nothing to keep"):
        await backup.save(
            Settings(database_url=new_machine, files_dir=tmp_path, data_key=DATA_KEY), tmp_path / "kept.tar.gz"
        )
