"""The board and the desk's figures: every open case on one line, the most pressing first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from bot.casework import Casework, Inbound
from bot.casework.board import LONGEST
from bot.casework.figures import Figures, Waits, by_day, lasting
from bot.model import Case, DeskEvent, Outbox
from tests.bot.casework.people import Someone, outbox
from tests.bot.casework.topic import PERSONS, Topic
from tests.bot.conftest import MONDAY, Clock


async def put(casework: Casework, code: str, hours: float = 1, **values: object) -> None:
    """A case that was handed over some hours ago."""
    async with casework.transaction() as session:
        case = casework.new_case("en")
        since = casework.now() - timedelta(hours=hours)
        case.code, case.state, case.handed_off_at, case.waiting_since = code, "waiting", since, since
        for name, value in values.items():
            setattr(case, name, value)
        session.add(case)


async def codes(casework: Casework) -> list[str]:
    return [line.code for line in (await casework.board()).lines]


async def test_a_board_without_cases_says_so(casework: Casework) -> None:
    board = await casework.board()
    assert (board.head, board.lines) == (casework.words("desk.board_empty"), ())


async def test_urgent_cases_stand_first_then_overdue_ones_then_those_that_wait_longest(casework: Casework) -> None:
    await put(casework, "young", hours=1)
    await put(casework, "old", hours=9)
    await put(casework, "late", hours=5, due_at=casework.now() - timedelta(minutes=1))
    await put(casework, "urgent", hours=0, urgent=True)
    await put(casework, "answered", hours=50, state="claimed", holder_name="Mei (sample)", waiting_since=None)
    assert await codes(casework) == ["urgent", "late", "old", "young", "answered"]


async def test_a_case_that_nobody_handed_over_or_that_is_closed_is_not_on_the_board(casework: Casework) -> None:
    await put(casework, "talking", state="talking")
    await put(casework, "closed", state="closed")
    assert await codes(casework) == []


async def test_a_long_board_says_how_many_more_there_are(casework: Casework) -> None:
    for number in range(LONGEST + 3):
        await put(casework, f"c{number}", hours=number)
    board = await casework.board()
    assert len(board.lines) == LONGEST
    assert board.foot == casework.words("desk.board_more", count=3)


async def test_the_board_holds_none_of_the_persons_words_and_not_their_name(waiting: Someone) -> None:
    board = await waiting.casework.board()
    case = await waiting.case()
    [line] = board.lines
    assert line.code == case.code
    assert "Samira" not in f"{board.head} {line.text} {board.foot}"


async def test_many_changes_at_once_are_one_edit_of_the_board(waiting: Someone, casework: Casework) -> None:
    for _ in range(3):
        async with casework.transaction() as session:
            case = await session.get(Case, (await waiting.case()).id)
            assert case is not None
            await casework.refresh_card(session, case)
    assert len(await outbox(casework, "group.board")) == 1


async def test_the_card_says_when_words_wait_to_be_delivered(
    waiting: Someone, casework: Casework, clock: Clock
) -> None:
    case = await waiting.case()
    async with casework.transaction() as session:
        await casework.post(session, case, "a note")
    card = await casework.card(case.id)
    assert card is not None
    assert "⏳" not in card.text
    clock.pass_by(minutes=3)
    card = await casework.card(case.id)
    assert card is not None
    assert "⏳" in card.text


async def test_what_was_given_up_is_counted_on_the_board(waiting: Someone, casework: Casework) -> None:
    async with casework.transaction() as session:
        row = await session.get(Outbox, (await outbox(casework))[0].id)
        assert row is not None
        row.state = "failed"
    assert (await casework.board()).foot == casework.words("desk.board_undelivered", count=1)


async def test_the_figures_of_a_week_leave_out_what_was_before(casework: Casework) -> None:
    async with casework.transaction() as session:
        for days in (1, 6, 8):
            session.add(DeskEvent(at=casework.now() - timedelta(days=days), kind="handed_off", in_hours=True))
    assert (await casework.figures_now()).handed_off == 2


async def test_stats_tell_waits_in_and_out_of_hours_apart(casework: Casework) -> None:
    async with casework.transaction() as session:
        for value, in_hours in ((60, True), (180, True), (36_000, False)):
            session.add(DeskEvent(at=casework.now(), kind="first_answer", value=value, in_hours=in_hours))
        said = await casework.stats(session)
    assert casework.words("desk.stats_waits", count=2, median="1 min", p90="3 min") in said
    assert casework.words("desk.stats_waits_outside", count=1, median="10 h", p90="10 h") in said


def event(kind: str, value: int | None = None, *, days: float = 0) -> DeskEvent:
    return DeskEvent(at=MONDAY - timedelta(days=days), kind=kind, value=value, in_hours=True)


def test_the_rate_of_cases_opened_again_is_of_those_that_were_closed() -> None:
    events = [event("closed"), event("closed"), event("closed"), event("closed"), event("reopened")]
    assert Figures.of(events, {}, 0, 0).reopen_rate == 0.25
    assert Figures.of([], {}, 0, 0).reopen_rate == 0


def test_satisfaction_is_the_mean_of_those_who_answered() -> None:
    assert Figures.of([event("satisfaction", 5), event("satisfaction", 4)], {}, 0, 0).satisfaction == (2, 4.5)


@given(st.lists(st.integers(0, 10**6), min_size=1))
def test_percentiles_are_waits_that_somebody_had_and_in_order(seconds: list[int]) -> None:
    waits = Waits.of(seconds)
    assert waits.median in seconds
    assert waits.p90 in seconds
    assert min(seconds) <= waits.median <= waits.p90 <= max(seconds)
    assert sum(value <= waits.p90 for value in seconds) >= 0.9 * len(seconds)


def test_days_are_counted_from_the_oldest_to_today() -> None:
    counted = by_day([event("handed_off"), event("handed_off", days=2), event("closed", days=7)], MONDAY, 3)
    assert counted == {"handed_off": [1, 0, 1], "first_answer": [0, 0, 0], "closed": [0, 0, 0]}


@pytest.mark.parametrize(("seconds", "words"), [(59, "under 1 min"), (3600, "1 h"), (86_400, "1 d")])
def test_a_span_reads_as_people_say_it(seconds: int, words: str) -> None:
    assert lasting(seconds) == words


async def test_the_board_and_the_card_follow_who_waits_for_an_answer(
    waiting: Someone, held: Topic, casework: Casework
) -> None:
    async def refreshed() -> set[str]:
        async with casework.transaction() as session:
            kinds = {row.kind for row in (await session.scalars(select(Outbox).where(Outbox.state == "due"))).all()}
            await session.execute(update(Outbox).values(state="sent"))
            return kinds & {"topic.card", "group.board"}

    await refreshed()
    await held.write("Hello Samira", reply_to=PERSONS)
    assert await refreshed() == {"topic.card", "group.board"}
    await waiting.casework.relay(await waiting.send(Inbound("text", text="thank you, one question")))
    assert await refreshed() == {"topic.card", "group.board"}
    await waiting.casework.relay(await waiting.send(Inbound("text", text="and another")))
    assert await refreshed() == set()  # they wait already, since the first
