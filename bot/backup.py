"""`make backup` and `make restore`: the database and the files as one archive, while everything runs.

The archive holds `about.json`, `database` (a SQLite file, or what pg_dump writes) and `files/`, all of it sealed, and
no keys. Those are in one file apart, KEYS_FILE, wrapped by DATA_KEY. It is replaced at every backup and whenever
somebody is erased, so that a person's key is destroyed for every archive there is. Keep three things in three places:
the archives; KEYS_FILE, of which only the newest copy; `var/secrets.env`, or wherever DATA_KEY comes from.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from bot import database, keys
from bot.database import StoreError
from bot.keyring import Keyring
from bot.keys import Kept, KeysUnreadable
from bot.sealing import BadKey
from bot.settings import Settings, SettingsError, load

FOLDER = Path("var/backups")
PATIENCE = 120.0  # seconds in which other processes have to let go of the database
ATTEMPTS = 20  # at the locks of PostgreSQL
GAP = 1_000  # messages of one conversation since the backup: whoever has their page open has seen numbers up to there
GO_ON_BEHIND = f"UPDATE conversations SET last_seq = last_seq + {GAP}"  # noqa: S608


class BackupError(Exception):
    """Nothing was kept, or nothing was brought back; the message says why and what to do."""


@dataclass(frozen=True)
class About:
    """What an archive says of itself."""

    made_at: str
    kind: str  # sqlite, postgresql
    revision: str  # of the schema
    keys: tuple[str, ...] = ()  # the ids of those that it was sealed with
    version: int = 1


async def save(settings: Settings, target: Path | None = None) -> Path:
    """Keep everything in an archive that this user alone can read. Returns its path.

    Raises BackupError and StoreError.
    """
    now = datetime.now(UTC)
    target = target or FOLDER / f"waypoint-{now:%Y-%m-%dT%H-%M-%SZ}.tar.gz"
    if target.exists():
        raise BackupError(
            f"{target} exists already. Give another name: make backup TO={target.with_name('other.tar.gz')}"
        )
    revision = await database.revision(settings.database_url)
    if not revision:
        raise BackupError("The database is empty: there is nothing to keep.")
    about = About(now.isoformat(), _kind(settings), revision)
    await asyncio.to_thread(_write, settings, target, about)
    return target


async def restore(settings: Settings, archive: Path) -> Path | None:
    """Bring back what an archive holds, in place of what is there. Returns where that is kept now, if there was any.

    Processes may run meanwhile: they wait, and then go on with what was brought back. Nothing is changed unless all of
    the archive can be read. Raises BackupError and StoreError.
    """
    with tempfile.TemporaryDirectory(prefix="waypoint-restore-") as name:
        folder = Path(name)
        about = await asyncio.to_thread(_read, archive, folder)
        if about.kind != _kind(settings):
            raise BackupError(f"{archive} is of {about.kind}, and DATABASE_URL names {_kind(settings)}. Set it to one.")
        if not database.known(about.revision):
            raise BackupError(f"{archive} was made by a newer release (schema {about.revision}). Restore it with that.")
        before = await _keep_what_is_there(settings)
        known = keys.joined(await _live_keys(settings), await asyncio.to_thread(keys.of_file, settings.keys_file))
        _see_that_they_open(settings, archive, about, known)
        await asyncio.to_thread(_bring_files, folder / "files", settings.files_dir)
        if about.kind == "sqlite":
            aside = f"sqlite+aiosqlite:///{folder / 'database'}"  # so that nobody sees it old, or without its keys
            await database.upgrade(aside, Keyring(settings.data_keys))
            await _put_back(aside, known)
            await asyncio.to_thread(_into_sqlite, folder / "database", database.sqlite_file(settings.database_url))
        else:
            tables = await database.tables(settings.database_url)
            await asyncio.to_thread(_into_postgresql, settings.database_url, folder / "database", tables)
            if about.keys:  # at once: processes that run read what was brought back already
                await _put_back(settings.database_url, known, erase=False)
            await database.upgrade(settings.database_url, Keyring(settings.data_keys))
            await _put_back(settings.database_url, known)
        await database.upgrade(settings.database_url, Keyring(settings.data_keys))
    return before


def _see_that_they_open(settings: Settings, archive: Path, about: About, known: Sequence[Kept]) -> None:
    """Without its keys an archive is worth nothing; better it is said before what is there gives way to it."""
    if set(about.keys) - {key.id for key in known}:
        raise BackupError(
            f"The keys of {archive} are not here. Put the newest copy of the file of keys in place: "
            f"{settings.keys_file} (KEYS_FILE). Nothing was changed."
        )
    wrapper = Keyring(settings.data_keys).wrapper
    if any(key.wrapped is not None and not wrapper.knows(key.wrapped_by) for key in known):
        raise BackupError(
            f"{settings.keys_file} was wrapped with another DATA_KEY. Set the one that was used then, or give it as "
            "DATA_KEY_OLD. Nothing was changed."
        )


async def _live_keys(settings: Settings) -> list[Kept]:
    if "data_keys" not in await database.tables(settings.database_url):
        return []
    return await database.read(settings.database_url, keys.of_database)


async def _put_back(url: str, known: Sequence[Kept], *, erase: bool = True) -> None:
    engine = database.connect(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(keys.put_back, known)
            if erase:
                await connection.run_sync(keys.erase_the_unreadable)
    finally:
        await engine.dispose()


async def _keep_what_is_there(settings: Settings) -> Path | None:
    """A wrong archive is named easily, and what it replaces may be all there is."""
    if not await database.tables(settings.database_url):
        return None
    now = datetime.now(UTC)
    target = FOLDER / f"before-restore-{now:%Y-%m-%dT%H-%M-%S-%fZ}.tar.gz"
    about = About(now.isoformat(), _kind(settings), await database.revision(settings.database_url, any_release=True))
    await asyncio.to_thread(_write, settings, target, about)
    return target


def _kind(settings: Settings) -> str:
    return "sqlite" if settings.database_url.startswith("sqlite") else "postgresql"


# The archive.


def _write(settings: Settings, target: Path, about: About) -> None:
    """The database first: a file that it names was there before, and is kept after it."""
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as name:
            folder, unfinished = Path(name), Path(name) / target.name
            dump = _out_of_sqlite if about.kind == "sqlite" else _out_of_postgresql
            dump(settings.database_url, folder / "database")
            # After the copy: it has the keys of all that is in it.
            if kept := asyncio.run(_live_keys(settings)):
                about = replace(about, keys=tuple(key.id for key in kept if key.wrapped is not None))
                keys.renew(settings.keys_file, kept)
            (folder / "about.json").write_text(json.dumps(asdict(about), indent=2) + "\n", "utf-8")
            unfinished.touch(mode=0o600)
            with tarfile.open(unfinished, "w:gz") as tar:
                for part in ("about.json", "database"):
                    tar.add(folder / part, part)
                _add_files(tar, settings.files_dir)
            with unfinished.open("rb") as written:
                os.fsync(written.fileno())
            unfinished.rename(target)
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}. Name another place: TO=…") from None


def _add_files(tar: tarfile.TarFile, files: Path) -> None:
    for path in sorted(files.rglob("*")) if files.is_dir() else ():
        if path.is_file() and not path.is_symlink():
            try:
                tar.add(path, f"files/{path.relative_to(files)}", recursive=False)
            except FileNotFoundError:  # somebody's data was erased meanwhile
                continue


def _read(archive: Path, folder: Path) -> About:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(folder, filter="data")
        about = About(**json.loads((folder / "about.json").read_text("utf-8")))
        if not (folder / "database").is_file():
            raise KeyError("database")
    except (OSError, EOFError, tarfile.TarError, ValueError, TypeError, KeyError) as error:
        raise BackupError(f"{archive} is no whole backup ({type(error).__name__}). Nothing was changed.") from None
    return about


def _bring_files(kept: Path, files: Path) -> None:
    """Files keep their names for ever, so one that is there is the same."""
    for path in sorted(kept.rglob("*")) if kept.is_dir() else ():
        place = files / path.relative_to(kept)
        if path.is_file() and not place.exists():
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copy2(path, place)


# SQLite.


def _out_of_sqlite(url: str, copy: Path) -> None:
    """A copy as of one moment; whoever writes meanwhile goes on writing."""
    with closing(_sqlite(database.sqlite_file(url), "rw")) as live, closing(_sqlite(copy, "rwc")) as kept:
        live.backup(kept)
        kept.execute("PRAGMA journal_mode=DELETE")  # one file, not three
        if kept.execute("SELECT 1 FROM sqlite_master WHERE name = 'data_keys'").fetchone():
            kept.execute("DELETE FROM data_keys")
            kept.commit()
            kept.execute("VACUUM")
        if (found := kept.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
            raise BackupError(f"The database is damaged: {found}. Keep its files aside, and restore an older backup.")


def _into_sqlite(copy: Path, live: Path) -> None:
    """In one transaction: until it ends others read what was there, and who writes waits."""
    waited = 0

    def look(status: int, remaining: int, total: int) -> None:
        nonlocal waited
        waited += 1
        if waited * 0.1 > PATIENCE:
            raise BackupError("Another program does not let go of the database. Stop it, and try again.")

    with closing(_sqlite(copy, "rw")) as kept, closing(_sqlite(live, "rwc")) as target:
        kept.execute(GO_ON_BEHIND)
        kept.commit()
        kept.execute("PRAGMA journal_mode=DELETE")
        kept.backup(target, progress=look, sleep=0.1)
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # what was there before is not kept in the log


def _sqlite(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=PATIENCE)


# PostgreSQL, by its own programs.


def _out_of_postgresql(url: str, dump: Path) -> None:
    names = [f"--table={table}" for table in asyncio.run(database.tables(url))]
    _run(
        url,
        "pg_dump",
        "--format=custom",
        "--no-owner",
        "--no-privileges",
        "--exclude-table-data=data_keys",
        f"--file={dump}",
        *names,
    )


def _into_postgresql(url: str, dump: Path, tables: Sequence[str]) -> None:
    """In one transaction, before which the others' end and after which theirs begin."""
    script = dump.with_suffix(".sql")
    _run("", "pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(dump))
    first, last = dump.with_suffix(".first.sql"), dump.with_suffix(".last.sql")
    dropped = ", ".join(f'"{table}"' for table in tables)
    first.write_text(f"SET lock_timeout = '20s';\n{f'DROP TABLE {dropped} CASCADE;' if tables else ''}\n", "utf-8")
    last.write_text(f"RESET search_path;\n{GO_ON_BEHIND};\n", "utf-8")
    files = [f"--file={each}" for each in (first, script, last)]
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _run(url, "psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", *files)
            return
        except BackupError as error:  # whoever held a lock may have waited for one of ours
            if attempt == ATTEMPTS or not any(why in str(error) for why in ("deadlock detected", "lock timeout")):
                raise


def _run(url: str, program: str, *arguments: str) -> None:
    address, secrets = database.for_libpq(url) if url else ("", {})
    command = [program, *([f"--dbname={address}"] if url else []), *arguments]
    try:
        done = subprocess.run(  # noqa: S603
            command, env=os.environ | secrets, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
    except FileNotFoundError:
        raise BackupError(
            f"{program} is not here. Install PostgreSQL's client programs, at least as new as the server "
            "(Debian: apt-get install postgresql-client)."
        ) from None
    if done.returncode:
        raise BackupError(f"{program} failed, and nothing was changed: {done.stderr.strip()[-500:]}")


# The command line.


def main(arguments: list[str] | None = None) -> int:
    """Keep, or bring back; returns the exit code."""
    parser = argparse.ArgumentParser(prog="backup", description="Keep the database and the files, or bring them back.")
    parser.add_argument("--to", type=Path, help=f"the archive to write (a new one in {FOLDER})")
    parser.add_argument("--restore", metavar="ARCHIVE", help="bring back what this archive holds")
    options = parser.parse_args(arguments)
    try:
        settings = load()
        if options.restore is None:
            print(f"Kept: {asyncio.run(save(settings, options.to))}")
            print(
                f"It is sealed, and holds no keys: keep {settings.keys_file} in another place, its newest copy alone, "
                "and DATA_KEY (var/secrets.env) in a third."
            )
            return 0
        if not options.restore:
            raise BackupError(f"Name the archive, for instance: make restore FROM={FOLDER}/waypoint-….tar.gz")
        before = asyncio.run(restore(settings, Path(options.restore)))
    except (BackupError, StoreError, SettingsError, BadKey, KeysUnreadable) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Brought back: {options.restore}")
    if before is not None:
        print(f"What stood there before is kept: {before}")
    print("What was said after the backup is gone. Whoever was erased since is erased still.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
