"""Dead letters: listed without words, sent again in their place, or dropped; `make outbox` does it by hand."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from bot import outbox
from bot.casework import Casework
from bot.casework.outbound import LAST_ATTEMPT
from bot.model import Outbox, Relayed
from tests.bot.casework.conftest import Arrives
from tests.bot.casework.people import Someone
from tests.bot.casework.test_outbox import lease, put, state_of
from tests.bot.conftest import Clock
from tests.keys import DATA_KEY


async def give_up(casework: Casework, reason: str = "Forbidden: bot was blocked by the user") -> int:
    """The next row that is due can never arrive. Returns its number."""
    (row,) = await casework.lease_outgoing(limit=1)
    await casework.gave_up(row, reason)
    return row.id


async def boards(casework: Casework) -> list[Outbox]:
    """Edits of the board that wait."""
    async with casework.reading() as session:
        query = select(Outbox).where(Outbox.kind == "group.board", Outbox.state == "due")
        return list((await session.scalars(query)).all())


async def test_a_dead_letter_says_whose_it_is_and_why_and_none_of_the_words(
    casework: Casework, arrives: Arrives, clock: Clock
) -> None:
    person = await arrives("telegram", "42")
    await person.start()
    number = await give_up(casework)
    (letter,) = await casework.dead_letters()
    assert (letter.number, letter.kind, letter.to_group, letter.attempts) == (number, "say", False, 1)
    assert letter.created_at == clock.time
    line = outbox.shown(letter)
    assert line.split(maxsplit=1) == [
        str(number),
        "2026-11-23 09:00 UTC  say to the person, case "
        f"{(await person.case()).code}: Forbidden: bot was blocked by the user (tried once)",
    ]


async def test_the_board_counts_what_is_given_up_as_soon_as_it_is(casework: Casework) -> None:
    await put(casework, "a", "words")
    assert await boards(casework) == []
    await give_up(casework)
    assert len(await boards(casework)) == 1
    assert "1 could not be delivered" in (await casework.board()).foot


async def test_a_board_that_cannot_be_shown_does_not_ask_for_another_one(casework: Casework, clock: Clock) -> None:
    async with casework.transaction() as session:
        await casework.refresh_board(session)
    clock.pass_by(seconds=10)
    await give_up(casework)
    assert await boards(casework) == []


async def test_what_is_sent_again_goes_out_before_what_came_later(casework: Casework, clock: Clock) -> None:
    await put(casework, "a", "first")
    number = await give_up(casework)
    await put(casework, "a", "second")
    assert await casework.send_again([number, 4711]) == [number]
    assert await lease(casework) == ["first"]
    assert (await state_of(casework, number)).attempts == 1
    assert await casework.send_again([number]) == []  # it is alive, and in the hands of a dispatcher


async def test_what_is_sent_again_has_all_its_attempts_again(casework: Casework, clock: Clock) -> None:
    await put(casework, "a", "words")
    for _ in range(LAST_ATTEMPT):
        (row,) = await casework.lease_outgoing(limit=1)
        await casework.send_later(row, "network")
        clock.pass_by(hours=1)
    assert await casework.send_again([row.id]) == [row.id]
    (row,) = [row for row in await casework.lease_outgoing() if row.kind == "say"]
    assert await casework.send_later(row, "network")


async def test_a_coordinators_words_that_arrive_in_the_end_are_marked_as_arrived(
    casework: Casework, someone: Someone
) -> None:
    async with casework.transaction() as session:
        case = await someone.case()
        copy = Relayed(
            case_id=case.id,
            conversation_id=someone.conversation,
            from_person=False,
            desk_chat_id=-100,
            desk_message_id=7,
            at=casework.now(),
            state="failed",
        )
        session.add(copy)
        await session.flush()
        number = copy.id
        await casework.send(session, "say", {"text": "words", "relayed": [number]}, lane="a")
    letter = await give_up(casework)
    await casework.send_again([letter])
    assert await casework.wanted([number])
    await casework.arrived([number], [11])
    async with casework.reading() as session:
        mark = await session.scalar(select(Outbox).where(Outbox.kind == "desk.mark"))
    assert mark is not None
    assert mark.payload["emoji"] == "👌"


async def test_what_is_dropped_is_gone_with_its_words_and_not_counted_any_more(casework: Casework) -> None:
    await put(casework, "a", "words")
    number = await give_up(casework)
    assert await casework.drop([number]) == [number]
    row = await state_of(casework, number)
    assert (row.state, row.payload) == ("dropped", {})
    assert await casework.dead_letters() == []
    assert await lease(casework) == []


async def test_by_hand_dead_letters_are_listed_sent_again_and_dropped(
    casework: Casework, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("DATA_KEY", DATA_KEY)
    numbers = []
    for lane in ("a", "b", "c"):
        await put(casework, lane, "secret words")
        numbers.append(await give_up(casework))
    one, two, three = numbers

    async def run(*arguments: str) -> str:
        assert await asyncio.to_thread(outbox.main, list(arguments)) == 0
        said = capsys.readouterr().out
        assert "secret words" not in said
        return said

    assert "Given up: 3." in await run()
    assert f"Sent again: {one}." in await run("--retry", str(one), "4711")
    assert f"Dropped: {two}." in await run("--drop", str(two))
    assert f"Sent again: {three}." in await run("--retry", "all")
    assert (await run()).startswith("Waiting to be sent: 3, the oldest since ")  # two of ours, and the board
    assert await asyncio.to_thread(outbox.main, ["--drop", "everything"]) == 2


def test_by_hand_a_database_that_cannot_be_used_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}")
    assert outbox.main([]) == 1
    assert "cannot be used" in capsys.readouterr().err
