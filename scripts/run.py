"""Run Waypoint on this machine: engine, actions, bot, and without a Telegram token the sandbox (`make run`).

Everything listens on 127.0.0.1 alone. What each process says goes to var/log/<name>.log.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import secrets
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import httpx
from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # so that `python scripts/run.py` finds the packages, as `python -m scripts.run` does

from scripts.supervise import Service, ServiceError, Supervisor  # noqa: E402

STOP_SECONDS = 50.0  # for what is in hand; more is only waited for when something hangs (bot/stopping.py)
SANDBOX_TOKEN = "1000001:sandbox"  # noqa: S105  # opens nothing but the local sandbox
WITHHELD = (
    "TELEGRAM_BOT_TOKEN",
    "SECRET_KEY",
    "DATA_KEY",
    "DATA_KEY_OLD",
    "DATABASE_URL",
)  # from processes that have no use for them


class StartError(Exception):
    """Waypoint cannot start; the message is a sentence that says what to do."""


def prepare(given: Mapping[str, str], var: Path) -> dict[str, str]:
    """The environment that the processes share: what was given, and ports, addresses and secrets for the rest.

    Raises StartError when a port is not a number or the address that people would open is taken.
    """
    env = dict(given)
    host = env["HOST"] = given.get("HOST") or "127.0.0.1"
    port = _port(given, "PORT", 8080)
    if not _is_free(host, port):
        raise StartError(
            f"Port {port} is in use by another program, perhaps a Waypoint that already runs. "
            f"Stop it, or choose another port: PORT={port + 10} make run"
        )
    env["PORT"] = str(port)
    # Given ports are kept; the others only have to be free, since nobody types them.
    env["ENGINE_PORT"] = str(_port(given, "ENGINE_PORT", 0))
    env["ACTIONS_PORT"] = str(_port(given, "ACTIONS_PORT", 0))
    env["ENGINE_URLS"] = f"http://127.0.0.1:{env['ENGINE_PORT']}"
    env["ACTIONS_URL"] = f"http://127.0.0.1:{env['ACTIONS_PORT']}"
    for name in ("ENGINE_SECRET", "ACTIONS_SECRET"):
        if not _has(given, name):
            env[name] = secrets.token_urlsafe(32)
    missing = [name for name in ("SECRET_KEY", "DATA_KEY") if not _has(given, name)]
    env |= _kept_secrets(var / "secrets.env", missing)
    env.setdefault("KEYS_FILE", str(var / "waypoint.keys"))
    if not _has(given, "DATABASE_URL"):
        env["DATABASE_URL"] = f"sqlite+aiosqlite:///{var / 'waypoint.db'}"
    env.setdefault("FILES_DIR", str(var / "files"))
    env["PYTHONUNBUFFERED"] = "1"  # so that a log is whole when a process is killed
    if not _has(given, "TELEGRAM_BOT_TOKEN"):
        sandbox = _port(given, "SANDBOX_PORT", port + 1 if _is_free("127.0.0.1", port + 1) else 0)
        env["SANDBOX_PORT"] = str(sandbox)
        env["SANDBOX_TOKEN"] = env["TELEGRAM_BOT_TOKEN"] = SANDBOX_TOKEN
        env["SANDBOX_URL"] = env["TELEGRAM_API_BASE"] = f"http://127.0.0.1:{sandbox}"
    return env


def sandbox_service(env: Mapping[str, str]) -> Service:
    """The local Telegram."""
    return Service("sandbox", _python("sandbox"), _without_secrets(env), f"{env['SANDBOX_URL']}/sandbox/health")


def engine_service(env: Mapping[str, str]) -> Service:
    """The dialogue engine, in its own Python. Importing TensorFlow takes 10 to 20 s, far longer from a cold disk."""
    command = (str(ROOT / "engine/.venv/bin/python"), "-m", "engine")
    return Service("engine", command, _without_secrets(env), f"{env['ENGINE_URLS']}/health", patience=300)


def actions_service(env: Mapping[str, str]) -> Service:
    """The action server."""
    return Service("actions", _python("actions"), env, f"{env['ACTIONS_URL']}/health")


def bot_service(env: Mapping[str, str]) -> Service:
    """What faces people. Nothing is worth keeping up without it."""
    return Service("bot", _python("bot"), env, f"{address(env)}/readyz", vital=True)


def address(env: Mapping[str, str]) -> str:
    """Where a browser on this machine finds the bot."""
    host = "127.0.0.1" if env["HOST"] in ("0.0.0.0", "::") else env["HOST"]  # noqa: S104
    return f"http://[{host}]:{env['PORT']}" if ":" in host else f"http://{host}:{env['PORT']}"


async def run(env: dict[str, str], var: Path, state_file: Path | None, console: Console) -> None:
    """Start everything, say where it is, and keep it up until this task is cancelled. Raises ServiceError."""

    def write_state() -> None:
        if state_file is not None:
            state = {"address": address(env), "sandbox": env.get("SANDBOX_URL"), "pids": supervisor.pids}
            _write_private(state_file, json.dumps(state))

    def tell(line: str) -> None:
        console.print(line, markup=False, highlight=False)

    supervisor = Supervisor(var / "log", tell, restarted=write_state, grace=STOP_SECONDS)
    ready = False
    try:
        with console.status("Starting: the engine loads its model, which takes about 20 seconds"):
            if "SANDBOX_URL" in env:
                await supervisor.start(sandbox_service(env))
                env["COORDINATORS_CHAT_ID"] = await _coordinators_chat(env["SANDBOX_URL"])
            await supervisor.start(engine_service(env), actions_service(env))
            await supervisor.start(bot_service(env))
        write_state()
        ready = True
        tell(f"\nWaypoint is ready: {address(env)}")
        if "SANDBOX_URL" in env:
            beside = f"{env['SANDBOX_URL']}/sandbox?widget={address(env)}"
            tell(f"No TELEGRAM_BOT_TOKEN is set, so Telegram is simulated: {beside}")
        tell(f"Logs are in {var / 'log'}. Ctrl-C stops everything.")
        await supervisor.watch()
    finally:
        if ready:
            tell("\nStopping")
        if state_file is not None:
            state_file.unlink(missing_ok=True)
        await supervisor.stop()


async def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="run.py", description="Run Waypoint on this machine.")
    parser.add_argument("--state-file", type=_path, help="when ready, write {address, sandbox, pids} here as JSON")
    parser.add_argument("--var", type=_path, default=Path("var"), help="folder for the database, logs and keys (var)")
    options = parser.parse_args(arguments)
    os.chdir(ROOT)  # the processes find the guide, the model and var/ relative to it
    console = Console(soft_wrap=True)
    try:
        env = prepare(os.environ, options.var)
        task = asyncio.create_task(run(env, options.var, options.state_file, console))
        _cancel_on_signals(task)
        await task
    except asyncio.CancelledError:
        return 0
    except (StartError, ServiceError) as error:
        console.print(str(error), markup=False, highlight=False, style="red")
        return 1
    return 0


def _cancel_on_signals(task: asyncio.Task[None]) -> None:
    """The first signal stops everything in order; a second one, from someone who will not wait, kills at once."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup asks us to ignore SIGHUP
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)


async def _coordinators_chat(sandbox: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as http:
        state = (await http.get(f"{sandbox}/sandbox/state")).raise_for_status().json()
    return str(state["group"])


def _kept_secrets(path: Path, names: Sequence[str]) -> dict[str, str]:
    """Secrets that must be the same at every start, made once: lines NAME=value that only this user can read."""
    if not names:
        return {}
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = dict(line.split("=", 1) for line in lines if "=" in line)
    made = {name: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode() for name in names if not kept.get(name)}
    if made:
        kept |= made
        _write_private(path, "".join(f"{name}={value}\n" for name, value in kept.items()))
    # The one before it is written there by whoever exchanges it.
    older = {"DATA_KEY_OLD": kept["DATA_KEY_OLD"]} if "DATA_KEY" in names and kept.get("DATA_KEY_OLD") else {}
    return {name: kept[name] for name in names} | older


def _write_private(path: Path, text: str) -> None:
    """Replace the file in one step, readable by this user alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


def _without_secrets(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.removesuffix("_FILE") not in WITHHELD}


def _has(env: Mapping[str, str], name: str) -> bool:
    return bool(env.get(name) or env.get(f"{name}_FILE"))


def _python(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module)


def _path(argument: str) -> Path:
    return Path(argument).resolve()


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    """The port that the variable names, or the default; 0 means any free one. Raises StartError."""
    text = env.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise StartError(f"{name} is {text!r}, which is not a port. Give a number from 1 to 65535.")
    return int(text) or free_port()


def free_port() -> int:
    """A port of the loopback interface that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe, suppress(OSError, OverflowError):
        # As servers do, so that connections which linger after a stop do not count as a program that listens.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return True
    return False


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
