"""Fixtures of the journeys: the running assistant, and everything around it that a journey needs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from bot import database
from bot.guide import Guide
from tests.conftest import ROOT, Running
from tests.journeys.desk import DeskPlayer
from tests.journeys.people import Person, Telegram, TelegramPerson, WebPerson
from tests.journeys.steps import World

GUIDE = Guide.load(ROOT / "guide")


@pytest.fixture(params=["waypoint"])
def running(request: pytest.FixtureRequest) -> Running:
    """The running assistant."""
    started: Running = request.getfixturevalue(request.param)
    return started


@pytest.fixture
async def world(running: Running) -> AsyncIterator[World]:
    """The running assistant, with the group's limit lifted: it is tested by itself, in tests/telegram."""
    async with (
        httpx.AsyncClient(base_url=running.address, trust_env=False, timeout=30) as web,
        httpx.AsyncClient(base_url=running.sandbox, trust_env=False, timeout=30) as sandbox,
    ):
        await sandbox.post("/sandbox/limits", json={"group_per_minute": None, "overall_per_second": None})
        state = (await sandbox.get("/sandbox/state")).raise_for_status().json()
        telegram = Telegram(sandbox, state["group"], state["bot"]["id"], state["token"])
        group = next(group for group in state["groups"] if group["id"] == state["group"])
        coordinators = {member["name"].split()[0]: member["id"] for member in group["members"]}

        async def new_person(channel: str) -> Person:
            person = WebPerson(web) if channel == "web" else TelegramPerson(telegram)
            await person.open()
            return person

        engine = database.connect(running.database)
        yield World(engine, GUIDE, DeskPlayer(telegram, coordinators), new_person)
        await engine.dispose()
