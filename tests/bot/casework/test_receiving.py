"""What comes in is stored once, however often and at whatever time it is delivered."""

from __future__ import annotations

import asyncio

import pytest

from bot import store
from bot.casework import Casework, FileRef, Inbound
from tests.bot.casework.conftest import Arrives
from tests.bot.casework.people import Someone


async def test_a_conversation_is_opened_once_for_each_address(casework: Casework) -> None:
    first = await casework.open_conversation("telegram", "42", "fr")
    assert await casework.open_conversation("telegram", "42") == first
    assert await casework.open_conversation("web", "42") != first


async def test_first_messages_at_once_open_one_conversation(casework: Casework) -> None:
    opened = await asyncio.gather(*(casework.open_conversation("telegram", "42") for _ in range(8)))
    assert len(set(opened)) == 1


async def test_a_language_that_the_guide_does_not_speak_is_spoken_to_in_english(
    someone: Someone, casework: Casework
) -> None:
    for number, lang in enumerate(("xx", "", "en-with-a-very-long-tail")):
        other = Someone(casework, await casework.open_conversation("web", f"lang{number}", lang), "web", "")
        assert (await other.row()).lang == "en"


async def test_a_message_that_comes_twice_is_stored_once(someone: Someone) -> None:
    first = await someone.casework.receive(someone.conversation, "id", Inbound("text", text="hello"))
    again = await someone.casework.receive(someone.conversation, "id", Inbound("text", text="something else"))
    assert (again.turn, again.seq) == (first.turn, first.seq)
    assert (first.duplicate, again.duplicate) == (False, True)
    assert [event["blocks"][0]["text"] for event in await someone.events()] == ["hello"]


async def test_a_message_that_comes_twice_at_once_is_stored_once(someone: Someone) -> None:
    receipts = await asyncio.gather(
        *(someone.casework.receive(someone.conversation, "id", Inbound("text", text="hello")) for _ in range(8))
    )
    assert len({receipt.turn for receipt in receipts}) == 1
    assert sum(not receipt.duplicate for receipt in receipts) == 1
    assert len(await someone.events()) == 1


async def test_the_same_id_in_two_conversations_is_two_messages(arrives: Arrives) -> None:
    one, other = await arrives(), await arrives()
    assert await one.send(Inbound("text", text="a"), "id") != await other.send(Inbound("text", text="b"), "id")


async def test_messages_at_once_are_numbered_without_a_gap(someone: Someone) -> None:
    await asyncio.gather(*(someone.send(Inbound("text", text=str(number))) for number in range(20)))
    assert [event["seq"] for event in await someone.events()] == list(range(1, 21))


async def test_a_conversation_that_does_not_exist_takes_nothing(casework: Casework) -> None:
    with pytest.raises(LookupError):
        await casework.receive("0" * 32, "id", Inbound("text", text="hello"))


async def test_words_are_kept_as_they_are_as_far_as_any_database_and_peer_takes_them(someone: Someone) -> None:
    await someone.send(Inbound("text", text="a\x00b \ud83d c {person} 🙂 \u2028 <b>"))
    (event,) = await someone.events()
    assert event["blocks"][0]["text"] == "ab ? c {person} 🙂 \u2028 <b>"


async def test_words_longer_than_are_kept_are_cut(someone: Someone) -> None:
    turn = await someone.send(Inbound("text", text="x" * 50_000))
    pending = await someone.casework.pending(turn)
    assert pending is not None
    assert len(pending.inbound.text) == 20_000
    assert len((await someone.events())[0]["blocks"][0]["text"]) == 20_000


async def test_a_file_is_the_cases_own_as_soon_as_it_is_received(someone: Someone, arrives: Arrives) -> None:
    ref = FileRef(name="ct.pdf", mime="application/pdf", size=3, kind="document", path="x.pdf")
    pending = await someone.casework.pending(await someone.send(Inbound("file", files=(ref,))))
    assert pending is not None
    (file,) = pending.file_ids
    stored = await someone.casework.file_for(someone.conversation, file)
    assert stored is not None
    assert (stored.path, stored.name) == ("x.pdf", "ct.pdf")
    stranger = await arrives()
    assert await someone.casework.file_for(stranger.conversation, file) is None
    assert await someone.casework.file_for(someone.conversation, "unknown") is None


async def test_looking_at_a_turn_waits_for_nobody_who_writes(someone: Someone) -> None:
    turn = await someone.send(Inbound("text", text="hello"))
    async with someone.casework.transaction() as session:
        await store.next_seq(session, someone.conversation)
        async with asyncio.timeout(5):
            assert await someone.casework.pending(turn) is not None
            assert await someone.casework.due_turns(set()) == [(someone.conversation, turn)]
            assert len(await someone.events()) == 1


async def test_whoever_writes_can_be_written_to_again(arrives: Arrives, casework: Casework) -> None:
    person = await arrives("telegram", "42")
    await casework.set_blocked("42", blocked=True)
    assert (await person.row()).blocked
    await person.send(Inbound("text", text="hello"))
    assert not (await person.row()).blocked


async def test_turns_come_in_order_one_a_lane(arrives: Arrives, casework: Casework) -> None:
    one, other = await arrives(), await arrives()
    first = await one.send(Inbound("text", text="1"))
    second = await one.send(Inbound("text", text="2"))
    third = await other.send(Inbound("text", text="3"))
    assert await casework.due_turns(set()) == [(one.conversation, first), (other.conversation, third)]
    assert await casework.due_turns({one.conversation}) == [(other.conversation, third)]
    await one.take(first, "control.greet")
    assert (one.conversation, second) in await casework.due_turns(set())


async def test_a_red_flag_overtakes_its_lane_and_is_taken_once(someone: Someone, casework: Casework) -> None:
    first = await someone.send(Inbound("text", text="hello"))
    flag = await someone.send(Inbound("text", text="she can't breathe and her lips are blue"))
    assert await casework.due_turns(set()) == [(flag, flag), (someone.conversation, first)]
    assert await casework.due_turns({flag, someone.conversation}) == []
    await casework.alarm(flag, "emergency.now")
    assert await casework.due_turns(set()) == [(someone.conversation, first)]


async def test_a_red_flag_that_failed_waits_its_pause(someone: Someone, casework: Casework) -> None:
    flag = await someone.send(Inbound("text", text="she can't breathe and her lips are blue"))
    await casework.delay(flag, "fault", fault=True)
    assert await casework.due_turns(set()) == []
    casework.now.pass_by(seconds=5)  # type: ignore[attr-defined]
    assert await casework.due_turns(set()) == [(flag, flag)]
