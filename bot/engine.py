"""Client of the engine: one turn, or one parse, over a kept-alive connection."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import httpx

TEXT_LIMIT = 2_000  # the engine reads no more of one message


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
    """The engines, each case always asking the same one first, the next when that is away."""

    def __init__(self, urls: tuple[str, ...], secret: str, timeout: float) -> None:
        if not urls:
            raise ValueError("ENGINE_URLS names no engine.")
        self._clients = [
            httpx.AsyncClient(
                base_url=url, timeout=timeout, headers={"Authorization": f"Bearer {secret}"}, trust_env=False
            )
            for url in urls
        ]

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
        for client in self._clients:
            try:
                if (await client.get(path, timeout=2)).status_code == httpx.codes.OK:
                    return True
            except httpx.HTTPError:
                continue
        return False

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients:
            await client.aclose()

    async def _post(self, case: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        first = zlib.crc32(case.encode()) % len(self._clients)
        reason, fault = "", False
        for client in (*self._clients[first:], *self._clients[:first]):
            try:
                response = await client.post(path, json=body)
            except httpx.HTTPError as error:
                reason = type(error).__name__
                continue
            if response.status_code == httpx.codes.OK:
                answer: dict[str, Any] = response.json()
                return answer
            reason = f"engine answered {response.status_code}"
            fault = response.status_code in (httpx.codes.BAD_REQUEST, httpx.codes.INTERNAL_SERVER_ERROR)
        raise EngineFault(reason) if fault else EngineAway(reason)
