"""The desk's clock: who is told when words stay unanswered, who holds a case, and what a person hears of absences."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from bot import store
from bot.casework import Casework, Inbound
from bot.casework.hours import parse
from bot.model import Case, DeskEvent, Reminder
from bot.progress import Contact, TreatmentDate
from bot.wake import Wake
from bot.watch import Watcher
from tests.bot.casework.conftest import Arrives
from tests.bot.casework.people import Someone, outbox
from tests.bot.casework.topic import BRIEF, MEI, TARIQ, Topic
from tests.bot.conftest import Clock

BERLIN = parse("Europe/Berlin", "Mon-Fri 09:00-18:00", "2026-12-24..2027-01-02")  # the clock shows Monday, 10:00 there


@pytest.fixture
def casework(casework: Casework) -> Casework:
    """A desk with working hours."""
    return replace(casework, hours=BERLIN)


@pytest.fixture
def look(casework: Casework) -> Callable[[], Awaitable[int]]:
    """One look of the loop."""
    return Watcher(casework, Wake()).run_once


Look = Callable[[], Awaitable[int]]


async def writes(person: Someone, text: str = "are you there") -> None:
    """Words to the coordinator who holds the case."""
    assert await person.casework.relay(await person.send(Inbound("text", text=text)))


async def said(person: Someone) -> list[str]:
    """The ids of what was said to them since they last looked."""
    return [event["say"] for event in await person.news() if event["role"] != "patient"]


async def general(casework: Casework) -> list[str]:
    """What waits to be posted into General."""
    return [row.payload["text"] for row in await outbox(casework, "group.post")]


async def events(casework: Casework, kind: str) -> list[tuple[int | None, bool]]:
    """(value, in working hours) of what was noted for the figures."""
    async with casework.reading() as session:
        rows = await session.scalars(select(DeskEvent).where(DeskEvent.kind == kind).order_by(DeskEvent.id))
        return [(row.value, row.in_hours) for row in rows]


async def change(topic: Topic, use: Callable[..., Awaitable[str]], *values: object) -> str:
    """Call one of the clock's own use cases on the case, as a command does."""
    async with topic.casework.transaction() as session:
        case = await store.case(session, topic.case, lock=True)
        return await use(session, case, *values)


def at(case: Case) -> str:
    """When their answer is late, as the desk's clock shows it."""
    assert case.due_at is not None
    return f"{case.due_at.astimezone(BERLIN.zone):%a %H:%M}"


# From the first unanswered words to a human's answer.


async def test_the_clock_runs_from_the_first_unanswered_words(waiting: Someone, clock: Clock) -> None:
    assert at(await waiting.case()) == "Mon 14:00"
    clock.pass_by(hours=2)
    await waiting.write("faq.certainty", "will it help")
    assert at(await waiting.case()) == "Mon 14:00"


async def test_an_answer_stops_the_clock_and_the_next_words_start_it_anew(
    waiting: Someone, topic: Topic, clock: Clock, look: Look
) -> None:
    clock.pass_by(hours=1)
    await topic.write("Hello Samira", reply_to=BRIEF)
    case = await waiting.case()
    assert (case.waiting_since, case.due_at, case.escalations) == (None, None, 0)
    clock.pass_by(days=1)
    assert await look() == 0
    await writes(waiting)
    assert at(await waiting.case()) == "Tue 15:00"


async def test_a_note_of_a_coordinator_does_not_stop_the_clock(waiting: Someone, topic: Topic) -> None:
    await topic.press("claim")
    await topic.write("the family sounds tired")
    assert at(await waiting.case()) == "Mon 14:00"


async def test_closing_stops_the_clock(waiting: Someone, topic: Topic, clock: Clock, look: Look) -> None:
    await topic.press("claim")
    await topic.press("close.helped")
    clock.pass_by(days=1)
    assert await look() == 0
    assert await general(topic.casework) == []


async def test_the_wait_for_an_answer_is_noted_with_whether_it_began_in_working_hours(
    waiting: Someone, topic: Topic, clock: Clock
) -> None:
    clock.pass_by(minutes=10)
    await topic.write("Hello Samira", reply_to=BRIEF)
    clock.pass_by(hours=10)
    await writes(waiting)
    clock.pass_by(minutes=5)
    await topic.write("Good evening", reply_to=BRIEF)
    assert await events(topic.casework, "first_answer") == [(600, True)]
    assert await events(topic.casework, "answered") == [(300, False)]


# The lease.


async def test_a_holder_who_does_not_answer_is_told_then_all_are_then_the_case_is_free(
    waiting: Someone, topic: Topic, clock: Clock, look: Look, casework: Casework
) -> None:
    await topic.press("claim")
    await said(waiting)
    case = await waiting.case()
    since = casework.since(case)
    clock.pass_by(hours=5)
    assert await look() == 1
    assert (await topic.posts())[-1] == casework.words("desk.late_holder", name=MEI[1], since=since)
    assert await general(casework) == []
    clock.pass_by(hours=20)
    assert await look() == 1
    assert await general(casework) == [casework.words("desk.late_all", code=case.code, name=MEI[1], since=since)]
    assert (await waiting.case()).holder_name == MEI[1]
    assert await said(waiting) == []
    clock.pass_by(days=1)
    assert await look() == 1
    case = await waiting.case()
    assert (case.state, case.holder_id, case.holder_name, case.claimed_at) == ("waiting", None, "", None)
    returned = casework.words("desk.late_returned", code=case.code, name=MEI[1], since=since)
    assert (await general(casework))[1:] == [returned]
    assert (await topic.posts())[-1] == casework.words("desk.returned", name=MEI[1], since=since)
    assert await said(waiting) == ["away.late"]
    assert len(await events(casework, "late")) == 3
    assert "faq.certainty" in await waiting.write("faq.certainty", "will it help")  # the assistant is back
    assert MEI[1] in await topic.press("claim", MEI)


async def test_a_case_that_nobody_takes_is_told_to_all_twice_then_to_the_person_then_to_all_once_a_day(
    waiting: Someone, clock: Clock, look: Look, casework: Casework
) -> None:
    case = await waiting.case()
    text = casework.words("desk.late_nobody", code=case.code, since=casework.since(case))
    await said(waiting)
    for number, heard in enumerate(([], [], ["away.late"]), start=1):
        clock.pass_by(hours=5 if number == 1 else 24)
        assert await look() == 1
        assert await look() == 0
        assert await general(casework) == [text] * number
        assert await said(waiting) == heard
    clock.pass_by(hours=23)
    assert await look() == 0
    clock.pass_by(hours=1)
    assert await look() == 1
    assert await general(casework) == [text] * 4
    assert await said(waiting) == []
    assert len(await events(casework, "late")) == 3


async def test_two_processes_that_look_at_once_alert_once(
    waiting: Someone, topic: Topic, clock: Clock, casework: Casework
) -> None:
    await topic.press("claim")
    clock.pass_by(hours=4)
    due = [await casework.due_alerts() for _ in range(2)]
    assert due == [[topic.case], [topic.case]]
    given = await asyncio.gather(*(casework.alert(topic.case) for _ in range(4)))
    assert [conversations for conversations in given if conversations is not None] == [[waiting.conversation]]
    assert (await waiting.case()).escalations == 1


async def test_nobody_is_alerted_outside_working_hours(waiting: Someone, clock: Clock, look: Look) -> None:
    clock.time = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)  # late since 14:00, and nobody had looked
    assert await look() == 0
    clock.time = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    assert await look() == 1


async def test_after_an_outage_each_still_has_time_to_answer(
    waiting: Someone, topic: Topic, clock: Clock, look: Look
) -> None:
    await topic.press("claim")
    clock.pass_by(days=2)
    assert [await look(), await look()] == [1, 0]
    assert (await waiting.case()).holder_name == MEI[1]


async def test_whoever_takes_a_late_case_has_the_whole_limit_to_answer(
    waiting: Someone, topic: Topic, clock: Clock, look: Look, casework: Casework
) -> None:
    clock.pass_by(hours=5)
    await look()
    await topic.press("claim")  # at 15:00: the limit is over at 10:00 on the next day
    clock.pass_by(hours=18)
    assert await look() == 0
    clock.pass_by(hours=1)
    assert await look() == 1
    since = casework.since(await waiting.case())
    assert (await topic.posts())[-1] == casework.words("desk.late_holder", name=MEI[1], since=since)


async def test_one_case_that_cannot_be_alerted_does_not_keep_the_others_waiting(
    arrives: Arrives, waiting: Someone, clock: Clock, look: Look, casework: Casework
) -> None:
    other = await (await arrives()).hand_off()
    async with casework.transaction() as session:
        case = await store.case(session, (await waiting.case()).id, lock=True)
        assert case is not None
        case.urgent, case.urgent_reason = True, "no such reason"
        case.alert_at = clock()
    clock.pass_by(hours=4)
    assert await look() == 1
    assert (await other.case()).escalations == 1
    assert (await waiting.case()).escalations == 0


# Urgent cases.


async def test_an_urgent_case_is_late_after_half_an_hour_at_any_hour(
    someone: Someone, clock: Clock, look: Look, casework: Casework
) -> None:
    clock.time = datetime(2026, 11, 29, 1, 0, tzinfo=UTC)  # a Sunday
    await someone.agree()
    await someone.known(treatment=TreatmentDate(answer="yes", on=clock().date() + timedelta(days=3)))
    await someone.press("choice.ask")
    await someone.write("control.human")
    for _ in range(4):
        await someone.write("control.skip")
    await someone.press("choice.send")
    clock.pass_by(minutes=29)
    assert await look() == 0
    clock.pass_by(minutes=1)
    assert await look() == 1
    (told,) = await general(casework)
    assert told.startswith(casework.words("desk.urgent_flag", reason=casework.reason("treatment_soon")))


async def test_an_alarm_in_a_case_that_waits_brings_its_limit_forward(
    waiting: Someone, topic: Topic, clock: Clock, look: Look
) -> None:
    await topic.press("claim")
    clock.pass_by(hours=1)
    await waiting.casework.alarm(await waiting.send(Inbound("text", text="I cannot breathe")), "emergency.now")
    assert at(await waiting.case()) == "Mon 11:30"
    clock.pass_by(minutes=30)
    assert await look() == 1


async def test_an_alarm_after_an_answer_starts_the_clock_again(waiting: Someone, topic: Topic, clock: Clock) -> None:
    await topic.write("Hello Samira", reply_to=BRIEF)
    clock.pass_by(hours=12)
    await waiting.casework.alarm(await waiting.send(Inbound("text", text="I cannot breathe")), "emergency.now")
    assert at(await waiting.case()) == "Mon 22:30"


# From one coordinator to another.


async def test_a_case_passes_to_a_colleague_and_the_person_is_told_who_reads_now(
    waiting: Someone, topic: Topic, casework: Casework
) -> None:
    await topic.press("claim")
    await said(waiting)
    text = await change(topic, casework.transfer, *TARIQ)
    case = await waiting.case()
    assert (case.state, case.holder_id, case.holder_name) == ("claimed", *TARIQ)
    assert text == casework.words("desk.transferred", before=MEI[1], name=TARIQ[1]) == (await topic.posts())[-1]
    assert await said(waiting) == ["human.passed_on"]
    assert TARIQ[1] in (await waiting.sees()).splitlines()[-1]
    assert await change(topic, casework.transfer, *TARIQ) == casework.words("desk.already_claimed", name=TARIQ[1])
    assert await change(topic, casework.transfer, None, TARIQ[1]) == casework.words(
        "desk.already_claimed", name=TARIQ[1]
    )
    assert await said(waiting) == []


async def test_a_case_that_nobody_held_can_be_given_to_somebody(
    waiting: Someone, topic: Topic, casework: Casework
) -> None:
    await said(waiting)
    await change(topic, casework.transfer, None, TARIQ[1])
    case = await waiting.case()
    assert (case.state, case.holder_id, case.holder_name) == ("claimed", None, TARIQ[1])
    assert await said(waiting) == ["human.joined"]


async def test_a_closed_case_passes_to_nobody(waiting: Someone, topic: Topic, casework: Casework) -> None:
    await topic.press("claim")
    await topic.press("close.helped")
    await said(waiting)
    for use, values in ((casework.transfer, TARIQ), (casework.give_back, ())):
        assert await change(topic, use, *values) == casework.words("desk.is_closed")
    assert (await waiting.case()).state == "closed"
    assert await said(waiting) == []


async def test_a_case_that_is_given_back_can_be_taken_and_the_person_is_told(
    waiting: Someone, topic: Topic, casework: Casework
) -> None:
    assert await change(topic, casework.give_back) == casework.words("desk.not_taken")
    await topic.press("claim")
    await said(waiting)
    await change(topic, casework.give_back)
    case = await waiting.case()
    assert (case.state, case.holder_id, case.holder_name) == ("waiting", None, "")
    assert await said(waiting) == ["human.left"]
    assert (await topic.posts())[-1] == casework.words("desk.given_back", name=MEI[1])
    assert at(case) == "Mon 14:00"  # the person has waited all the while
    assert TARIQ[1] in await topic.press("claim", TARIQ)


async def test_who_is_given_back_at_night_is_told_when_somebody_is_there(
    waiting: Someone, topic: Topic, casework: Casework, clock: Clock
) -> None:
    await topic.press("claim")
    clock.pass_by(hours=12)
    await said(waiting)
    await change(topic, casework.give_back)
    assert await said(waiting) == ["human.left", "away.closed"]


# Nobody is there.


async def test_who_is_handed_over_at_night_is_told_when_somebody_is_there(someone: Someone, clock: Clock) -> None:
    clock.time = datetime(2026, 11, 27, 20, 0, tzinfo=UTC)  # a Friday
    await someone.hand_off()
    says = [event["say"] for event in await someone.events()]
    assert says[says.index("handoff.next") + 1] == "away.closed"
    assert "Monday 30 November, 09:00 (time zone Europe/Berlin)" in await someone.sees()


async def test_who_is_handed_over_by_day_is_told_until_when_somebody_is_there(waiting: Someone) -> None:
    assert "away.open" in [event["say"] for event in await waiting.events()]
    assert "Monday 23 November, 18:00 (time zone Europe/Berlin)" in await waiting.sees()


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("Asia/Manila", "Tuesday 24 November, 16:00, your time"),
        ("UTC-03:30", "Tuesday 24 November, 04:30, your time"),
        ("half past noon", "Tuesday 24 November, 09:00 (time zone Europe/Berlin)"),
    ],
)
async def test_the_time_is_told_as_their_own_clock_shows_it_where_that_is_known(
    waiting: Someone, topic: Topic, clock: Clock, zone: str, told: str
) -> None:
    await topic.press("claim")
    await waiting.known(contact=Contact(timezone=zone))
    clock.pass_by(hours=10)
    await writes(waiting)
    assert told in (await waiting.sees()).splitlines()[-1]


async def test_an_absence_is_told_once_and_the_next_one_again(waiting: Someone, topic: Topic, clock: Clock) -> None:
    await topic.write("Hello Samira", reply_to=BRIEF)
    await said(waiting)
    clock.pass_by(hours=10)
    await writes(waiting)
    assert await said(waiting) == ["away.closed"]
    clock.pass_by(hours=2)
    await writes(waiting)
    assert await said(waiting) == []
    clock.time = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    await writes(waiting)
    assert await said(waiting) == []  # they are there, and somebody holds the case
    clock.pass_by(hours=10)
    await writes(waiting)
    assert await said(waiting) == ["away.closed"]


async def test_what_is_written_in_an_absence_is_kept_for_the_topic(
    waiting: Someone, topic: Topic, clock: Clock
) -> None:
    await topic.press("claim")
    clock.pass_by(hours=10)
    await writes(waiting, "it hurts at night")
    assert topic.casework.words("desk.person_said", text="it hurts at night") in await topic.posts()


async def test_while_nobody_has_taken_the_case_it_is_told_once_a_day(waiting: Someone, clock: Clock) -> None:
    assert "away.open" not in await waiting.write("faq.certainty", "will it help")  # the hand-over told it
    clock.pass_by(days=1)
    assert "away.open" in await waiting.write("faq.certainty", "will it help")
    assert "away.open" not in await waiting.write("faq.certainty", "will it help")


async def test_a_coordinator_who_works_at_night_is_not_called_absent(
    waiting: Someone, topic: Topic, clock: Clock
) -> None:
    clock.pass_by(hours=10)
    await topic.write("Hello Samira", reply_to=BRIEF)
    await said(waiting)
    await writes(waiting)
    assert await said(waiting) == []
    clock.pass_by(days=1)  # the next night is another absence
    await writes(waiting)
    assert await said(waiting) == ["away.closed"]


async def test_nothing_is_added_to_the_answer_to_an_alarm(waiting: Someone, topic: Topic, clock: Clock) -> None:
    await topic.press("claim")
    clock.pass_by(hours=10)
    await said(waiting)
    await waiting.casework.alarm(await waiting.send(Inbound("text", text="I cannot breathe")), "emergency.now")
    assert all(say.startswith("safety.") for say in await said(waiting))


async def test_without_hours_nothing_is_promised(casework: Casework, clock: Clock, look: Look) -> None:
    clock.time = datetime(2026, 11, 29, 1, 0, tzinfo=UTC)
    person = await (await Someone.arrives(replace(casework, hours=parse()))).hand_off()
    await person.write("faq.certainty", "will it help")
    assert not [event["say"] for event in await person.events() if event["say"].startswith("away.")]


# Reminders.


async def test_a_reminder_comes_into_its_topic_when_it_is_due_once_and_names_who_asked(
    topic: Topic, casework: Casework, clock: Clock, look: Look
) -> None:
    async with casework.transaction() as session:
        due = clock() + timedelta(hours=1)
        session.add(Reminder(case_id=topic.case, due_at=due, text="call {them}", by_name=MEI[1]))
    clock.pass_by(minutes=59)
    assert await look() == 0
    clock.pass_by(minutes=1)
    (number,) = await casework.due_reminders()
    assert sorted(await asyncio.gather(*(casework.remind(number) for _ in range(3)))) == [False, False, True]
    assert await look() == 0
    reminded = casework.words("desk.reminder", name=MEI[1], text="call {them}")
    assert (await topic.posts()).count(reminded) == 1


async def test_a_reminder_goes_with_its_case(
    waiting: Someone, topic: Topic, casework: Casework, clock: Clock, look: Look
) -> None:
    async with casework.transaction() as session:
        session.add(Reminder(case_id=topic.case, due_at=clock() + timedelta(hours=1), text="call", by_name=MEI[1]))
    await waiting.write("control.delete_data", "delete my data")
    await waiting.press("choice.erase")
    clock.pass_by(hours=1)
    assert await look() == 0
