"""Many people at once: `python -m bench --people` (and `--stack`, which is the same on what deploy/ describes).

A thousand widgets are open, and two hundred of their people write: each thinks for some seconds after an answer, then
types the next message. The client is one process beside what it measures, on the same cores. Beside it stands the least
that could be done for a message: a bare Starlette that commits one row to SQLite and answers.
"""

from __future__ import annotations

import asyncio
import io
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from statistics import median
from typing import Any
from uuid import uuid4

import aiohttp
import matplotlib as mpl
from matplotlib.figure import Figure

from bench.measure import percentile
from bench.phrases import phrases

PATIENCE = 60.0  # seconds that somebody waits for an answer before it counts as an error
LIMIT = 10  # times the idle p50, that the p95 may take
IDLE_TURNS = 40


@dataclass(frozen=True)
class Plan:
    """How many, and for how long."""

    streams: int = 1000
    active: int = 200
    seconds: float = 600.0
    think: float = 10.0  # seconds on average between an answer and the next message
    opened_at_once: int = 20


QUICK = Plan(streams=150, active=40, seconds=45.0)


@dataclass
class Crowd:
    """What was seen: the idle p50 in seconds, each turn (when, how long), errors by kind, memory (when, MB)."""

    plan: Plan
    idle: float = 0.0
    turns: list[tuple[float, float]] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[float, float]] = field(default_factory=list)
    cpu: float = 0.0  # seconds of processor time that the processes used meanwhile

    def row(self) -> dict[str, float]:
        """The figures."""
        took = sorted(seconds for _, seconds in self.turns)
        p95 = percentile(took, 95)
        first, last = self.memory[len(self.memory) // 5][1], self.memory[-1][1]
        return {
            "streams": self.plan.streams,
            "active": self.plan.active,
            "turns": len(took),
            "turns_per_second": len(took) / self.plan.seconds,
            "idle_p50_ms": self.idle * 1000,
            "p50_ms": percentile(took, 50) * 1000,
            "p95_ms": p95 * 1000,
            "p95_over_idle": p95 / self.idle,
            "errors": sum(self.errors.values()),
            "cpu_ms_per_turn": self.cpu / max(1, len(took)) * 1000,
            "memory_mb": last,
            "memory_growth": last / first,
        }


class Browser:
    """One widget: a session and its open stream."""

    def __init__(self, http: aiohttp.ClientSession, address: str, errors: Counter[str]) -> None:
        self._http, self._address, self._errors = http, address, errors
        self._headers: dict[str, str] = {}
        self._answers: dict[int, asyncio.Future[float]] = {}
        self._early: dict[int, float] = {}
        self._task: asyncio.Task[None] | None = None
        self._is_open = asyncio.Event()

    async def open(self) -> None:
        """Open the chat, and wait until its stream is."""
        async with self._http.post(f"{self._address}/api/sessions", json={}) as answer:
            self._headers = {"Authorization": f"Bearer {(await answer.json())['token']}"}
        self._task = asyncio.create_task(self._listen())
        async with asyncio.timeout(PATIENCE):
            await self._is_open.wait()

    async def turn(self, text: str) -> float:
        """Type one message; the seconds until the first answer. Raises TimeoutError."""
        began = time.perf_counter()
        body = {"id": str(uuid4()), "text": text}
        async with self._http.post(f"{self._address}/api/messages", json=body, headers=self._headers) as answer:
            answer.raise_for_status()
            seq = int((await answer.json())["seq"])
        if seq in self._early:
            return self._early.pop(seq) - began
        self._answers[seq] = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(PATIENCE):
            return await self._answers[seq] - began

    async def close(self) -> None:
        """Close the tab."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _listen(self) -> None:
        seen = 0
        while True:
            headers = {**self._headers, "Accept": "text/event-stream", "Last-Event-ID": str(seen)}
            try:
                async with self._http.get(f"{self._address}/api/events", headers=headers) as stream:
                    stream.raise_for_status()
                    self._is_open.set()
                    async for line in stream.content:
                        if line.startswith(b"data:"):
                            seen = self._note(json.loads(line[5:]), seen)
            except (aiohttp.ClientError, TimeoutError) as error:
                self._errors[f"stream: {type(error).__name__}"] += 1
                await asyncio.sleep(1)

    def _note(self, event: dict[str, Any], seen: int) -> int:
        if "seq" not in event:
            return seen
        if event["role"] == "assistant" and (reply := event["in_reply_to"]) is not None:
            now = time.perf_counter()
            waiting = self._answers.pop(reply, None)
            if waiting is None:
                self._early.setdefault(reply, now)
            elif not waiting.done():
                waiting.set_result(now)
        return int(event["seq"])


async def measure(
    address: str, plan: Plan, used: Callable[[], tuple[float, float]], tell: Callable[[str], None]
) -> Crowd:
    """Let a crowd talk to what answers at an address. `used`: memory in MB, processor seconds so far."""
    crowd = Crowd(plan)
    words = cycle(phrases())
    connector = aiohttp.TCPConnector(limit=0, ssl=False)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=PATIENCE)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as http:
        one = Browser(http, address, crowd.errors)
        await one.open()
        crowd.idle = median([await one.turn(next(words)) for _ in range(IDLE_TURNS)][5:])
        await one.close()
        tell(f"Alone a turn takes {crowd.idle * 1000:.1f} ms; {plan.streams} people arrive")
        browsers = [Browser(http, address, crowd.errors) for _ in range(plan.streams)]
        for first in range(0, len(browsers), plan.opened_at_once):
            await asyncio.gather(*(browser.open() for browser in browsers[first : first + plan.opened_at_once]))
        try:
            await _talk(browsers[: plan.active], crowd, words, used, tell)
        finally:
            await asyncio.gather(*(browser.close() for browser in browsers))
    return crowd


async def _talk(
    active: list[Browser],
    crowd: Crowd,
    words: Iterator[str],
    used: Callable[[], tuple[float, float]],
    tell: Callable[[str], None],
) -> None:
    began, cpu = time.perf_counter(), used()[1]
    dice = random.Random(1)  # noqa: S311

    async def talk(browser: Browser) -> None:
        await asyncio.sleep(dice.uniform(0, crowd.plan.think))
        while (at := time.perf_counter() - began) < crowd.plan.seconds:
            try:
                crowd.turns.append((at, await browser.turn(next(words))))
            except (aiohttp.ClientError, TimeoutError) as error:
                crowd.errors[f"turn: {type(error).__name__}"] += 1
            await asyncio.sleep(dice.uniform(0.5, 1.5) * crowd.plan.think)

    async def look() -> None:
        while True:
            at = time.perf_counter() - began
            crowd.memory.append((at, used()[0]))
            recent = [took for when, took in crowd.turns if when > at - 30]
            if recent:
                tell(f"{at:4.0f} s  {len(crowd.turns):>6} turns, p50 {median(recent) * 1000:.0f} ms")
            await asyncio.sleep(min(15.0, crowd.plan.seconds / 20))

    looking = asyncio.create_task(look())
    await asyncio.gather(*map(talk, active))
    looking.cancel()
    with suppress(asyncio.CancelledError):
        await looking
    crowd.cpu = used()[1] - cpu


async def bare(address: str, seconds: float) -> float:
    """How many messages a second a bare Starlette with one commit takes from eight clients."""
    until, done = time.perf_counter() + seconds, 0
    async with aiohttp.ClientSession(trust_env=False) as http:

        async def send() -> None:
            nonlocal done
            while time.perf_counter() < until:
                async with http.post(f"{address}/echo", json={"text": "hello"}) as answer:
                    await answer.read()
                done += 1

        await asyncio.gather(*(send() for _ in range(8)))
    return done / seconds


def picture(crowds: dict[str, Crowd]) -> str:
    """What a turn took over time, and the memory, as SVG: a column for each crowd."""
    mpl.rcParams["svg.fonttype"] = "none"
    figure = Figure(figsize=(5.2 * len(crowds), 4.6), layout="constrained")
    axes = figure.subplots(2, len(crowds), squeeze=False, sharex="col", height_ratios=[3, 1])
    for column, (name, crowd) in enumerate(crowds.items()):
        turns, memory = axes[0][column], axes[1][column]
        step = max(5.0, crowd.plan.seconds / 40)
        slots: dict[int, list[float]] = {}
        for at, took in crowd.turns:
            slots.setdefault(int(at / step), []).append(took * 1000)
        times = [slot * step for slot in sorted(slots)]
        for share, colour in ((50, "#2a6f97"), (95, "#c8553d")):
            values = [percentile(sorted(slots[slot]), share) for slot in sorted(slots)]
            turns.plot(times, values, color=colour, label=f"p{share}")
        turns.axhline(crowd.idle * 1000, color="#8a8f98", linestyle=":", label="alone")
        turns.set(title=name, ylabel="a turn, ms", ylim=(0, None))
        turns.legend(frameon=False)
        memory.plot(*zip(*crowd.memory, strict=True), color="#20242a")
        memory.set(xlabel="seconds", ylabel="MB", ylim=(0, None))
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue()
