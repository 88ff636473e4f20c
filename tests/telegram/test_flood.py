"""A flood on Telegram: who floods is told so, and nobody else waits for it, neither in their chat nor in the group."""

from __future__ import annotations

import pytest

from bot.casework.outbound import Later
from bot.channels.budget import Budget
from sandbox.testing import ADA, BEN, Sandbox
from tests.telegram.conftest import PIXEL, Waypoint, upload


def test_of_one_persons_words_a_quarter_of_the_minute_stays_free_for_the_others() -> None:
    now = [0.0]
    budget = Budget(20, lambda: now[0])
    for _ in range(15):
        budget.take(of="ada")
    with pytest.raises(Later) as wait:
        budget.take(of="ada")
    assert wait.value.seconds == 60
    for _ in range(5):
        budget.take(of="ben")
    now[0] = 60.5
    budget.take(of="ada")


async def test_a_flood_of_files_into_the_group_leaves_room_for_somebody_else(waypoint: Waypoint, box: Sandbox) -> None:
    await waypoint.claimed(ADA)
    ben = await waypoint.claimed(BEN)
    await waypoint.later(61)
    for number in range(40):
        await box.say(ADA, photo=upload(PIXEL), caption=f"page {number}")
    await waypoint.settle()
    await box.say(BEN, "it hurts")
    await waypoint.settle()
    assert any("it hurts" in text for text in await ben.texts())  # in the same minute


async def test_who_floods_is_told_once_and_the_rest_is_not_taken(waypoint: Waypoint, box: Sandbox) -> None:
    object.__setattr__(waypoint.casework, "messages_per_minute", 2)
    await waypoint.meet(ADA)
    before = len(await waypoint.inbox())
    for number in range(20):
        await box.say(ADA, f"word {number}")
    await waypoint.receive()
    assert len(await waypoint.inbox()) == before + 9
    await box.say(BEN, "hello")
    await waypoint.receive()
    assert len(await waypoint.inbox()) == before + 10
    await waypoint.settle()
    told = [m.get("text", "") for m in await box.messages(ADA) if m["sandbox"]["from_bot"]]
    assert sum("That was a lot at once" in text for text in told) == 1
