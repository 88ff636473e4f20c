"""The outbox under faults: order, pauses, flood control, and the group's limit."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from bot.casework.outbound import Later
from bot.channels.budget import Budget
from bot.channels.sender import TelegramSender
from bot.dispatch import INTO_GROUP, Dispatcher
from sandbox.testing import ADA, BEN, GROUP_ID, Sandbox
from tests.telegram.conftest import DEADLINE, PIXEL, Waypoint, until, upload, words

FAULTS: list[dict[str, Any]] = [
    {"code": 500},
    {"code": 502},
    {"code": 429, "retry_after": 7},
    {"answer": "drop"},
    {"answer": "drop", "when": "after"},
]


async def told(box: Sandbox, person: int) -> list[str]:
    return [m["text"] for m in await box.messages(person) if m["sandbox"]["from_bot"]]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "-".join(map(str, fault.values())))
async def test_a_chats_order_is_kept_whatever_goes_wrong_with_one_message(
    waypoint: Waypoint, box: Sandbox, fault: dict[str, Any]
) -> None:
    conversation = await waypoint.meet()
    for number in range(4):
        await waypoint.say(conversation, words(f"{number}"))
    await waypoint.dispatcher.run_once()
    await box.post("faults", method="sendMessage", chat=ADA, **fault)
    await waypoint.settle()
    assert (await told(box, ADA))[0] == "0"
    await waypoint.later(10)
    # What arrived without our hearing of it arrives twice: better than never.
    assert [text for text, _ in itertools.groupby(await told(box, ADA))] == ["0", "1", "2", "3"]
    assert {row.state for row in await waypoint.outbox()} == {"sent"}


async def test_a_fault_in_one_chat_delays_no_other(waypoint: Waypoint, box: Sandbox) -> None:
    ada, ben = await waypoint.meet(ADA), await waypoint.meet(BEN)
    await box.post("faults", method="sendMessage", chat=ADA, code=500, times=3)
    await waypoint.say(ada, words("To Ada."))
    await waypoint.say(ben, words("To Ben."))
    await waypoint.settle()
    assert (await told(box, ADA), await told(box, BEN)) == ([], ["To Ben."])


async def test_flood_control_is_waited_for_as_long_as_telegram_says_and_is_no_failure(
    waypoint: Waypoint, box: Sandbox
) -> None:
    conversation = await waypoint.meet()
    await box.post("faults", method="sendMessage", chat=ADA, code=429, retry_after=7)
    await waypoint.say(conversation, words("Hello."))
    await waypoint.settle()
    await waypoint.later(6.9)
    assert await told(box, ADA) == []
    (row,) = await waypoint.outbox()
    assert row.attempts == 0
    await waypoint.later(0.2)
    assert await told(box, ADA) == ["Hello."]


async def test_pauses_grow_and_the_last_attempt_makes_a_dead_letter(waypoint: Waypoint, box: Sandbox) -> None:
    conversation = await waypoint.meet()
    await box.post("faults", method="sendMessage", chat=ADA, code=500, times=1000)
    await waypoint.say(conversation, words("Hello."))
    await waypoint.settle()
    pauses = []
    while (row := (await waypoint.outbox())[0]).state == "due":
        pauses.append((row.not_before - waypoint.now()).total_seconds())
        await waypoint.later(pauses[-1])
    assert pauses == sorted(pauses)
    assert pauses[0] < 5 < 600 < pauses[-1]
    assert row.state == "failed"


@pytest.mark.parametrize(
    ("code", "said", "kept"),
    [
        (
            400,
            'Bad Request: can\'t parse entities: unsupported start tag "{}" at byte offset 0',
            "can't parse entities",
        ),
        (400, "Bad Request: {}", "BadRequest"),
        (403, "Forbidden: {}", "Forbidden"),
        (409, "Conflict: {}", "Conflict"),
        (500, "{}", "NetworkError"),
        (400, "{", "BadRequest"),
    ],
)
async def test_what_telegram_repeats_of_refused_words_gets_into_no_log_and_onto_no_board(
    waypoint: Waypoint, box: Sandbox, caplog: pytest.LogCaptureFixture, code: int, said: str, kept: str
) -> None:
    caplog.set_level("DEBUG", "bot")
    conversation = await waypoint.meet()
    description = said.replace("{}", "my wife Ada cannot breathe")
    await box.post("faults", method="sendMessage", chat=ADA, code=code, description=description)
    await waypoint.say(conversation, words("my wife Ada cannot breathe"))
    await waypoint.settle()
    (row,) = await waypoint.outbox()
    assert kept in row.error
    assert kept in caplog.text
    assert "wife" not in row.error + caplog.text


async def test_a_row_that_another_process_is_sending_is_left_to_it(waypoint: Waypoint, box: Sandbox) -> None:
    await waypoint.say(await waypoint.meet(), words("Hello."))
    await waypoint.casework.lease_outgoing()
    await waypoint.settle()
    assert await told(box, ADA) == []
    await waypoint.later(61)  # that process died
    assert await told(box, ADA) == ["Hello."]


async def test_a_full_group_delays_no_patient_and_telegram_never_has_to_refuse(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.hand_off()
    for number in range(30):
        await waypoint.post(handed.conversation, f"note {number}")
    await waypoint.settle()
    await waypoint.say(handed.conversation, words("For Ada."))
    await waypoint.settle()
    assert (await handed.heard())[-1] == "For Ada."
    assert len(await handed.texts()) < 20
    for _ in range(3):
        await waypoint.later(60)
    assert [text for text in await handed.texts() if text.startswith("note")] == [f"note {n}" for n in range(30)]
    assert [call["n"] for call in await box.calls() if call["status"] == 429] == []
    assert all(row.attempts <= 1 for row in await waypoint.outbox())


async def test_words_find_room_in_a_minute_that_cards_have_used(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.hand_off()
    for number in range(30):
        await waypoint.change_cases(holder_name=f"Mei {number}", state="claimed")
        async with waypoint.casework.transaction() as session:
            await waypoint.casework.refresh_card(session, await handed.case())
        await waypoint.settle()
    await waypoint.execute("DELETE FROM outbox WHERE state = 'due'")
    await waypoint.post(handed.conversation, "Ada wrote.", mark="person")
    await waypoint.settle()
    assert (await handed.texts())[-1] == "Ada wrote."


async def test_flood_control_of_the_group_stops_the_group_alone(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.hand_off()
    await box.post("faults", method="sendMessage", chat=GROUP_ID, code=429, retry_after=30)
    await waypoint.post(handed.conversation, "One.")
    await waypoint.settle()
    before = len(await box.calls("sendMessage"))
    await waypoint.hand_off(BEN)
    await waypoint.say(handed.conversation, words("For Ada."))
    await waypoint.settle()
    new = (await box.calls("sendMessage"))[before:]
    assert [int(call["params"]["chat_id"]) for call in new] == [ADA]
    await waypoint.later(31)
    assert (await handed.texts())[-1] == "One."


def test_the_budget_says_when_there_is_room_again() -> None:
    now = 100.0
    budget = Budget(3, lambda: now)
    budget.take(2)
    now = 110.0
    budget.take()
    with pytest.raises(Later) as full:
        budget.take()
    assert full.value.seconds == 50
    now = 160.0
    budget.take(2)
    with pytest.raises(Later):
        budget.take()


def test_the_budget_takes_more_than_a_minute_holds_once_the_minute_is_empty() -> None:
    now = 0.0
    budget = Budget(3, lambda: now)
    budget.take(5)
    with pytest.raises(Later):
        budget.take()
    now = 60.0
    budget.take(2, spare=4)


async def test_a_database_that_is_away_stops_the_dispatcher_only_for_as_long(
    waypoint: Waypoint, box: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    await waypoint.say(await waypoint.meet(), words("Hello."))
    await waypoint.execute("ALTER TABLE outbox RENAME TO away")
    running = asyncio.create_task(waypoint.dispatcher.run())
    await until(lambda: "looking for outgoing rows failed" in caplog.text, "the fault")
    await waypoint.execute("ALTER TABLE away RENAME TO outbox")
    waypoint.wake.notify("outbox")
    assert (await box.wait(ADA, "Hello."))["text"] == "Hello."
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_arrived_and_could_not_be_marked_is_sent_again_after_its_lease(
    waypoint: Waypoint, box: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    await waypoint.say(await waypoint.meet(), words("Hello."))
    await waypoint.execute(
        "CREATE TRIGGER away BEFORE UPDATE ON outbox WHEN new.state = 'sent' BEGIN SELECT RAISE(ABORT, 'away'); END"
    )
    await waypoint.settle()
    assert "could not be marked" in caplog.text
    await waypoint.execute("DROP TRIGGER away")
    await waypoint.later(61)
    assert await told(box, ADA) == ["Hello.", "Hello."]
    assert [row.state for row in await waypoint.outbox()] == ["sent"]


async def test_what_is_on_its_way_when_it_stops_is_marked(waypoint: Waypoint, box: Sandbox) -> None:
    await waypoint.say(await waypoint.meet(), words("Hello."))
    await box.post("faults", method="sendMessage", answer="normal", delay=0.3)
    running = asyncio.create_task(waypoint.dispatcher.run())
    waypoint.wake.notify("outbox")
    await until(lambda: bool(waypoint.dispatcher._busy), "a send under way")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [row.state for row in await waypoint.outbox()] == ["sent"]


async def test_without_telegram_files_are_removed_and_all_else_waits(waypoint: Waypoint) -> None:
    conversation = await waypoint.meet()
    sender = TelegramSender(None, waypoint.casework, waypoint.settings, now=waypoint.clock.now)
    dispatcher = Dispatcher(waypoint.casework, sender, waypoint.wake)
    file = waypoint.settings.files_dir / "abc"
    file.write_bytes(b"x")
    await waypoint.enqueue(conversation, "unlink", {"path": "abc"}, "files")
    await waypoint.say(conversation, words("Hello."))
    for _ in range(50):
        await dispatcher.run_once()
        waypoint.clock.advance(3600)
    assert not file.exists()
    assert [row.state for row in await waypoint.outbox()] == ["sent", "due"]


async def test_a_group_that_is_slow_to_answer_delays_no_patient(waypoint: Waypoint, box: Sandbox) -> None:
    cases = [await waypoint.meet(person) for person in (ADA, BEN)]
    async with waypoint.casework.transaction() as session:
        for number in range(20):
            await waypoint.casework.send(session, "group.post", {"text": f"{number}"}, lane=f"slow:{number}")
    await box.post("faults", method="sendMessage", chat=GROUP_ID, answer="normal", delay=3, times=100)
    running = asyncio.create_task(waypoint.dispatcher.run())
    try:
        waypoint.wake.notify("outbox")
        await until(lambda: len(waypoint.dispatcher._busy) == INTO_GROUP, "as many sends to the group as there may be")
        for conversation in cases:
            await waypoint.say(conversation, words("For you."))
        waypoint.wake.notify("outbox")
        async with asyncio.timeout(DEADLINE):
            while [await told(box, person) for person in (ADA, BEN)] != [["For you."], ["For you."]]:
                pass
        assert sum(row.into_group for row in waypoint.dispatcher._busy.values()) == INTO_GROUP
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_words_that_waited_for_the_group_say_when_they_were_written(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    for number in range(20):
        await waypoint.post(handed.conversation, f"note {number}")
    await waypoint.settle()
    await box.say(ADA, "it hurts more now")
    await waypoint.settle()
    written = waypoint.casework.at_desk(waypoint.now())
    await waypoint.later(61)
    await waypoint.later(61)
    assert f"⏳ Written {written}, delivered late\n👤 it hurts more now" in await handed.texts()
    await box.say(ADA, "a bit better")
    await waypoint.later(5)
    assert (await handed.texts())[-1] == "👤 a bit better"


async def test_a_picture_that_waited_says_when_it_was_sent(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    for number in range(20):
        await waypoint.post(handed.conversation, f"note {number}")
    await waypoint.settle()
    await box.say(ADA, photo=upload(PIXEL), caption="the swelling")
    await waypoint.settle()
    written = waypoint.casework.at_desk(waypoint.now())
    await waypoint.later(61)
    await waypoint.later(61)
    assert f"⏳ Written {written}, delivered late\nthe swelling" in await handed.texts()


async def test_after_an_hour_without_telegram_each_side_has_all_words_once_and_in_order(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    before = await handed.heard()
    await box.post("faults", code=502, times=100_000)
    for number in range(5):
        await waypoint.say(handed.conversation, words(f"answer {number}"), role="coordinator", name="Mei (sample)")
        await waypoint.post(handed.conversation, f"👤 word {number}", mark="person")
        for _ in range(12):
            await waypoint.later(60)
    await box.clear_faults()
    for _ in range(30):
        await waypoint.later(60)
    assert [text.partition("\n")[2] for text in (await handed.heard())[len(before) :]] == [
        f"answer {number}" for number in range(5)
    ]
    told = [line for text in await handed.texts() for line in text.split("\n") if line.startswith("👤 word")]
    assert told == [f"👤 word {number}" for number in range(5)]
    assert {row.state for row in await waypoint.outbox()} <= {"sent", "joined"}


async def test_a_storm_of_refusals_ends_with_every_word_once_and_in_order(waypoint: Waypoint, box: Sandbox) -> None:
    cases = [await waypoint.claimed(ADA), await waypoint.claimed(BEN)]
    for seconds in (3, 35, 1, 60, 5, 12):  # Telegram says another number each time
        await box.post("faults", method="sendMessage", code=429, retry_after=seconds, times=3)
    for number in range(6):
        for handed in cases:
            await waypoint.post(handed.conversation, f"👤 word {number}", mark="person")
            await waypoint.say(handed.conversation, words(f"answer {number}"))
    await waypoint.settle()
    for _ in range(20):
        await waypoint.later(31)
    for handed in cases:
        told = [line for text in await handed.texts() for line in text.split("\n") if line.startswith("👤 word")]
        assert told == [f"👤 word {number}" for number in range(6)]
        assert (await handed.heard())[-6:] == [f"answer {number}" for number in range(6)]
    assert all(row.state in ("sent", "joined") and row.attempts <= 1 for row in await waypoint.outbox())
