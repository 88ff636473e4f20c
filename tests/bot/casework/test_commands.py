"""What coordinators write behind a slash: each does what /help says of it, and nothing of it reaches the person."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.casework import Casework, DeskInbound, spans
from bot.casework.commands import COMMANDS, coded, meant, ordered
from bot.casework.desk import Desk
from bot.commands import PAGE, written
from bot.guide import Guide
from bot.model import Note, Reminder
from tests.bot.casework.conftest import Arrives
from tests.bot.casework.people import Someone, everything, outbox
from tests.bot.casework.test_closing import said
from tests.bot.casework.topic import GROUP, MEI, PERSONS, TARIQ, Topic, coordinators_words
from tests.bot.conftest import Clock

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


async def general(casework: Casework) -> list[str]:
    """What was posted to all coordinators."""
    return [row.payload["text"] for row in await outbox(casework, "group.post")]


async def in_general(casework: Casework, text: str, who: tuple[int, str] = MEI, number: int = 1) -> None:
    """Write in General."""
    said = asdict(DeskInbound("message", GROUP, 0, 7_000 + number, *who, text=text))
    assert await casework.receive_desk(f"general{number}", said, None)
    ((_, turn),) = [item for item in await casework.due_turns(set()) if item[0] == "desk:0"]
    await casework.desk_turn(turn)


# How a command is read.


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        ("/close", "close", ""),
        ("/CLOSE helped", "close", "helped"),
        ("/close@WaypointBot helped\nbye", "close", "helped\nbye"),
        ("/note   two  spaces", "note", "two  spaces"),
    ],
)
def test_a_command_is_read_however_telegram_writes_it(text: str, name: str, rest: str) -> None:
    order = ordered(text)
    assert order is not None
    assert (order.name, order.rest) == (name, rest)


@pytest.mark.parametrize("text", ["close", "/", "/ close", "//close", "/закрыть"])
def test_other_words_are_no_command(text: str) -> None:
    assert ordered(text) is None


@pytest.mark.parametrize("written", ["WP-2ABC-3DEF", "wp-2abc-3def", "2ABC-3DEF", "WP 2ABC 3DEF", "wp2abc3def"])
def test_a_code_is_read_in_any_way_people_write_it(written: str) -> None:
    assert coded(f"{written} and more") == ("WP-2ABC-3DEF", "and more")


@pytest.mark.parametrize("words", ["WP-2ABC", "hello", "", "2ABC-3DEFG", "1ABC-3DEF"])
def test_what_is_no_code_is_left_as_it_is(words: str) -> None:
    assert coded(words) == ("", words)


@pytest.mark.parametrize(("typed", "command"), [("clos", "close"), ("remmind", "remind"), ("qqqq", "")])
def test_a_mistyped_command_is_guessed_only_where_it_is_near(typed: str, command: str) -> None:
    assert meant(typed) == command


def test_every_command_is_done_by_something_and_nothing_else_is() -> None:
    assert {*Desk._COMMANDS} == {name for name, command in COMMANDS.items() if command.of_case}
    assert {*Desk._ABOUT_DESK} == {name for name, command in COMMANDS.items() if not command.of_case}


@pytest.mark.parametrize(
    ("text", "after", "rest"),
    [
        ("30m", timedelta(minutes=30), ""),
        ("2h call", timedelta(hours=2), "call"),
        ("2D the scan", timedelta(days=2), "the scan"),
        ("1w", timedelta(weeks=1), ""),
        ("2026-03-03 09:30 visit", timedelta(hours=23, minutes=30), "visit"),
        ("2026-03-03 visit", timedelta(hours=23), "visit"),
        ("2026-03-03 9:30", timedelta(hours=23, minutes=30), ""),
    ],
)
def test_a_moment_is_read_from_a_span_or_a_date(text: str, after: timedelta, rest: str) -> None:
    assert spans.due(text, NOW, UTC) == (NOW + after, rest)


@pytest.mark.parametrize(
    "text", ["", "call", "0d", "9999w", "2026-03-01", "2026-02-30", "2026-13-01", "2029-01-01", "2x"]
)
def test_what_is_no_moment_to_come_is_refused(text: str) -> None:
    assert spans.due(text, NOW, UTC) is None


# What stays inside.


@pytest.mark.parametrize("command", [f"/{name}" for name in COMMANDS] + ["/closse now", "/", "/ hello", "/привет"])
@pytest.mark.parametrize("reply_to", [0, PERSONS])
async def test_no_command_is_read_by_the_person(
    strict: Casework, waiting: Someone, held: Topic, command: str, reply_to: int
) -> None:
    await held.write(f"{command} {SECRET}" if command not in ("/say", "/close", "/r") else command, reply_to=reply_to)
    assert SECRET not in await waiting.sees()
    assert await coordinators_words(waiting) == []


SECRET = "xyzzy"


async def test_a_command_for_another_bot_is_left_alone(waiting: Someone, held: Topic) -> None:
    await held.casework.remember("telegram.username", "WaypointBot")
    before = len(await held.posts())
    await held.write("/close@OtherBot helped")
    assert (await waiting.case()).state == "claimed"
    assert len(await held.posts()) == before


# Outside of a held.


async def test_in_general_a_command_takes_the_code_of_its_case(waiting: Someone, held: Topic) -> None:
    case = await waiting.case()
    await in_general(held.casework, f"/note {case.code.lower()} speaks Arabic")
    async with held.casework.reading() as session:
        (note,) = (await session.scalars(select(Note))).all()
    assert (note.case_id, note.text) == (case.id, "speaks Arabic")
    assert await general(held.casework) == [held.casework.words("desk.note_kept")]


async def test_in_general_a_closed_case_is_opened_again_by_its_code(closed: Someone, held: Topic) -> None:
    await in_general(held.casework, f"/reopen {(await closed.case()).code}")
    assert (await closed.case()).state == "claimed"


@pytest.mark.parametrize(
    ("text", "say"),
    [
        ("/say WP-2ABC-3DEF hello", "desk.say_here"),
        ("/note WP-2ABC-3DEF hello", "desk.no_such_case"),
        ("/closse", "desk.did_you_mean"),
    ],
)
async def test_what_cannot_be_done_in_general_says_why(held: Topic, text: str, say: str) -> None:
    await in_general(held.casework, text)
    args = {"command": "/closse", "meant": "/close"} if say == "desk.did_you_mean" else {}
    assert await general(held.casework) == [held.casework.words(say, **args)]


async def test_a_case_that_was_not_handed_over_is_none_of_the_coordinators_business(
    arrives: Arrives, held: Topic
) -> None:
    other = await (await arrives()).agree()
    await other.write("signals.situations.rare_cancer", f"it is {SECRET}")
    code = (await other.case()).code
    for number, text in enumerate((f"/note {code} x", f"/export {code}", f"/find {code}", f"/find {SECRET}")):
        await in_general(held.casework, text, number=number)
    assert [row for row in await outbox(held.casework) if row.case_id == (await other.case()).id] == []
    assert not any(row.payload.get("lines") for row in await outbox(held.casework, "group.post"))


async def test_words_in_general_are_nobodys_business(held: Topic) -> None:
    await in_general(held.casework, "who has tea?")
    assert await general(held.casework) == []


# One by one.


async def test_transfer_finds_a_colleague_by_username_by_name_and_by_mention(waiting: Someone, held: Topic) -> None:
    await held.write("good morning", TARIQ, username="tariq_desk")
    await held.write("/transfer @Tariq_Desk")
    assert (await waiting.case()).holder_id == TARIQ[0]
    await held.write("/transfer mei", TARIQ)
    assert (await waiting.case()).holder_id == MEI[0]
    await held.write("/transfer him", mentioned=TARIQ[0])
    assert (await waiting.case()).holder_id == TARIQ[0]


async def test_transfer_to_nobody_known_names_who_is(waiting: Someone, held: Topic) -> None:
    await held.write("/transfer @nobody")
    assert MEI[1] in (await held.posts())[-1]
    assert (await waiting.case()).holder_id == MEI[0]


async def test_a_coordinator_gives_a_case_back(waiting: Someone, held: Topic) -> None:
    await held.write("/release")
    assert (await waiting.case()).state == "waiting"
    assert (await held.posts()).count(held.casework.words("desk.given_back", name=MEI[1])) == 1


async def test_a_ready_answer_is_shown_first_and_sent_by_a_press(waiting: Someone, held: Topic) -> None:
    await held.write("/r hello")
    shown = (await outbox(held.casework, "topic.post"))[-1].payload
    assert "Samira" in shown["text"]
    assert MEI[1] in shown["text"]
    assert await coordinators_words(waiting) == []
    assert await held.press_data(shown["buttons"][0][1]) == held.casework.words("desk.preview_sent")
    ((who, words),) = await coordinators_words(waiting)
    assert who == MEI[1]
    assert words in shown["text"]
    assert await held.press_data(shown["buttons"][0][1]) == held.casework.words("desk.draft_gone")
    assert len(await coordinators_words(waiting)) == 1


async def test_a_ready_answer_that_is_dropped_is_not_sent(waiting: Someone, held: Topic) -> None:
    await held.write("/r hello")
    shown = (await outbox(held.casework, "topic.post"))[-1].payload
    assert await held.press_data(shown["buttons"][1][1]) == held.casework.words("desk.preview_dropped")
    assert await held.press_data(shown["buttons"][0][1]) == held.casework.words("desk.draft_gone")
    assert await coordinators_words(waiting) == []


async def test_a_ready_answer_of_yesterday_is_not_sent_any_more(waiting: Someone, held: Topic, clock: Clock) -> None:
    await held.write("/r hello")
    shown = (await outbox(held.casework, "topic.post"))[-1].payload
    clock.pass_by(days=1)
    assert await held.press_data(shown["buttons"][0][1]) == held.casework.words("desk.draft_gone")
    assert await coordinators_words(waiting) == []


async def test_fields_of_a_ready_answer_follow_its_name(held: Topic) -> None:
    await held.write("/r call")
    assert (await held.posts())[-1] == held.casework.words("desk.canned_fields", usage="/r call when")
    await held.write("/r call {me} on Monday at 15:00")
    assert "{me} on Monday at 15:00" in (await held.posts())[-1]


async def test_a_ready_answer_that_does_not_exist_lists_those_that_do(held: Topic) -> None:
    for command in ("/r", "/r nonsense"):
        await held.write(command)
        assert "/r hello" in (await held.posts())[-1]


async def test_an_item_of_the_checklist_is_sent_with_its_buttons_and_the_answer_is_seen(
    waiting: Someone, held: Topic
) -> None:
    await waiting.news()
    await held.write("/ask records.pathology")
    (event,) = await waiting.news()
    assert (event["say"], event["role"], event["name"]) == ("records.pathology.ask", "coordinator", MEI[1])
    await waiting.press("state.asked")
    assert (await waiting.progress()).records["pathology"].state == "asked"
    label = held.casework.words("state.asked")
    assert (await held.posts())[-1].casefold() == held.casework.words("desk.person_chose", label=label).casefold()
    assert (await waiting.case()).first_answered_at is not None


async def test_an_item_that_does_not_exist_lists_those_that_do(held: Topic) -> None:
    await held.write("/ask nonsense")
    assert "/ask records.operative_notes" in (await held.posts())[-1]


async def test_a_note_stands_on_the_card(waiting: Someone, held: Topic) -> None:
    await held.write("/note speaks Arabic, call in the evening")
    card = await held.casework.card(held.case)
    assert card is not None
    assert held.casework.words("desk.note", name=MEI[1], text="speaks Arabic, call in the evening") in card.text
    assert "Arabic" not in await waiting.sees()


async def test_reminders_are_set_listed_and_taken_back(waiting: Someone, held: Topic, clock: Clock) -> None:
    await held.write("/remind 2d call the clinic")
    async with held.casework.reading() as session:
        (reminder,) = (await session.scalars(select(Reminder))).all()
    assert reminder.due_at == held.casework.now() + timedelta(days=2)
    await held.write("/remind")
    assert "call the clinic" in (await held.posts())[-1]
    await held.write(f"/remind off {reminder.id}")
    clock.pass_by(days=3)
    assert await held.casework.due_reminders() == []
    await held.write("/remind soon")
    assert (await held.posts())[-1] == held.casework.words("desk.remind_when")


async def test_urgent_shortens_the_wait_and_can_be_taken_back(waiting: Someone, held: Topic) -> None:
    due = (await waiting.case()).due_at
    await held.write("/urgent")
    case = await waiting.case()
    assert case.urgent
    assert case.due_at is not None
    assert due is not None
    assert case.due_at < due
    await held.write("/urgent off")
    case = await waiting.case()
    assert (case.urgent, case.due_at) == (False, due)


async def test_a_mark_that_is_taken_back_leaves_nobody_waiting_who_has_their_answer(
    waiting: Someone, held: Topic
) -> None:
    await held.write("/say The slides are here.")
    await held.write("/urgent")
    assert (await waiting.case()).alert_at is not None
    await held.write("/urgent off")
    case = await waiting.case()
    assert (case.urgent, case.waiting_since, case.due_at, case.alert_at) == (False, None, None, None)


async def test_find_looks_at_codes_names_words_and_notes(waiting: Someone, held: Topic) -> None:
    await waiting.write("faq.certainty", "the größte Angst")
    await held.write("/note prefers evenings")
    code = (await waiting.case()).code
    for words in (code.lower(), code[3:], "samira", "Größte", "evenings", "mei (sam"):
        await held.write(f"/find {words}")
        row = (await outbox(held.casework, "topic.post"))[-1]
        assert [line[0] for line in row.payload["lines"]] == [code], words
    for words in ("100%", "_____", "nothing like it"):
        await held.write(f"/find {words}")
        assert (await held.posts())[-1] == held.casework.words("desk.find_none", text=words)


async def test_find_wants_three_letters(held: Topic) -> None:
    await held.write("/find a")
    assert (await held.posts())[-1] == held.casework.words("desk.find_what")


async def test_stats_and_help_answer_where_they_were_asked(held: Topic) -> None:
    await held.write("/stats")
    await held.write("/help")
    await held.write("/help remind")
    posts = await held.posts()
    assert posts[-3].startswith(held.casework.words("desk.stats_now", waiting=0, claimed=1, closed=0, late=0))
    assert all(held.casework.words(command.usage) in posts[-2] for command in COMMANDS.values())
    assert posts[-1] == held.casework.help_line(COMMANDS["remind"])
    await in_general(held.casework, "/help")
    assert (await general(held.casework))[-1] == posts[-2]


async def test_export_holds_all_that_was_said_and_noted(waiting: Someone, held: Topic) -> None:
    await waiting.write("faq.certainty", "will it help")
    await held.write("Hello Samira", reply_to=PERSONS)
    await held.write("/note speaks Arabic")
    await held.write("/export")
    assert (await outbox(held.casework))[-1].kind == "topic.export"
    found = await held.casework.export(held.case)
    assert found is not None
    for words in ("will it help", "Hello Samira", "speaks Arabic", "Samira"):
        assert words in found[1]


# Erasing.


async def test_erasing_asks_first_and_then_leaves_nothing(
    strict: Casework, waiting: Someone, held: Topic, db: AsyncEngine
) -> None:
    await waiting.write("faq.certainty", SECRET)
    await held.write(f"/note {SECRET}")
    await held.write("/erase")
    shown = (await outbox(strict, "topic.post"))[-1].payload
    assert SECRET in await everything(db)
    code = (await waiting.case()).code
    toast = await held.press_data(shown["buttons"][0][1])
    assert "DEL-" in toast
    found = await everything(db)
    assert SECRET not in found
    assert "Samira" not in json.dumps(found)
    assert (await general(strict))[-1].startswith(
        strict.words("desk.erased", code=code, name=MEI[1], receipt="DEL-")[:-1]
    )
    assert [event["say"] for event in await waiting.events()] == ["human.erased", "erase.in_group"]
    assert [row.kind for row in await outbox(strict, "topic.delete")] == ["topic.delete"]


async def test_a_colleague_who_is_no_administrator_cannot_confirm_an_erasure(
    strict: Casework, waiting: Someone, held: Topic
) -> None:
    await held.write("/erase")
    shown = (await outbox(strict, "topic.post"))[-1].payload
    assert await held.press_data(shown["buttons"][0][1], TARIQ) == strict.words("desk.administrators_only")
    assert await held.press_data(shown["buttons"][1][1], MEI) == strict.words("desk.erase_kept")
    assert (await waiting.case()).state == "claimed"


# Who left.


async def test_the_cases_of_a_coordinator_who_left_go_back_to_the_board(waiting: Someone, held: Topic) -> None:
    await waiting.news()
    turn = await held.update(MEI, "left")
    assert await held.casework.desk_turn(turn) == [waiting.conversation]
    case = await waiting.case()
    assert (case.state, case.holder_id) == ("waiting", None)
    assert await said(waiting) == ["human.left"]
    assert case.code in (await general(held.casework))[-1]
    await held.write("/transfer mei", TARIQ)
    assert (await waiting.case()).state == "waiting"


def test_the_handbook_has_every_command_as_the_group_has_it() -> None:
    page = PAGE.read_text("utf-8")
    assert written(page, Guide.load()) == page, "run: python -m bot.commands"
