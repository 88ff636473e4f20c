"""SIGTERM: readiness goes down first, the turn in hand is finished, and nothing that came in meanwhile is lost."""

from __future__ import annotations

import asyncio
import signal
import uuid
from typing import Any

import httpx

from sandbox.testing import ADA
from tests.bot.processes import DEADLINE, World, until


async def test_sigterm_takes_readiness_down_first_and_finishes_the_turn_in_hand(world: World) -> None:
    process = await world.bot.start()
    await world.box.say(ADA, "/start")
    async with asyncio.timeout(DEADLINE):
        await world.engine.held.wait()
    process.send_signal(signal.SIGTERM)

    async def unready() -> bool | None:
        return True if await world.bot.probe("/readyz") == 503 else None

    await until(unready, "it said that it is not ready")
    assert await world.bot.probe("/healthz") == 200
    world.engine.go_on.set()
    async with asyncio.timeout(DEADLINE):
        await process.wait()
    assert (await world.box.wait(ADA))["text"]  # what the turn said was sent before the process ended


async def test_what_comes_in_during_the_notice_is_kept_and_answered_by_whoever_comes_next(world: World) -> None:
    process = await world.bot.start()
    async with httpx.AsyncClient(base_url=world.bot.address, trust_env=False, timeout=DEADLINE) as http:
        session = (await http.post("/api/sessions")).json()
        headers = {"Authorization": f"Bearer {session['token']}"}
        process.send_signal(signal.SIGTERM)

        async def write() -> bool | None:
            message: dict[str, Any] = {"id": str(uuid.uuid4()), "text": "/start"}
            if await world.bot.probe("/readyz") != 503:
                return None
            return (await http.post("/api/messages", json=message, headers=headers)).status_code == 202

        assert await until(write, "it was stopping")
    process.send_signal(signal.SIGTERM)  # a second signal ends the notice
    world.engine.go_on.set()
    async with asyncio.timeout(DEADLINE):
        await process.wait()
    successor = await world.bot.start()

    async def answered() -> bool | None:
        events = await world.casework.events_after(session["conversation"], 0)
        return True if any(event["role"] == "assistant" for event in events) else None

    await until(answered, "an answer")
    successor.terminate()
    await successor.wait()
