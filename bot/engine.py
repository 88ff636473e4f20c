"""Client of the engines: one turn, or one parse, over kept-alive connections."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.telemetry import stage, took_by
from observe.traces import outgoing_headers

TEXT_LIMIT = 2_000  # the engine reads no more of one message
ATTEMPTS = 2  # engines that are asked for one turn; the turn itself is tried again later
AWAY_SECONDS = 5.0
FAULTS = (400, 500)  # answers of an engine that is up, and fails at this message
_PROBE = aiohttp.ClientTimeout(total=2)


class EngineAway(Exception):
    """The engine, or its actions, could not answer; the turn is kept and tried again."""


class EngineFault(EngineAway):
    """The engine is up, and fails at this very message; trying for ever would keep the next ones waiting."""


@dataclass(frozen=True)
class Parsed:
    """What the engine understands of a text without acting on it."""

    intent: str
    confidence: float
    entities: tuple[dict[str, Any], ...]


class Engine:
    """The engines. Each case asks the same one first; one that is away is asked last for some seconds.

    Whatever an engine began is not lost with it: it keeps nothing, and a turn that is taken twice says the same.
    """

    def __init__(
        self, urls: tuple[str, ...], secret: str, timeout: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if not urls:
            raise ValueError("ENGINE_URLS names no engine.")
        self._urls, self._timeout, self._clock = urls, aiohttp.ClientTimeout(total=timeout), clock
        self._headers = {"Authorization": f"Bearer {secret}"}
        self._away: dict[str, float] = {}  # until when an engine that did not answer is asked last
        self._session: aiohttp.ClientSession | None = None

    async def turn(
        self, case: str, turn: str, *, text: str = "", parse: dict[str, Any] | None = None, expects: str = ""
    ) -> list[dict[str, Any]]:
        """Have the engine handle one message. Returns what was said, as ids. Raises EngineAway."""
        body: dict[str, Any] = {"case": case, "turn": turn}
        body.update({"parse": parse} if parse is not None else {"text": text[:TEXT_LIMIT]})
        if expects:
            body["expects"] = expects
        says: list[dict[str, Any]] = (await self._post(case, "/turn", body)).get("says", [])
        return says

    async def parse(self, case: str, text: str) -> Parsed:
        """What a text says, without acting on it. Raises EngineAway."""
        found = await self._post(case, "/parse", {"text": text[:TEXT_LIMIT]})
        intent = found["intent"]
        return Parsed(intent["name"], intent["confidence"], tuple(found["entities"]))

    async def ready(self) -> bool:
        """Whether any engine has its model loaded."""
        return await self._any_answers("/health")

    async def acts(self) -> bool:
        """Whether any engine reaches its action server."""
        return await self._any_answers("/ready")

    async def _any_answers(self, path: str) -> bool:
        for url in self._urls:
            try:
                async with self._client().get(url + path, timeout=_PROBE) as response:
                    if response.status == 200:
                        return True
            except (aiohttp.ClientError, TimeoutError):
                continue
        return False

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:  # it belongs to the loop that is running, so it cannot be made before
            self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)
        return self._session

    def _in_order(self, case: str) -> list[str]:
        """The engines as a case asks them (rendezvous hashing, Thaler and Ravishankar 1998): when one is added or lost,
        only its own cases move.
        """
        now = self._clock()

        def rank(url: str) -> tuple[bool, bytes]:
            is_here = self._away.get(url, 0.0) <= now
            return is_here, hashlib.blake2b(f"{url} {case}".encode(), digest_size=8).digest()

        return sorted(self._urls, key=rank, reverse=True)

    async def _post(self, case: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        reason, fault = "", False
        for url in self._in_order(case)[:ATTEMPTS]:
            try:
                with stage("engine", case=case, turn=body.get("turn")):
                    async with self._client().post(url + path, json=body, headers=outgoing_headers()) as response:
                        if response.status == 200:
                            took_by(response.headers.get("Server-Timing", ""))
                            answer: dict[str, Any] = await response.json()
                            return answer
                        reason, fault = f"engine answered {response.status}", response.status in FAULTS
            except (aiohttp.ClientError, TimeoutError) as error:
                reason, fault = type(error).__name__, False
                self._away[url] = self._clock() + AWAY_SECONDS
        raise EngineFault(reason) if fault else EngineAway(reason)
