"""The real processes, started as `make run` starts them, and PostgreSQL, each of which can be killed."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import Select, text
from sqlalchemy.exc import DBAPIError

from bot import database
from bot.keyring import Keyring
from bot.model import Base
from scripts.postgres import Cluster
from scripts.run import actions_service, address, bot_service, engine_service, prepare, sandbox_service
from scripts.supervise import Service, Supervisor

OURS = ("TELEGRAM_", "COORDINATORS_", "DATABASE_", "SECRET_", "DATA_KEY", "ENGINE_", "ACTIONS_", "SANDBOX_", "DESK_")
PATIENCE = 300.0
LOOK = 0.05  # between two looks at another process
LINE = "line"  # between the bot and Telegram
POSTGRES = "postgresql"


class ChaosError(Exception):
    """The trial itself cannot go on; the message says why."""


class World:
    """All processes of one trial, with their data in a folder of its own."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder, self.kind = folder, kind
        self.cluster: Cluster | None = None
        self.restarts = 0
        self._notes = folder / "supervisor.log"
        self._supervisor = Supervisor(folder / "log", self._note, restarted=self._restarted, pauses=(0.1,), grace=40)
        self._watching: asyncio.Task[None] | None = None
        # A process that is frozen or starts keeps whoever asks it waiting: one patient client for all that people do.
        limits = httpx.Limits(max_connections=None, keepalive_expiry=1)  # the servers let go after 5 s
        self.http = httpx.AsyncClient(timeout=60, trust_env=False, limits=limits)

    def _note(self, line: str) -> None:
        with self._notes.open("a", encoding="utf-8") as notes:
            notes.write(f"{line}\n")

    def _restarted(self) -> None:
        self.restarts += 1

    async def start(self, tell: Callable[[str], None]) -> None:
        """Start everything and wait until it is ready. Raises ServiceError."""
        given = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        env = prepare(given | {"PORT": "0", "GROUP_SENDS_PER_MINUTE": "10000"}, self.folder)
        if self.kind == POSTGRES:
            self.cluster = await asyncio.to_thread(Cluster)
            await self.cluster.start()
            env["DATABASE_URL"] = f"postgresql://postgres@/postgres?host={self.cluster.home}"
        self.database_url = env["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")
        self.sandbox, self.address = env["SANDBOX_URL"], address(env)
        line = self._line(env)
        tell("Starting: the engine loads its model, which takes about 20 seconds")
        await self._supervisor.start(sandbox_service(env))
        state = (await self.http.get(f"{self.sandbox}/sandbox/state")).raise_for_status().json()
        env["COORDINATORS_CHAT_ID"] = str(state["group"])
        self.group, self.bot = int(state["group"]), int(state["bot"]["id"])
        self.coordinators = [int(each["id"]) for each in state["groups"][0]["members"] if each["id"] != self.bot]
        await self.order("limits", group_per_minute=None, overall_per_second=None)
        env["TELEGRAM_API_BASE"] = line.health.removesuffix("/sandbox/health")
        await self._supervisor.start(line, engine_service(env), actions_service(env))
        # In a trial the bot is no more vital than the others: it dies and comes back.
        self._bot = replace(bot_service(env), vital=False, health=f"{self.address}/healthz")
        await self._supervisor.start(self._bot)
        await self.until(self._is_ready, "everything is ready")
        self._watching = asyncio.create_task(self._supervisor.watch())
        self._db = database.connect(self.database_url)
        self._sessions = database.sessions(self._db, Keyring([env["DATA_KEY"]]))

    def _line(self, env: dict[str, str]) -> Service:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        command = (sys.executable, "-m", "chaos.wire", str(port), env["SANDBOX_PORT"])
        return Service(LINE, command, dict(os.environ), f"http://127.0.0.1:{port}/sandbox/health")

    async def stop(self) -> None:
        """Stop everything."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        await self._supervisor.stop()
        await self.http.aclose()
        if hasattr(self, "_db"):
            await self._db.dispose()
        if self.cluster is not None:
            await self.cluster.stop()

    # What can be done to it.

    def pid(self, name: str) -> int:
        """The process of a service now."""
        if name == POSTGRES and self.cluster is not None:
            return self.cluster.pid
        return self._supervisor.pids[name]

    async def kill(self, name: str) -> int:
        """SIGKILL. Returns the process that was."""
        pid = self.pid(name)
        if name == POSTGRES and self.cluster is not None:
            await self.cluster.kill()
            return pid
        self._signal(name, signal.SIGKILL)
        return pid

    def terminate(self, name: str) -> int:
        """SIGTERM: a stop in order. Returns the process that is to end."""
        pid = self.pid(name)
        self._signal(name, signal.SIGTERM)
        return pid

    async def back(self, name: str, before: int) -> None:
        """Wait until another process than the one `before` answers in its place."""
        if name == POSTGRES and self.cluster is not None:
            await self.cluster.start()
            return
        health = next(service.health for service in self._supervisor.services if service.name == name)

        async def answers() -> bool:
            if self.pid(name) == before:
                return False
            return (await self.http.get(health, timeout=2)).is_success

        await self.until(answers, f"{name} is back")

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """SIGSTOP to a process and all that it started, SIGCONT at the end."""
        processes = self._tree(name)
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        try:
            yield
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """No file that SQLite writes may grow or change: to the processes, the disk is full."""
        processes = [process for name in ("bot", "actions") for process in self._tree(name)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.rlimit(psutil.RLIMIT_FSIZE, (1, psutil.RLIM_INFINITY))
        try:
            yield
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))

    def _tree(self, name: str) -> list[psutil.Process]:
        try:
            root = psutil.Process(self.pid(name))
            return [root, *root.children(recursive=True)]
        except (psutil.NoSuchProcess, KeyError):  # it is just being restarted
            return []

    def _signal(self, name: str, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid(name), number)

    async def locked(self, seconds: float) -> None:
        """Keep the database's writers waiting for a while, as a backup or a careless colleague might."""
        try:
            async with self._db.begin() as connection:  # in SQLite that alone takes the one lock there is
                if self.kind == POSTGRES:
                    await connection.execute(text("LOCK TABLE inbox, outbox, cases IN ACCESS EXCLUSIVE MODE"))
                await asyncio.sleep(seconds)
        except (DBAPIError, OSError):
            return  # it was killed meanwhile

    async def order(self, path: str, **body: Any) -> dict[str, Any]:
        """Something that is done in Telegram, or to it."""
        answer = await self.http.post(f"{self.sandbox}/sandbox/{path}", json=body)
        if not answer.is_success:
            raise ChaosError(f"the sandbox refuses {path}: {answer.text}")
        found: dict[str, Any] = answer.json()
        return found

    async def clear(self) -> None:
        """Take all orders of faults back."""
        (await self.http.delete(f"{self.sandbox}/sandbox/faults")).raise_for_status()

    # What can be seen of it.

    async def read[T: Base](self, query: Select[T]) -> Sequence[T]:
        """Rows as the program reads them: opened."""
        found: list[T] = []

        async def look() -> bool:
            async with self._sessions() as session:
                await session.connection(execution_options={"read_only": True})
                found[:] = (await session.scalars(query)).all()
            return True

        await self.until(look, "the database answers")
        return found

    async def query(self, sql: str, **values: Any) -> list[Any]:
        """What the database holds; as often as it takes, since it is killed, too."""
        found: list[Any] = []

        async def look() -> bool:
            async with self._db.connect() as connection:
                await connection.execution_options(read_only=True)
                found[:] = (await connection.execute(text(sql), values)).all()
            return True

        await self.until(look, "the database answers")
        return found

    async def chat(self, chat: int, thread: int = 0) -> list[dict[str, Any]]:
        """What stands in a chat, or in a topic of it."""
        query = f"?thread={thread}" if thread else ""
        answer = (await self.http.get(f"{self.sandbox}/sandbox/chats/{chat}/messages{query}")).raise_for_status()
        return [message for message in answer.json() if not message["sandbox"]["deleted"]]

    async def topics(self) -> list[dict[str, Any]]:
        """The topics of the coordinators' group."""
        answer = (await self.http.get(f"{self.sandbox}/sandbox/chats/{self.group}/topics")).raise_for_status()
        return [topic for topic in answer.json() if not topic["deleted"]]

    async def until(self, holds: Callable[[], Any], what: str, patience: float = PATIENCE) -> None:
        """Wait until something holds; whatever cannot be asked now is asked again. Raises ChaosError."""
        clock = asyncio.get_running_loop().time
        end = clock() + patience
        while True:
            with suppress(httpx.HTTPError, DBAPIError, OSError, KeyError):
                if await holds():
                    return
            if clock() > end:
                raise ChaosError(f"waited {patience:.0f} s in vain until {what}")
            await asyncio.sleep(LOOK)

    async def _is_ready(self) -> bool:
        return (await self.http.get(f"{self.address}/readyz", timeout=10)).is_success

    def token(self) -> str:
        """Something unguessable, for a name that nobody else has."""
        return secrets.token_hex(4)

    def keep(self, name: str, what: Any) -> None:
        """Keep something beside the logs, for whoever looks for the cause."""
        (self.folder / name).write_text(json.dumps(what, indent=2, ensure_ascii=False) + "\n", "utf-8")
