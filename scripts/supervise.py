"""Start processes, wait until each is ready, restart what dies, and stop all of them together."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

POLL = 0.1  # seconds between two looks at a process that is starting
LONG_LIFE = 60.0  # a process that lived this many seconds is healthy again: its next restart does not have to wait
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class ServiceError(Exception):
    """A process did not start or did not stay; the message says which, and shows the end of its log."""


@dataclass(frozen=True, eq=False)
class Service:
    """One process: its command, its whole environment, and the address that answers 200 once it is ready."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)  # it carries secrets
    health: str
    patience: float = 60.0
    vital: bool = False  # when it dies everything stops; any other process is restarted


class Supervisor:
    """Keeps a set of services alive. `tell` gets one line for each thing that a person should know."""

    def __init__(
        self,
        logs: Path,
        tell: Callable[[str], None],
        *,
        restarted: Callable[[], None] = lambda: None,
        pauses: Sequence[float] = (1, 2, 4, 8, 16, 30),
        grace: float = 10.0,
    ) -> None:
        self._logs = logs
        self._tell = tell
        self._restarted = restarted
        self._pauses = pauses
        self._grace = grace
        self._running: dict[Service, asyncio.subprocess.Process] = {}
        # trust_env is off so that a proxy meant for the internet is never asked about this machine's own processes.
        self._http = httpx.AsyncClient(timeout=5.0, trust_env=False)

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by service name."""
        return {service.name: process.pid for service, process in self._running.items()}

    @property
    def services(self) -> list[Service]:
        """What runs."""
        return list(self._running)

    async def start(self, *services: Service) -> None:
        """Start the services side by side and return when all are ready. Raises ServiceError."""
        for service in services:
            log = self._log(service)
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_bytes(b"")
            await self._spawn(service)
        await self._until_ready(services, alive=tuple(self._running))

    async def watch(self) -> None:
        """Restart whatever dies, for ever. Raises ServiceError when a vital service dies."""
        try:
            async with asyncio.TaskGroup() as group:
                for service in self._running:
                    group.create_task(self._keep(service))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def stop(self) -> None:
        """Stop every process: what faces people first, then what it leans on. None survives, even a cancelled call."""
        try:
            await self._end([service for service in self._running if service.vital])
            await self._end(list(self._running))
            await self._http.aclose()
        finally:
            for process in self._running.values():
                _signal_group(process, signal.SIGKILL)

    async def _spawn(self, service: Service) -> None:
        with self._log(service).open("ab") as log:
            try:
                self._running[service] = await asyncio.create_subprocess_exec(
                    *service.command,
                    env=service.environment,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    # A session of its own: Ctrl-C reaches the supervisor alone, which then stops things in order.
                    start_new_session=True,
                    preexec_fn=_die_with_parent(os.getpid()),
                )
            except OSError as error:
                raise ServiceError(
                    f"{service.name} cannot be started: {service.command[0]}: {error.strerror}"
                ) from None

    async def _until_ready(self, services: Sequence[Service], alive: Sequence[Service]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        pending = list(services)
        while pending:
            for service in alive:
                if self._running[service].returncode is not None:
                    raise ServiceError(self._died(service))
            for service in tuple(pending):
                answer = await self._ask(service)
                if answer == "":
                    pending.remove(service)
                    self._tell(f"✓ {service.name} is ready ({loop.time() - began:.0f} s)")
                elif loop.time() - began > service.patience:
                    raise ServiceError(
                        f"{service.name} was not ready after {service.patience:.0f} s: {answer}{self._tail(service)}"
                    )
            if pending:
                await asyncio.sleep(POLL)

    async def _ask(self, service: Service) -> str:
        """'' when the service is ready, else what it said."""
        try:
            answer = await self._http.get(service.health)
        except httpx.HTTPError as error:
            return f"no answer from {service.health} ({type(error).__name__})"
        return "" if answer.status_code == 200 else f"{service.health} says {answer.status_code} {answer.text[:500]}"

    async def _keep(self, service: Service) -> None:
        loop = asyncio.get_running_loop()
        deaths = 0
        while True:
            began = loop.time()
            await self._running[service].wait()
            if service.vital:
                raise ServiceError(self._died(service))
            deaths = 0 if loop.time() - began > LONG_LIFE else deaths
            pause = self._pauses[min(deaths, len(self._pauses) - 1)]
            deaths += 1
            self._tell(f"! {self._died(service, lines=3)}\n  Starting it again in {pause:g} s.")
            await asyncio.sleep(pause)
            _signal_group(self._running[service], signal.SIGKILL)  # whatever the dead process had started itself
            try:
                await self._spawn(service)
                self._restarted()
                await self._until_ready([service], alive=[service])
            except ServiceError as error:
                self._tell(f"! {error}")
                _signal_group(self._running[service], signal.SIGKILL)

    async def _end(self, services: Sequence[Service]) -> None:
        processes = [self._running[service] for service in services]
        for process in processes:
            _signal_group(process, signal.SIGTERM)
        if processes:
            await asyncio.wait([asyncio.create_task(process.wait()) for process in processes], timeout=self._grace)
        for service, process in zip(services, processes, strict=True):
            if process.returncode is None:
                self._tell(f"! {service.name} did not stop within {self._grace:g} s and is killed.")
            _signal_group(process, signal.SIGKILL)  # also reaches children that outlived their parent
            await process.wait()
            del self._running[service]

    def _log(self, service: Service) -> Path:
        return self._logs / f"{service.name}.log"

    def _died(self, service: Service, lines: int = 15) -> str:
        code = self._running[service].returncode or 0
        how = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
        return f"{service.name} stopped ({how}).{self._tail(service, lines)}"

    def _tail(self, service: Service, lines: int = 15) -> str:
        log = self._log(service)
        with suppress(OSError):
            last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
            return f" The end of {log}:\n" + "\n".join(f"    {line}" for line in last or ["(empty)"])
        return ""


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS says EPERM of a group that holds only dead processes
        os.killpg(process.pid, number)


def _die_with_parent(parent: int) -> Callable[[], None] | None:
    """On Linux, what makes a child die with us even when we are killed with SIGKILL and cannot stop it ourselves."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def in_the_child() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return in_the_child
