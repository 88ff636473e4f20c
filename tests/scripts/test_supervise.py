import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from scripts.supervise import Service, ServiceError, Supervisor

CHILD = Path(__file__).with_name("child.py")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def child(name: str, *habits: str, patience: float = 30, vital: bool = False) -> Service:
    port = free_port()
    command = (sys.executable, str(CHILD), str(port), *habits)
    return Service(name, command, dict(os.environ), f"http://127.0.0.1:{port}/health", patience, vital)


def alive(pid: int) -> bool:
    """Whether the process runs; one that is dead and only waits to be reaped does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        await asyncio.sleep(0.02)


async def tell_to_die(service: Service) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(service.health.replace("/health", "/die"))


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
async def supervisor(tmp_path: Path, lines: list[str]) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(tmp_path, lines.append, pauses=(0.01, 0.02), grace=5)
    yield supervisor
    await supervisor.stop()


async def test_it_returns_when_every_service_answers(supervisor: Supervisor, lines: list[str]) -> None:
    one, two = child("one"), child("two")
    await supervisor.start(one, two)
    async with httpx.AsyncClient(trust_env=False) as http:
        assert [(await http.get(service.health)).status_code for service in (one, two)] == [200, 200]
    assert {line.split(" (")[0] for line in lines} == {"✓ one is ready", "✓ two is ready"}


async def test_it_says_which_service_did_not_start_and_shows_its_log(supervisor: Supervisor) -> None:
    with pytest.raises(ServiceError, match=r"(?s)engine stopped \(exit code 1\).*the model is missing"):
        await supervisor.start(child("sandbox"), child("engine", "broken"))


async def test_it_notices_the_death_of_one_service_while_it_waits_for_another(supervisor: Supervisor) -> None:
    engine, bot = child("engine"), child("bot", "unready", patience=60)
    await supervisor.start(engine)
    starting = asyncio.create_task(supervisor.start(bot))
    await until(lambda: "bot" in supervisor.pids, "the bot was started")
    await tell_to_die(engine)
    with pytest.raises(ServiceError, match="engine stopped"):
        await starting


async def test_it_says_what_a_service_that_never_gets_ready_is_missing(supervisor: Supervisor) -> None:
    with pytest.raises(ServiceError, match=r"bot was not ready after .*503 database: away"):
        await supervisor.start(child("bot", "unready", patience=1))


async def test_it_names_a_program_that_does_not_exist(supervisor: Supervisor) -> None:
    with pytest.raises(ServiceError, match="engine cannot be started: /no/such/python: No such file"):
        await supervisor.start(Service("engine", ("/no/such/python",), {}, "http://127.0.0.1:9/health"))


async def test_it_restarts_a_service_that_dies(supervisor: Supervisor, lines: list[str]) -> None:
    engine = child("engine")
    await supervisor.start(engine)
    first = supervisor.pids["engine"]
    watching = asyncio.create_task(supervisor.watch())
    for _ in range(3):
        lines.clear()
        await tell_to_die(engine)
        await until(lambda: any("engine is ready" in line for line in lines), "the engine was ready again")
    assert any("engine stopped (exit code 3)" in line and "a last word" in line for line in lines)
    assert supervisor.pids["engine"] != first
    watching.cancel()


async def test_it_pauses_longer_before_each_restart(supervisor: Supervisor, lines: list[str]) -> None:
    engine = child("engine")
    await supervisor.start(engine)
    watching = asyncio.create_task(supervisor.watch())
    pauses = []
    for _ in range(3):
        lines.clear()
        await tell_to_die(engine)
        await until(lambda: any("engine is ready" in line for line in lines), "the engine was ready again")
        pauses += [line.rsplit(" in ", 1)[1] for line in lines if "Starting it again" in line]
    assert pauses == ["0.01 s.", "0.02 s.", "0.02 s."]
    watching.cancel()


async def test_it_gives_up_when_a_vital_service_dies(supervisor: Supervisor) -> None:
    bot = child("bot", vital=True)
    await supervisor.start(child("engine"), bot)
    watching = asyncio.create_task(supervisor.watch())
    await tell_to_die(bot)
    with pytest.raises(ServiceError, match=r"(?s)bot stopped \(exit code 3\).*a last word"):
        await watching


async def test_it_stops_every_service_and_what_they_started(supervisor: Supervisor, tmp_path: Path) -> None:
    await supervisor.start(child("engine", "parent"), child("bot", vital=True))
    pids = [*supervisor.pids.values(), int((tmp_path / "engine.log").read_text())]
    assert all(alive(pid) for pid in pids)
    await supervisor.stop()
    for pid in pids:
        await until(lambda pid=pid: not alive(pid), f"process {pid} was gone")  # type: ignore[misc]


async def test_it_kills_a_service_that_does_not_stop(tmp_path: Path, lines: list[str]) -> None:
    supervisor = Supervisor(tmp_path, lines.append, grace=0.2)
    await supervisor.start(child("engine", "deaf"))
    pid = supervisor.pids["engine"]
    await supervisor.stop()
    assert not alive(pid)
    assert "! engine did not stop within 0.2 s and is killed." in lines


async def test_it_kills_at_once_when_the_stop_itself_is_cancelled(tmp_path: Path, lines: list[str]) -> None:
    supervisor = Supervisor(tmp_path, lines.append, grace=600)
    await supervisor.start(child("engine", "deaf"))
    pid = supervisor.pids["engine"]
    stopping = asyncio.create_task(supervisor.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    await until(lambda: not alive(pid), "the deaf process was gone")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent was killed")
async def test_no_process_survives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    engine = child("engine", "deaf")
    program = (
        "import asyncio, os, pathlib, sys; from scripts.supervise import Service, Supervisor\n"
        "async def main():\n"
        "    supervisor = Supervisor(pathlib.Path(sys.argv[1]), print)\n"
        "    await supervisor.start(Service('engine', sys.argv[3:], dict(os.environ), sys.argv[2]))\n"
        "    print(supervisor.pids['engine'], flush=True)\n"
        "    await supervisor.watch()\n"
        "asyncio.run(main())"
    )
    command = (sys.executable, "-c", program, str(tmp_path), engine.health, *engine.command)
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    assert b"engine is ready" in await process.stdout.readline()
    pid = int(await process.stdout.readline())
    assert alive(pid)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    await until(lambda: not alive(pid), "the engine was gone")
