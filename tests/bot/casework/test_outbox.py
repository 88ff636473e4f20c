"""What goes out: leased once, in the order of its lane, tried again, given up, replaced by what is newer."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import select

from bot.casework import Casework, Outgoing
from bot.casework.base import ALERT, TO_PERSON
from bot.casework.outbound import LAST_ATTEMPT, LEASE, PAUSES
from bot.model import Outbox
from tests.bot.casework.conftest import Arrives
from tests.bot.casework.people import Someone, outbox
from tests.bot.conftest import Clock


async def put(casework: Casework, lane: str, text: str, **more: object) -> None:
    """Put something into the outbox."""
    async with casework.transaction() as session:
        await casework.send(session, "say", {"text": text}, lane=lane, **more)  # type: ignore[arg-type]


async def lease(casework: Casework) -> list[str]:
    """Take what is due; what it says. The board has no words of its own."""
    return [row.payload["text"] for row in await casework.lease_outgoing() if row.kind != "group.board"]


async def card_on_its_way(casework: Casework) -> Outgoing:
    """Send everything up to the first checklist, which is leased and not marked yet."""
    while True:
        (row,) = await casework.lease_outgoing()
        if row.kind == "card":
            return row
        await casework.sent(row, 1)


async def state_of(casework: Casework, number: int) -> Outbox:
    """A row as it stands."""
    async with casework.reading() as session:
        row = await session.scalar(select(Outbox).where(Outbox.id == number))
        assert row is not None
        return row


async def test_a_lane_goes_out_in_order_one_at_a_time(casework: Casework) -> None:
    for text in ("a1", "a2"):
        await put(casework, "a", text)
    await put(casework, "b", "b1")
    first = await casework.lease_outgoing()
    assert [row.payload["text"] for row in first] == ["a1", "b1"]
    assert await lease(casework) == []
    await casework.sent(first[0], 11)
    assert await lease(casework) == ["a2"]


async def test_the_most_pressing_lane_goes_first(casework: Casework) -> None:
    await put(casework, "a", "later", priority=ALERT)
    await put(casework, "b", "first", priority=TO_PERSON)
    assert await lease(casework) == ["first", "later"]


async def test_two_dispatchers_at_once_never_take_the_same_row(casework: Casework) -> None:
    for number in range(12):
        await put(casework, f"lane{number}", str(number))
    taken = await asyncio.gather(*(casework.lease_outgoing(limit=6) for _ in range(4)))
    numbers = [row.id for rows in taken for row in rows]
    assert len(numbers) == len(set(numbers))
    rest = await casework.lease_outgoing(limit=50)
    assert len(numbers) + len(rest) == 12


async def test_two_dispatchers_at_once_never_break_the_order_of_a_lane(casework: Casework) -> None:
    for number in range(6):
        await put(casework, "lane", str(number))
    taken = await asyncio.gather(*(casework.lease_outgoing() for _ in range(4)))
    assert [row.payload["text"] for rows in taken for row in rows] == ["0"]


async def test_a_row_whose_dispatcher_died_is_taken_again_after_the_lease(casework: Casework, clock: Clock) -> None:
    await put(casework, "a", "words")
    await lease(casework)
    clock.time += LEASE - timedelta(seconds=1)
    assert await lease(casework) == []
    clock.pass_by(seconds=2)
    (again,) = await casework.lease_outgoing()
    assert again.attempts == 2


async def test_what_was_sent_keeps_the_message_id_and_no_words(casework: Casework) -> None:
    await put(casework, "a", "words")
    (row,) = await casework.lease_outgoing()
    await casework.sent(row, 11)
    stored = await state_of(casework, row.id)
    assert (stored.state, stored.message_id, stored.payload, stored.sent_at) == ("sent", 11, {}, casework.now())


async def test_a_failure_waits_a_growing_pause_and_holds_its_lane(casework: Casework, clock: Clock) -> None:
    await put(casework, "a", "first")
    await put(casework, "a", "second")
    for pause in (*PAUSES, PAUSES[-1]):
        (row,) = await casework.lease_outgoing()
        assert await casework.send_later(row, "network")
        clock.pass_by(seconds=pause - 0.5)
        assert await lease(casework) == []
        clock.pass_by(seconds=1)
    assert await lease(casework) == ["first"]


async def test_a_wait_that_the_peer_asked_for_is_no_attempt(casework: Casework, clock: Clock) -> None:
    await put(casework, "a", "words")
    for _ in range(LAST_ATTEMPT + 5):
        (row,) = await casework.lease_outgoing()
        assert await casework.send_later(row, "too many requests", seconds=7)
        clock.pass_by(seconds=6)
        assert await lease(casework) == []
        clock.pass_by(seconds=2)
    assert (await state_of(casework, row.id)).attempts == 0


async def test_after_the_last_attempt_the_row_is_a_dead_letter_and_the_lane_goes_on(
    casework: Casework, clock: Clock
) -> None:
    await put(casework, "a", "first")
    await put(casework, "a", "second")
    for attempt in range(1, LAST_ATTEMPT + 1):
        (row,) = await casework.lease_outgoing()
        assert await casework.send_later(row, "network") is (attempt < LAST_ATTEMPT)
        clock.pass_by(hours=1)
    assert (await state_of(casework, row.id)).state == "failed"
    assert await lease(casework) == ["second"]


async def test_giving_up_remembers_who_blocked_the_bot(arrives: Arrives, casework: Casework) -> None:
    person = await arrives("telegram", "42")
    await person.start()
    (row,) = await casework.lease_outgoing()
    await casework.gave_up(row, "blocked by the user", blocked=True)
    assert (await person.row()).blocked
    assert (await state_of(casework, row.id)).state == "failed"


async def test_a_newer_card_replaces_one_that_still_waits(arrives: Arrives, casework: Casework) -> None:
    person = await (await arrives("telegram", "42")).agree()
    await person.press("choice.records")
    for _ in range(3):
        await person.press("state.have")
    (card,) = await outbox(casework, "card")
    (block,) = [block for block in card.payload["blocks"] if block["type"] == "checklist"]
    assert block["done"] == 3
    assert card.payload["fresh"]  # the first of them was to be a new message, and so it stays


async def test_a_card_that_is_on_its_way_is_not_changed(arrives: Arrives, casework: Casework, clock: Clock) -> None:
    person = await (await arrives("telegram", "42")).agree()
    await person.press("choice.records")
    await card_on_its_way(casework)
    await person.press("state.have")
    assert len(await outbox(casework, "card")) == 2


async def test_the_message_of_a_card_is_remembered_for_the_next_edit(arrives: Arrives, casework: Casework) -> None:
    person = await (await arrives("telegram", "42")).agree()
    await person.press("choice.records")
    while leased := await casework.lease_outgoing():
        for row in leased:
            await casework.sent(row, 900 + row.id)
    assert ((await person.row()).card_message_id or 0) > 900


async def test_a_card_that_arrives_after_the_deletion_is_forgotten(arrives: Arrives, casework: Casework) -> None:
    person = await (await arrives("telegram", "42")).agree()
    await person.press("choice.records")
    card = await card_on_its_way(casework)
    await person.write("control.delete_data")
    await person.press("choice.erase")
    await casework.sent(card, 4711)
    assert (await person.row()).card_message_id is None


async def test_a_leased_row_knows_where_it_goes(arrives: Arrives, casework: Casework, someone: Someone) -> None:
    person = await arrives("telegram", "42")
    await person.start()
    (row,) = await casework.lease_outgoing()
    assert (row.address, row.conversation_id, row.lane) == ("42", person.conversation, "chat:42")
    await someone.hand_off()
    case = (await someone.case()).id
    await casework.topic_created(case, 77)
    row = next(row for row in await casework.lease_outgoing() if row.case_id == case)
    assert (row.topic_id, row.lane) == (77, f"topic:{case}")


async def test_marking_a_row_that_was_erased_meanwhile_does_nothing(casework: Casework) -> None:
    await put(casework, "a", "words")
    (row,) = await casework.lease_outgoing()
    async with casework.transaction() as session:
        await session.delete(await session.get_one(Outbox, row.id))
    await casework.sent(row, 1)
    assert await casework.send_later(row, "network")
    await casework.gave_up(row, "gone")


async def test_small_facts_are_remembered(casework: Casework) -> None:
    assert await casework.fact("telegram.username") == ""
    await casework.remember("telegram.username", "one")
    await casework.remember("telegram.username", "other")
    assert await casework.fact("telegram.username") == "other"
