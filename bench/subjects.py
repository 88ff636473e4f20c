"""What is measured: the whole assistant over the web, its engine alone, and a stock Rasa over its REST channel.

Each runs as real processes and is spoken to as its users speak to it: one kept-alive connection, one turn at a time.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import httpx
import psutil

from bench.stock import ENGINE_PYTHON, QUIET, Stock, rasa, write_run_files
from bot.guide import Guide
from scripts.run import free_port
from scripts.supervise import Service, Supervisor

PATIENCE = 300.0
TURN_PATIENCE = 60.0
SETTINGS = ("TELEGRAM_", "COORDINATORS_", "DATABASE_", "SECRET_", "DATA_KEY", "ENGINE_", "ACTIONS_", "SANDBOX_", "HOST")


class BenchError(Exception):
    """A measurement cannot go on; the message says why."""


@dataclass
class Conversation:
    """One conversation with one subject, and how many turns it has had."""

    id: str
    turns: int = 0
    listener: Listener | None = None


@dataclass(frozen=True)
class Memory:
    """Resident memory in MB, by process."""

    processes: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """All of them. Pages that two processes share count twice."""
        return sum(self.processes.values())


class Subject(ABC):
    """Something that answers typed messages. `start` may be called again after `stop`."""

    name: str
    title: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers: Counter[str] = Counter()  # what was answered, so that a table shows that turns were typical ones
        self._supervisor: Supervisor | None = None
        self._http = httpx.AsyncClient(trust_env=False)

    @abstractmethod
    def _services(self, port: int) -> Sequence[Service]:
        """The processes that make up the subject."""

    @abstractmethod
    async def turn(self, conversation: Conversation, text: str) -> float:
        """Type one message; the seconds until the first answer is there. Raises BenchError."""

    async def open(self) -> Conversation:
        """A new conversation, at the point where its first measured turn may come."""
        return Conversation(uuid4().hex)

    async def close(self, conversation: Conversation) -> None:
        """Leave a conversation."""
        if conversation.listener is not None:
            await conversation.listener.close()

    async def start(self) -> float:
        """Start the processes; the seconds until they answer. Raises ServiceError."""
        port = free_port()
        self.connect(f"http://127.0.0.1:{port}")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._supervisor = Supervisor(self.folder / "log", lambda line: None, grace=40)
        services = self._services(port)
        began = time.perf_counter()
        await self._supervisor.start(*services)
        return time.perf_counter() - began

    @property
    def address(self) -> str:
        """Where it answers."""
        return str(self._http.base_url).rstrip("/")

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name."""
        return self._supervisor.pids if self._supervisor is not None else {}

    def connect(self, address: str, headers: dict[str, str] | None = None) -> None:
        """Speak to what answers at an address."""
        self._http = httpx.AsyncClient(base_url=address, headers=headers, timeout=TURN_PATIENCE, trust_env=False)

    async def stop(self) -> None:
        """Stop every process."""
        await self._http.aclose()
        if self._supervisor is not None:
            await self._supervisor.stop()
            self._supervisor = None

    def memory(self) -> Memory:
        """What the processes hold in memory now."""
        return Memory({name: round(_rss(tree), 1) for name, tree in self._trees().items()})

    def cpu(self) -> float:
        """Seconds of processor time that the processes have used so far."""
        used = 0.0
        for process in (process for tree in self._trees().values() for process in tree):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                used += times.user + times.system
        return used

    def _trees(self) -> dict[str, list[psutil.Process]]:
        """The processes with all that they started, by name."""
        pids = self._supervisor.pids if self._supervisor is not None else {}
        roots = {name: psutil.Process(pid) for name, pid in pids.items()}
        return {name: [root, *root.children(recursive=True)] for name, root in roots.items()}


class StockRasa(Subject):
    """`rasa run` with the stock model, over its REST channel, with its SQL tracker store on SQLite."""

    name, title = "stock", "stock Rasa, REST"

    def __init__(self, folder: Path, stock: Stock) -> None:
        super().__init__(folder)
        self._stock = stock

    def _services(self, port: int) -> Sequence[Service]:
        write_run_files(self.folder)
        command = rasa(
            *("run", "--model", str(self._stock.model.absolute())),
            *("--interface", "127.0.0.1", "--port", str(port)),
            *("--credentials", str(self.folder / "credentials.yml"), "--endpoints", str(self.folder / "endpoints.yml")),
        )
        # The server listens only once the model is loaded.
        health = f"http://127.0.0.1:{port}/webhooks/rest/"
        return [Service("stock", command, _environment(QUIET), health, patience=PATIENCE)]

    async def turn(self, conversation: Conversation, text: str) -> float:
        """One POST to the REST channel, which answers when the turn is over."""
        body = {"sender": conversation.id, "message": text}
        began = time.perf_counter()
        answer = await self._http.post("/webhooks/rest/webhook", json=body)
        took = time.perf_counter() - began
        said = answer.raise_for_status().json()
        if not said:
            raise BenchError(f"The stock assistant said nothing. Its log is in {self.folder / 'log'}.")
        self.answers[said[0]["text"]] += 1
        conversation.turns += 1
        return took


class Engine(Subject):
    """Our engine alone; its action server answers at once."""

    name, title = "engine", "engine alone"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._actions = Supervisor(folder / "log", lambda line: None)
        self._secret = secrets.token_urlsafe(32)

    async def start(self) -> float:
        """Start the action server first, which does not count."""
        self._actions = Supervisor(self.folder / "log", lambda line: None)
        port = free_port()
        self._actions_url = f"http://127.0.0.1:{port}"
        command = (sys.executable, "-m", "bench.nothing", str(port))
        await self._actions.start(Service("nothing", command, _environment({}), f"{self._actions_url}/health"))
        return await super().start()

    def connect(self, address: str, headers: dict[str, str] | None = None) -> None:
        """Speak to it with the secret."""
        super().connect(address, {"Authorization": f"Bearer {self._secret}"})

    async def stop(self) -> None:
        """Stop the engine, then its action server."""
        try:
            await super().stop()
        finally:
            await self._actions.stop()

    def _services(self, port: int) -> Sequence[Service]:
        environment = _environment(
            {
                "ENGINE_PORT": str(port),
                "ENGINE_SECRET": self._secret,
                "ACTIONS_URL": self._actions_url,
                "ACTIONS_SECRET": secrets.token_urlsafe(32),
            }
        )
        command = (str(ENGINE_PYTHON), "-m", "engine")
        return [Service("engine", command, environment, f"http://127.0.0.1:{port}/health", patience=PATIENCE)]

    async def turn(self, conversation: Conversation, text: str) -> float:
        """One POST to /turn, as the gateway does."""
        body = {"case": conversation.id, "turn": uuid4().hex, "text": text}
        began = time.perf_counter()
        answer = await self._http.post("/turn", json=body)
        took = time.perf_counter() - began
        if answer.status_code != httpx.codes.OK or not answer.json()["says"]:
            raise BenchError(f"The engine answered {answer.status_code} {answer.text[:200]}")
        self.answers[answer.json()["intent"]["name"]] += 1
        conversation.turns += 1
        return took


class Assistant(Subject):
    """Everything that `make run` starts, spoken to over the interface that the widget uses."""

    name, title = "assistant", "whole assistant, web"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._guide = Guide.load()

    def _services(self, port: int) -> Sequence[Service]:
        command = (
            sys.executable,
            "scripts/run.py",
            "--state-file",
            str(self._state),
            "--var",
            str(self.folder / "var"),
        )
        # All the people of the bench live here, and write faster than people do.
        paces = {"MESSAGES_PER_MINUTE": "10000"}
        environment = _environment({"PORT": str(port), **paces})
        return [Service("launcher", command, environment, f"http://127.0.0.1:{port}/readyz", patience=PATIENCE)]

    @property
    def _state(self) -> Path:
        return self.folder / "state.json"

    def label(self, choice: str) -> str:
        """What stands on a button."""
        return self._guide.entry(choice).variants[0]

    async def start(self) -> float:
        """Start everything, then wait for the launcher to say which processes it started."""
        took = await super().start()
        async with asyncio.timeout(PATIENCE):
            # Another process writes it, a moment after the last of its own is ready: no event of ours tells of it.
            while not self._state.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return took

    def _trees(self) -> dict[str, list[psutil.Process]]:
        """By the names that the launcher gives its processes, and the launcher itself."""
        trees = super()._trees()
        if "launcher" in trees:
            launcher = trees["launcher"][0]
            pids: dict[str, int] = json.loads(self._state.read_text("utf-8"))["pids"]
            services = {name: psutil.Process(pid) for name, pid in pids.items()}
            trees = {name: [root, *root.children(recursive=True)] for name, root in services.items()}
            trees["launcher"] = [launcher]
        return trees

    async def open(self) -> Conversation:
        """A new conversation, led to the middle of the checklist: agreed, for oneself, at the records."""
        session = (await self._http.post("/api/sessions", json={})).raise_for_status().json()
        listener = Listener(self._http, session["token"])
        conversation = Conversation(session["conversation"], listener=listener)
        await self._send(listener, {"text": "/start"})
        for choice in ("choice.agree", "choice.self", "choice.records"):
            await self._send(listener, {"choice": await listener.choice(self.label(choice))})
        return conversation

    async def turn(self, conversation: Conversation, text: str) -> float:
        """One message; over when the first event that answers it arrives on the open stream."""
        if conversation.listener is None:
            raise ValueError("a conversation of another subject")
        began = time.perf_counter()
        arrived, say = await self._send(conversation.listener, {"text": text})
        self.answers[say] += 1
        conversation.turns += 1
        return arrived - began

    async def _send(self, listener: Listener, message: dict[str, str]) -> tuple[float, str]:
        body = {"id": str(uuid4()), **message}
        answer = await self._http.post("/api/messages", json=body, headers=listener.headers)
        return await listener.answer(int(answer.raise_for_status().json()["seq"]))


@dataclass
class Listener:
    """An open event stream: notes when the first answer to each message arrived."""

    http: httpx.AsyncClient
    token: str
    _answers: dict[int, tuple[float, str]] = field(default_factory=dict)
    _choices: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.headers = {"Authorization": f"Bearer {self.token}"}
        self._news = asyncio.Condition()
        self._task = asyncio.create_task(self._listen())

    async def answer(self, seq: int) -> tuple[float, str]:
        """When the first answer to our message arrived, and the guide's id of it. Raises BenchError."""
        await self._until(lambda: seq in self._answers, f"an answer to message {seq}")
        return self._answers.pop(seq)

    async def choice(self, label: str) -> str:
        """The id of the newest button with this label. Raises BenchError."""
        await self._until(lambda: label in self._choices, f"a button {label!r}; there are {list(self._choices)}")
        return self._choices[label]

    async def close(self) -> None:
        """Stop listening."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _until(self, look: Any, what: str) -> None:
        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait_for(lambda: look() or self._task.done()), TURN_PATIENCE)
            except TimeoutError:
                raise BenchError(f"Waited {TURN_PATIENCE:.0f} s in vain for {what}.") from None
        if not look():
            raise BenchError("The event stream broke off.") from self._task.exception()

    async def _listen(self) -> None:
        """Read events for ever; the server ends a stream after some minutes, and it is opened again from there."""
        seen = "0"
        try:
            while True:
                headers = {**self.headers, "Accept": "text/event-stream", "Last-Event-ID": seen}
                async with self.http.stream("GET", "/api/events", headers=headers) as response:
                    response.raise_for_status()
                    async for line in response.aiter_lines():
                        if line.startswith("data:"):
                            now = time.perf_counter()
                            event = json.loads(line.removeprefix("data:"))
                            seen = str(event["seq"])
                            await self._note(now, event)
        finally:
            async with self._news:
                self._news.notify_all()

    async def _note(self, now: float, event: dict[str, Any]) -> None:
        async with self._news:
            if event["role"] == "assistant" and event["in_reply_to"] is not None:
                self._answers.setdefault(int(event["in_reply_to"]), (now, str(event["say"])))
            for block in event["blocks"]:
                if block["type"] == "choices" and not block.get("used"):
                    self._choices |= {choice["label"]: choice["id"] for choice in block["choices"]}
            self._news.notify_all()


class Processes(Protocol):
    """Whatever runs some."""

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name."""


def used_by(running: Processes) -> tuple[float, float]:
    """Memory in MB and processor seconds so far, of processes with all that they started."""
    memory = seconds = 0.0
    for pid in running.pids.values():
        with suppress(psutil.NoSuchProcess):
            root = psutil.Process(pid)
            tree = [root, *root.children(recursive=True)]
            memory += _rss(tree)
            seconds += sum(each.cpu_times().user + each.cpu_times().system for each in tree)
    return memory, seconds


def _environment(more: dict[str, str]) -> dict[str, str]:
    """Our own environment without anything that would connect the assistant to a real bot, database or key."""
    return {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)} | more


def _rss(tree: list[psutil.Process]) -> float:
    held = 0.0
    for process in tree:
        with suppress(psutil.NoSuchProcess):
            held += process.memory_info().rss / 1e6
    return held
