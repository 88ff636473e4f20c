"""Every journey, through the real processes, over the web interface and over Telegram."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.casework.commands import COMMANDS, ordered
from tests.journeys.player import Player
from tests.journeys.steps import World

STORIES = sorted((Path(__file__).parent / "stories").glob("*.yml"))


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
