"""PostgreSQL for the tests: a private server, started once, reached by a socket in its own folder."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

NAME = "postgres"  # of the one database; the server makes it itself


def postgres_url(socket: Path, name: str) -> str:
    """The address of one database."""
    return f"postgresql+asyncpg://postgres@/{name}?host={socket}"


def _postgres_programs() -> Path | None:
    """The folder with `initdb` and `pg_ctl`; Debian keeps them out of the PATH."""
    found = shutil.which("initdb")
    folders = (
        [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    )
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)


def new_database(socket: Path, name: str) -> str:
    """Make another database. Returns its address."""

    async def make() -> None:
        connection = await asyncpg.connect(user="postgres", database=NAME, host=str(socket))
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    asyncio.run(make())
    return f"postgresql+asyncpg://postgres@/{name}?host={socket}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """The socket folder of a running PostgreSQL."""
    programs = _postgres_programs()
    if programs is None:
        pytest.skip(
            "PostgreSQL is not installed (Debian: apt-get install postgresql), so its half of the tests cannot run"
        )
    # A socket's path may have 107 characters, and pytest's folders are too deep for that.
    home = Path(tempfile.mkdtemp(prefix="waypoint-pg-"))
    # PostgreSQL refuses to run as root: Debian's package brings a user for it.
    as_user: list[str] = []
    if os.geteuid() == 0:
        try:
            account = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user `postgres` (adduser --system postgres)")
        os.chown(home, account.pw_uid, account.pw_gid)
        as_user = ["runuser", "-u", "postgres", "--"]

    def run(program: str, *arguments: str) -> None:
        subprocess.run([*as_user, str(programs / program), "-D", str(home / "data"), *arguments], check=True, cwd=home,
                       stdout=subprocess.DEVNULL)  # fmt: skip

    try:
        run("initdb", "-A", "trust", "-U", "postgres", "-N", "-E", "UTF8", "--locale=C")
        options = f"-k {home} -h '' -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        run("pg_ctl", "-w", "-o", options, "-l", str(home / "log"), "start")
        try:
            yield home
        finally:
            run("pg_ctl", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)
