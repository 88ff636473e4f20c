"""A flood from one person: they are told kindly, danger comes through, and nobody else waits for it."""

from __future__ import annotations

import pytest

from bot.casework import Casework, Inbound, TooFast
from tests.bot.casework.conftest import Arrives
from tests.bot.casework.people import Someone
from tests.bot.conftest import Clock

channels = pytest.mark.parametrize(("channel", "told"), [("web", "limit.waits"), ("telegram", "limit.not_taken")])


@pytest.fixture
def slow(casework: Casework) -> Casework:
    """Ten messages in five minutes."""
    object.__setattr__(casework, "messages_per_minute", 2)
    return casework


async def flood(person: Someone, count: int) -> list[float]:
    """Send as fast as can be. Returns for each message that was not taken when it would be."""
    refused = []
    for number in range(count):
        try:
            await person.send(Inbound("text", text=f"word {number}"))
        except TooFast as fast:
            refused.append(fast.seconds)
    return refused


@channels
async def test_who_sends_too_much_is_told_once_and_heard_again_later(
    arrives: Arrives, slow: Casework, clock: Clock, channel: str, told: str
) -> None:
    person = await arrives(channel)
    assert await flood(person, 13) == [300.0] * 3
    assert [event["say"] for event in await person.events() if event["role"] == "system"] == [told]
    clock.pass_by(seconds=299)
    assert await flood(person, 1) == [1.0]
    clock.pass_by(seconds=2)
    assert await flood(person, 1) == []


async def test_words_of_danger_come_through_a_flood(someone: Someone, slow: Casework) -> None:
    await flood(someone, 12)
    turn = await someone.send(Inbound("text", text="I want to kill myself"))
    assert turn in [turn for _, turn in await slow.due_turns(set())]


async def test_a_message_that_was_taken_is_known_again_in_a_flood(someone: Someone, slow: Casework) -> None:
    turn = await someone.send(Inbound("text", text="once"), external="7")
    await flood(someone, 12)
    assert await someone.send(Inbound("text", text="once"), external="7") == turn


async def test_a_flood_takes_one_place_in_the_queue_and_others_are_next_to_it(arrives: Arrives, slow: Casework) -> None:
    loud, quiet = await arrives(), await arrives()
    await flood(loud, 30)
    turn = await quiet.send(Inbound("text", text="hello"))
    due = await slow.due_turns(set())
    assert len(due) == 2
    assert due[1] == (quiet.conversation, turn)
