"""PostgreSQL for the tests: a private server, started once, reached by a socket in its own folder."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from scripts.postgres import NAME, PostgresMissing, address, as_its_user, programs


def postgres_url(socket: Path, name: str) -> str:
    """The address of one database."""
    return address(socket, name)


def new_database(socket: Path, name: str) -> str:
    """Make another database. Returns its address."""

    async def make() -> None:
        connection = await asyncpg.connect(user="postgres", database=NAME, host=str(socket))
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    asyncio.run(make())
    return address(socket, name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """The socket folder of a running PostgreSQL."""
    try:
        folder, (before, account) = programs(), as_its_user()
    except PostgresMissing as missing:
        pytest.skip(f"{missing}, so its half of the tests cannot run")
    # A socket's path may have 107 characters, and pytest's folders are too deep for that.
    home = Path(tempfile.mkdtemp(prefix="waypoint-pg-"))
    if account is not None:
        os.chown(home, account.pw_uid, account.pw_gid)

    def run(program: str, *arguments: str) -> None:
        command = [*before, str(folder / program), "-D", str(home / "data"), *arguments]
        subprocess.run(command, check=True, cwd=home, stdout=subprocess.DEVNULL)

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
