"""What deploy/compose.yml describes, as processes of this machine: its commands, its settings, its nginx, its names.

There is no Docker in tests, but a wrong name of a setting, a proxy that holds streams back, or two processes that
disagree would show here, too. Each service gets a loopback address of its own, so that its port stays as it is; the
files under /run/secrets and nginx's paths are put into a folder. PostgreSQL is a private one, Telegram the sandbox.
"""

from __future__ import annotations

import base64
import os
import random
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from scripts.postgres import NAME, Cluster, address
from scripts.run import SANDBOX_TOKEN, free_port, sandbox_service
from scripts.supervise import Service, Supervisor

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = ROOT / "deploy" / "compose.yml"
NGINX = ROOT / "deploy" / "nginx.conf"
PYTHONS = {"waypoint-app": sys.executable, "waypoint-engine": str(ROOT / "engine/.venv/bin/python")}
HEALTH = {"bot": "8080/readyz", "actions": "5055/health", "engine": "5005/health"}
# As the images set them (deploy/*.Dockerfile), but for the addresses: here each service has its own.
OF_IMAGE = {"HOST": "{here}", "PORT": "8080", "ACTIONS_HOST": "{here}", "ACTIONS_PORT": "5055", "ENGINE_HOST": "{here}"}
GROUP = "-1001000000001"  # of the sandbox


class StackMissing(Exception):
    """Something that the stack needs is not installed; the message says what."""


class Stack:
    """The services of the compose file. `leave_out` names those that are not started."""

    def __init__(self, folder: Path, tell: Callable[[str], None], leave_out: Sequence[str] = ()) -> None:
        if shutil.which("nginx") is None:
            raise StackMissing("nginx is not installed (Debian: apt-get install nginx-light)")
        self.folder, self._leave_out = folder, leave_out
        self._compose: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
        net = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}"  # noqa: S311  # beside other stacks
        self.hosts = {name: f"{net}.{number}" for number, name in enumerate(self._compose, 10)}
        self.address = f"https://{self.hosts['proxy']}:8443"
        self.sandbox = f"http://127.0.0.1:{free_port()}"
        self._cluster = Cluster()
        self._supervisor = Supervisor(folder / "log", tell, grace=40)

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by service."""
        return self._supervisor.pids

    def bot(self, name: str) -> str:
        """The address of one bot, behind the proxy."""
        return f"http://{self.hosts[name]}:8080"

    async def start(self) -> None:
        """Start everything and wait until it is ready. Raises ServiceError."""
        await self._cluster.start()
        self._write_secrets()
        self._write_certificate()
        port = self.sandbox.rpartition(":")[2]
        sandbox = {"SANDBOX_URL": self.sandbox, "SANDBOX_PORT": port, "SANDBOX_TOKEN": SANDBOX_TOKEN}
        telegram = sandbox_service({**os.environ, **sandbox})
        apps = [self._service(name) for name in self._compose if name not in (*self._leave_out, "postgres", "proxy")]
        await self._supervisor.start(telegram, *apps)
        await self._supervisor.start(self._proxy())

    async def stop(self) -> None:
        """Stop all of it."""
        await self._supervisor.stop()
        await self._cluster.stop()

    def _service(self, name: str) -> Service:
        described = self._compose[name]
        program, *arguments = described["command"]
        here = self.hosts[name]
        given = {"PUBLIC_URL": self.address, "COORDINATORS_CHAT_ID": GROUP}
        settings = {key: _filled(str(value), given) for key, value in described["environment"].items()}
        environment = {
            "PATH": os.environ["PATH"],
            "FILES_DIR": str(self.folder / "files"),
            "KEYS_FILE": str(self.folder / "waypoint.keys"),
            "LOG_FORMAT": "json",
            "TELEGRAM_API_BASE": self.sandbox,
            "GROUP_SENDS_PER_MINUTE": "10000",
            "MESSAGES_PER_MINUTE": "10000",
            **{key: value.format(here=here) for key, value in OF_IMAGE.items()},
            **{key: self._placed(value) for key, value in settings.items()},
        }
        if program != "python":
            raise ValueError(f"{name} is started with {program}, which this knows nothing of")
        health = f"http://{here}:{HEALTH[name.partition('-')[0]]}"
        command = (PYTHONS[described["image"]], *arguments)
        return Service(name, command, environment, health, patience=120, vital=name.startswith("bot"))

    def _placed(self, value: str) -> str:
        """A setting, with the secrets' folder and the services' names as they are here."""
        value = value.replace("/run/secrets", str(self.folder / "secrets"))
        return re.sub(r"http://([a-z]+-\d)", lambda match: f"http://{self.hosts[match.group(1)]}", value)

    def _write_secrets(self) -> None:
        folder = self.folder / "secrets"
        folder.mkdir(parents=True)
        values = {"database_url": address(self._cluster.home, NAME), "telegram_bot_token": SANDBOX_TOKEN}
        for name in yaml.safe_load(COMPOSE.read_text("utf-8"))["secrets"]:
            (folder / name).write_text(values.get(name) or secrets.token_urlsafe(32))
        (folder / "data_key").write_text(base64.b64encode(secrets.token_bytes(32)).decode())

    def _write_certificate(self) -> None:
        folder = self.folder / "tls"
        folder.mkdir()
        subject = ["-subj", "/CN=waypoint.example", "-addext", f"subjectAltName=IP:{self.hosts['proxy']}"]
        files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603

    def _proxy(self) -> Service:
        text = nginx_here(NGINX.read_text("utf-8"), self.folder, self.hosts, self._leave_out)
        conf = self.folder / "nginx.conf"
        conf.write_text(text)
        command = ("nginx", "-c", str(conf), "-g", "daemon off;")
        return Service("proxy", command, {"PATH": os.environ["PATH"]}, f"http://{self.hosts['proxy']}:8082/")


def nginx_here(text: str, folder: Path, hosts: Mapping[str, str], leave_out: Sequence[str] = ()) -> str:
    """nginx's configuration with the names, paths and addresses of this machine, and a port that says it is up."""
    here = hosts["proxy"]
    for name in leave_out:
        text = re.sub(rf"\n\s*server {name}:.*", "", text)
    text = re.sub(r"server (bot-\d):", lambda match: f"server {hosts[match.group(1)]}:", text)
    text = re.sub(r"\n\s*listen \[::\].*", "", text)
    text = re.sub(r"listen (\d+)", rf"listen {here}:\1", text)
    text = text.replace("/tmp/", f"{folder}/").replace("/etc/nginx/tls", str(folder / "tls"))  # noqa: S108
    text = text.replace("pid /run/nginx.pid;", f"pid {folder}/nginx.pid;\nuser root;" if os.geteuid() == 0 else "")
    if _older("1.25.1"):
        text = text.replace("http2 on;", "")
    return text.replace("http {", f"http {{ server {{ listen {here}:8082; return 200; }}", 1)


def _older(version: str) -> bool:
    told = subprocess.run(["nginx", "-v"], check=True, capture_output=True, text=True).stderr  # noqa: S607
    found = re.search(r"nginx/([\d.]+)", told)
    return found is not None and _parts(found.group(1)) < _parts(version)


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _filled(value: str, given: Mapping[str, str]) -> str:
    """A value with its ${NAME:-default} and ${NAME:?advice} filled, as Compose does it."""

    def fill(match: re.Match[str]) -> str:
        name, default = match.group(1), match.group(2) or ""
        return given.get(name) or default.removeprefix(":-") if not default.startswith(":?") else given[name]

    return re.sub(r"\$\{([A-Z_]+)(:[-?][^}]*)?\}", fill, value)
