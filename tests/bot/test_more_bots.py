"""Two bot processes on one PostgreSQL, as behind a proxy that sends people to either."""

from __future__ import annotations

import asyncio
import json
import signal
import uuid
from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.testing import ADA
from tests.bot.processes import DEADLINE, Bot, World, until

pytestmark = pytest.mark.parametrize("template", ["postgresql"], indirect=True)


@pytest.fixture
async def other(world: World) -> AsyncIterator[Bot]:
    """A second bot beside the first; both run."""
    second = world.bot.beside()
    processes = [await world.bot.start(), await second.start()]
    world.engine.go_on.set()
    yield second
    for process in processes:
        if process.returncode is None:
            process.terminate()
    await asyncio.gather(*(process.wait() for process in processes))


def client(bot: Bot, token: str) -> httpx.AsyncClient:
    """A browser that the proxy has sent to one of them."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=bot.address, headers=headers, trust_env=False, timeout=DEADLINE)


async def test_who_listens_at_one_is_woken_by_what_came_in_at_the_other_and_each_turn_is_taken_once(
    world: World, other: Bot
) -> None:
    async with httpx.AsyncClient(base_url=world.bot.address, trust_env=False) as http:
        session = (await http.post("/api/sessions")).json()
    heard: list[str] = []
    here, there = client(world.bot, session["token"]), client(other, session["token"])
    async with here, there, asyncio.timeout(DEADLINE), here.stream("GET", "/api/events") as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == ": open"
        message = {"id": str(uuid.uuid4()), "text": "/start"}
        assert (await there.post("/api/messages", json=message)).status_code == 202
        async for line in lines:
            if line.startswith("data:"):
                heard.append(json.loads(line.removeprefix("data:"))["role"])
            if heard.count("assistant") == 2:
                break
    events = await world.casework.events_after(session["conversation"], 0)
    assert heard == [event["role"] for event in events]
    assert world.engine.turns == 1


async def test_when_the_one_that_speaks_with_telegram_is_killed_the_other_goes_on(world: World) -> None:
    leader = await world.bot.start()
    world.engine.go_on.set()
    await world.box.say(ADA, "/start")
    assert (await world.box.wait(ADA))["text"]
    second = world.bot.beside()
    process = await second.start()
    leader.send_signal(signal.SIGKILL)
    await leader.wait()
    turns = world.engine.turns
    await world.box.say(ADA, "/start")

    async def taken() -> bool | None:
        return True if world.engine.turns > turns else None

    await until(taken, "the other one took what was written on Telegram")
    process.terminate()
    await process.wait()
    assert world.engine.turns == turns + 1


async def test_a_turn_in_the_hands_of_a_bot_that_is_killed_is_taken_by_the_other_and_said_once(world: World) -> None:
    killed = await world.bot.start()
    second = world.bot.beside()
    process = await second.start()
    async with httpx.AsyncClient(base_url=world.bot.address, trust_env=False) as http:
        session = (await http.post("/api/sessions")).json()
    async with client(world.bot, session["token"]) as here:
        message = {"id": str(uuid.uuid4()), "text": "/start"}
        assert (await here.post("/api/messages", json=message)).status_code == 202
    async with asyncio.timeout(DEADLINE):
        await world.engine.held.wait()
    taken = world.engine.turns
    killed.send_signal(signal.SIGKILL)
    await killed.wait()

    async def taken_again() -> bool | None:
        return True if world.engine.turns > taken else None

    await until(taken_again, "the other one took the turn")
    world.engine.go_on.set()  # both of the engine's answers come; the first one's asker is dead

    async def answered() -> list[str] | None:
        roles = [event["role"] for event in await world.casework.events_after(session["conversation"], 0)]
        return roles if "assistant" in roles else None

    await until(answered, "it was answered")
    process.terminate()  # which finishes whatever is in hand
    await process.wait()
    said = [event["role"] for event in await world.casework.events_after(session["conversation"], 0)]
    assert (taken, world.engine.turns) == (1, 2)
    assert said == ["patient", "assistant", "assistant"]
