"""What is done to the processes while people talk."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.world import LINE, POSTGRES, World

KILLED = {"bot": 4, "actions": 4, LINE: 3, POSTGRES: 3, "engine": 1}  # how often, beside one another
FROZEN = ("bot", "actions", "engine", "sandbox", POSTGRES)
OF_TELEGRAM: tuple[dict[str, Any], ...] = (
    {"answer": "normal", "delay": 2.0, "times": 4},
    {"code": 429, "retry_after": 1, "times": 3},
    {"code": 500, "times": 3},
    {"code": 502, "times": 2},
    {"answer": "drop", "times": 2},
    {"answer": "drop", "when": "after", "times": 1},  # it arrived, and nobody hears of it
    {"method": "getUpdates", "answer": "drop", "when": "after", "times": 1},
)


@dataclass
class Faults:
    """Chooses, does and counts. One after the other, each as soon as the last one's process is back, or sooner."""

    world: World
    dice: random.Random
    without: Sequence[str] = ()  # processes that are not killed
    kills: int = 0
    done: Counter[str] = field(default_factory=Counter)
    last: str = ""

    async def one(self) -> None:
        """Do one thing; in a third of all cases something else is done before it is over."""
        choices: list[tuple[float, Callable[[], Awaitable[None]]]] = [
            (6, self._kill),
            (1, self._stop),
            (1.5, self._freeze),
            (1.5, self._hinder_telegram),
            (0.7, self._lock),
            (0.7 if self.world.kind == "sqlite" else 0, self._fill),
        ]
        (act,) = self.dice.choices([act for _, act in choices], [weight for weight, _ in choices])
        await act()
        await asyncio.sleep(self.dice.uniform(0.1, 2.0))

    def _note(self, what: str) -> None:
        self.last = what
        self.done[what] += 1

    def _names(self) -> dict[str, int]:
        return {
            name: weight
            for name, weight in KILLED.items()
            if name not in self.without and (name != POSTGRES or self.world.kind == POSTGRES)
        }

    async def _kill(self) -> None:
        names = self._names()
        (name,) = self.dice.choices(list(names), list(names.values()))
        self._note(f"{name} killed")
        self.kills += 1
        before = await self.world.kill(name)
        if self.dice.random() < 0.3:  # before it is back, something else happens, unless nothing could go on
            other = self.dice.choice([each for each in names if each != name])
            if name != POSTGRES and other != POSTGRES:
                self._note(f"{other} killed")
                self.kills += 1
                gone = await self.world.kill(other)
                await self.world.back(other, gone)
        await self.world.back(name, before)

    async def _stop(self) -> None:
        name = self.dice.choice(["bot", "actions"])
        self._note(f"{name} told to stop")
        await self.world.back(name, self.world.terminate(name))

    async def _freeze(self) -> None:
        name = self.dice.choice([each for each in FROZEN if each != POSTGRES or self.world.kind == POSTGRES])
        self._note(f"{name} frozen")
        with self.world.frozen(name):
            await asyncio.sleep(self.dice.uniform(0.5, 4))

    async def _hinder_telegram(self) -> None:
        fault = self.dice.choice(OF_TELEGRAM)
        self._note(f"Telegram: {fault.get('code') or 'slow or cut off'}")
        await self.world.order("faults", **fault)

    async def _lock(self) -> None:
        self._note("database locked")
        await self.world.locked(self.dice.uniform(0.5, 3))

    async def _fill(self) -> None:
        self._note("disk full")
        with self.world.full_disk():
            await asyncio.sleep(self.dice.uniform(0.5, 3))
