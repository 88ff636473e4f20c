"""Every journey, through the real processes, over the web interface and over Telegram."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from bot import database
from bot.casework.commands import COMMANDS, ordered
from bot.guide import Guide
from tests.conftest import ROOT, Running
from tests.journeys.desk import DeskPlayer
from tests.journeys.people import Person, Telegram, TelegramPerson, WebPerson
from tests.journeys.player import Player
from tests.journeys.steps import World

STORIES = sorted((Path(__file__).parent / "stories").glob("*.yml"))
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


def _load(path: Path) -> dict[str, Any]:
    story: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return story


@pytest.mark.parametrize("channel", ["web", "telegram"])
@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
async def test_the_journey_goes_as_written(path: Path, channel: str, world: World) -> None:
    player = Player(world, await world.new_person(channel))
    await player.play(_load(path)["steps"])


def test_every_command_of_the_desk_is_used_in_a_journey() -> None:
    acts = [step["desk"] for path in STORIES for step in _load(path)["steps"] if "desk" in step]
    used = {
        order.name for act in acts if (order := ordered(f"/say {act['say']}" if "say" in act else act.get("order", "")))
    }
    assert set(COMMANDS) - used == set()


@pytest.mark.parametrize("running", ["waypoint_on_postgresql"], indirect=True)
@pytest.mark.parametrize("channel", ["web", "telegram"])
@pytest.mark.parametrize("story", ["handoff", "elsewhere"])
async def test_with_the_data_in_postgresql_the_journey_goes_the_same_way(
    story: str, channel: str, world: World
) -> None:
    player = Player(world, await world.new_person(channel))
    await player.play(_load(STORIES[0].with_name(f"{story}.yml"))["steps"])
