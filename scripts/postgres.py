"""A private PostgreSQL for tests and trials: in a folder of its own, reached by a socket there, by nobody else."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import asyncpg

NAME = "postgres"  # of the one database; the server makes it itself
START_SECONDS = 60.0


class PostgresMissing(Exception):
    """PostgreSQL cannot be started here; the message says what to install."""


def programs() -> Path:
    """The folder with `initdb` and `postgres`; Debian keeps them out of the PATH. Raises PostgresMissing."""
    found = shutil.which("initdb")
    folders = (
        [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    )
    for folder in folders:
        if (folder / "postgres").exists():
            return folder
    raise PostgresMissing("PostgreSQL is not installed (Debian: apt-get install postgresql)")


def as_its_user() -> tuple[list[str], pwd.struct_passwd | None]:
    """What stands before a command, and whose the folder is: PostgreSQL refuses to run as root.

    Raises PostgresMissing.
    """
    if os.geteuid() != 0:
        return [], None
    try:
        account = pwd.getpwnam("postgres")  # Debian's package brings it
    except KeyError:
        raise PostgresMissing(
            "PostgreSQL does not run as root, and there is no user `postgres` (adduser --system postgres)"
        ) from None
    return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"], account


def address(socket: Path, name: str = NAME) -> str:
    """The address of one database."""
    return f"postgresql+asyncpg://postgres@/{name}?host={socket}"


class Cluster:
    """One server that can be killed and started again."""

    def __init__(self) -> None:
        self._programs = programs()
        self._before, account = as_its_user()
        # A socket's path may have 107 characters, and folders for temporary files may be too deep for that.
        self.home = Path(tempfile.mkdtemp(prefix="waypoint-pg-"))
        if account is not None:
            os.chown(self.home, account.pw_uid, account.pw_gid)
        self._process: asyncio.subprocess.Process | None = None
        self._run("initdb", "-A", "trust", "-U", "postgres", "-N", "-E", "UTF8", "--locale=C")

    @property
    def pid(self) -> int:
        """The process that starts all others. Raises LookupError when there is none."""
        if self._process is None:
            raise LookupError("PostgreSQL was not started")
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it answers; what a killed one has left behind may take a moment to go."""
        async with asyncio.timeout(START_SECONDS):
            while not await self._answers():
                if self._process is None or self._process.returncode is not None:
                    options = ("-k", str(self.home), "-h", "", "-c", "fsync=off")
                    self._process = await self._spawn("postgres", *options)
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """SIGKILL to the first process; its children notice by themselves."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def stop(self) -> None:
        """Stop it for good, and remove its folder."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGQUIT)  # at once: nothing is to be kept
            await self._process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(user="postgres", database=NAME, host=str(self.home), timeout=2)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            return False
        await connection.close()
        return True

    async def _spawn(self, program: str, *arguments: str) -> asyncio.subprocess.Process:
        with (self.home / "log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *self._command(program, arguments), cwd=self.home, stdout=log, stderr=log
            )

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(  # noqa: S603
            self._command(program, arguments), check=True, cwd=self.home, stdout=subprocess.DEVNULL
        )

    def _command(self, program: str, arguments: Sequence[str]) -> list[str]:
        return [*self._before, str(self._programs / program), "-D", str(self.home / "data"), *arguments]
