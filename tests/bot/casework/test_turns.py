"""A person's turn: all of it or nothing, once, in order, whatever happens beside it."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from actions.turns import heard
from bot import database, journey
from bot.casework import Casework, Inbound
from bot.casework.turns import LAST_ATTEMPT, LAST_FAULT, RETRY_SECONDS
from bot.guide import Guide
from bot.model import Inbox
from bot.render import Say
from tests.bot.casework.conftest import Arrives
from tests.bot.casework.people import Someone, ids, outbox
from tests.bot.conftest import Clock
from tests.bot.journey.talk import mention
from tests.keys import keys

YES = heard({"text": "yes", "intent": {"name": "control.yes", "confidence": 0.9}})


async def row_of(casework: Casework, turn: str) -> Inbox:
    """A turn's row."""
    async with casework.reading() as session:
        row = await session.scalar(select(Inbox).where(Inbox.id == turn))
        assert row is not None
        return row


async def test_a_second_call_says_the_same_and_changes_nothing(someone: Someone, casework: Casework) -> None:
    await someone.agree()
    await someone.press("choice.begin")
    turn = await someone.send(Inbound("text", text="yes"))
    said = ids(await casework.take_turn(turn, YES, "action_answer"))
    before, events = await someone.case(), await someone.events()
    assert ids(await casework.take_turn(turn, YES, "action_answer")) == said
    after = await someone.case()
    assert (after.progress, after.updated_at) == (before.progress, before.updated_at)
    assert await someone.events() == events


async def test_two_calls_at_once_take_the_turn_once(someone: Someone, casework: Casework) -> None:
    await someone.agree()
    await someone.press("choice.begin")
    turn = await someone.send(Inbound("text", text="yes"))
    both = await asyncio.gather(*(casework.take_turn(turn, YES, "action_answer") for _ in range(4)))
    assert len({tuple(ids(says)) for says in both}) == 1
    assert list((await someone.progress()).signals) == ["rare_cancer"]


async def test_an_unknown_turn_is_refused(casework: Casework) -> None:
    with pytest.raises(LookupError):
        await casework.take_turn("0" * 32, YES, "action_answer")


async def test_a_turn_that_breaks_leaves_no_trace_and_can_be_taken_again(
    someone: Someone, casework: Casework, monkeypatch: pytest.MonkeyPatch
) -> None:
    await someone.agree()
    turn = await someone.send(Inbound("text", text="yes"))
    before, events = (await someone.case()).progress, await someone.events()

    def breaks(working: journey.Turn) -> None:
        working.progress.role = "carer"
        working.say("steer.thanks")
        working.say("an.id.that.the.guide.lacks")

    with monkeypatch.context() as patched:
        patched.setitem(journey.DECISIONS, "action_answer", breaks)
        with pytest.raises(ValueError, match="the guide has no"):
            await casework.take_turn(turn, YES, "action_answer")
    assert (await someone.case()).progress == before
    assert await someone.events() == events
    assert ids(await casework.take_turn(turn, YES, "action_answer")) == ["signals.intro", "signals.ask"]


async def test_two_turns_of_one_case_from_two_conversations_at_once_lose_nothing(
    arrives: Arrives, casework: Casework
) -> None:
    web = await (await arrives()).agree()
    phone = await arrives("telegram")
    await joined(web, phone)
    texts = {name: f"words of {name}" for name in ("rare_cancer", "confusion", "pressured", "no_alternatives")}
    turns = []
    for number, (name, text) in enumerate(texts.items()):
        person = (web, phone)[number % 2]
        turn = await person.send(Inbound("text", text=text))
        turns.append(person.take(turn, "signals.none", text, mention("signal", name, text, text, polarity="yes")))
    await asyncio.gather(*turns)
    progress = await web.progress()
    assert {name: progress.signals[name].words for name in texts} == texts


async def test_messages_that_come_in_while_turns_are_taken_neither_wait_nor_are_lost(
    someone: Someone, casework: Casework
) -> None:
    await someone.agree()
    turns = [await someone.send(Inbound("text", text=f"first {number}")) for number in range(10)]
    taken = (someone.take(turn, "faq.certainty", "words") for turn in turns)
    sent = (someone.send(Inbound("text", text=f"second {number}")) for number in range(10))
    await asyncio.gather(*itertools.chain.from_iterable(zip(taken, sent, strict=True)))
    events = await someone.events()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert sum(event["say"] == "faq.certainty" for event in events) == 10
    assert sum(b.get("text", "").startswith("second") for event in events for b in event["blocks"]) == 10


async def test_messages_that_come_in_while_all_is_deleted_belong_to_the_time_after(
    someone: Someone, casework: Casework
) -> None:
    await someone.agree()
    for number in range(3):
        await someone.write("control.delete_data")
        erase = await someone.send(Inbound("text", text="yes"))
        sent = (someone.send(Inbound("text", text=f"after {number}.{each}")) for each in range(5))
        await asyncio.gather(someone.take(erase, "control.yes", "yes"), *sent)
        due = []
        while left := [turn for lane, turn in await casework.due_turns(set()) if lane == someone.conversation]:
            due += left
            assert "welcome.consent" in await someone.take(left[0], "faq.certainty", "words")
        assert len(due) == 5
        await someone.press("choice.agree")


async def test_answers_stand_beside_the_message_they_answer(someone: Someone) -> None:
    await someone.start()
    *_, consent = await someone.events()
    assert (consent["role"], consent["say"], consent["in_reply_to"]) == ("assistant", "welcome.consent", 1)


async def test_wordings_take_turns(someone: Someone) -> None:
    await someone.agree()
    for _ in range(3):
        await someone.write("control.thanks")
    said = [event["blocks"][0]["text"] for event in await someone.events() if event["say"] == "steer.thanks"]
    assert len(set(said)) == 3


async def test_wordings_go_on_taking_turns_when_the_program_was_started_again(
    someone: Someone, guide: Guide, clock: Clock, database_url: str
) -> None:
    await someone.agree()
    said = []
    for _ in range(4):
        db = database.connect(database_url)
        again = replace(someone, casework=Casework(database.sessions(db, keys()), guide, now=clock))
        await again.write("faq.certainty")
        said += [event["blocks"][0]["text"] for event in await again.news() if event["say"] == "faq.certainty"]
        someone.seen = again.seen
        await db.dispose()
    assert said == [*guide.entry("faq.certainty").variants, guide.entry("faq.certainty").variants[0]]


async def test_on_telegram_everything_said_waits_in_the_outbox_in_its_chats_lane(
    arrives: Arrives, casework: Casework
) -> None:
    person = await arrives("telegram", "42")
    await person.start()
    waiting = await outbox(casework)
    assert [row.lane for row in waiting] == ["chat:42", "chat:42"]
    assert [row.payload["seq"] for row in waiting] == [2, 3]


async def test_at_the_website_nothing_goes_to_the_outbox(someone: Someone, casework: Casework) -> None:
    await someone.start()
    assert await outbox(casework) == []


# Buttons.


async def test_a_button_is_good_once(someone: Someone) -> None:
    await someone.agree()
    await someone.press("choice.begin")
    yes = await someone.button("choice.yes")
    await someone.push(yes)
    assert await someone.push(yes) == ["choice.stale", "signals.ask"]
    assert list((await someone.progress()).signals) == ["rare_cancer"]


async def test_a_button_dies_with_those_beside_it(someone: Someone) -> None:
    await someone.agree()
    await someone.press("choice.begin")
    no = await someone.button("choice.no")
    await someone.press("choice.yes")
    assert await someone.push(no) == ["choice.stale", "signals.ask"]
    assert (await someone.progress()).signals["rare_cancer"].answer == "yes"


async def test_a_button_of_somebody_else_does_nothing(arrives: Arrives) -> None:
    one, other = await (await arrives()).agree(), await (await arrives()).agree()
    await one.press("choice.begin")
    assert (await other.push(await one.button("choice.yes")))[0] == "choice.stale"
    assert await one.press("choice.yes") == ["signals.ask"]


async def test_an_unknown_button_does_nothing(someone: Someone) -> None:
    await someone.agree()
    assert await someone.push("no such button") == ["choice.stale", "start.offer"]


async def test_an_old_button_that_was_not_used_still_means_what_it_said(someone: Someone) -> None:
    await someone.agree()
    await someone.press("choice.begin")
    old = await someone.button("choice.yes")
    await someone.write("control.no", "no")
    await someone.write("control.no", "no")
    assert await someone.push(old) == ["signals.changed", "signals.ask"]
    signals = (await someone.progress()).signals
    assert [signals[name].answer for name in ("rare_cancer", "major_surgery")] == ["yes", "no"]


async def test_used_choices_are_marked_in_the_transcript_and_the_label_is_their_message(someone: Someone) -> None:
    await someone.start()
    await someone.press("choice.agree")
    events = await someone.events()
    consent = next(event for event in events if event["say"] == "welcome.consent")
    assert consent["blocks"][1]["used"] is True
    words = someone.casework.guide.entry("choice.agree").variants[0]
    assert [event["blocks"] for event in events if event["role"] == "patient"][-1] == [{"type": "text", "text": words}]


async def test_what_a_button_does_never_leaves(someone: Someone) -> None:
    await someone.start()
    choices = [b for event in await someone.events() for b in event["blocks"] if b["type"] == "choices"]
    assert choices
    assert all(set(choice) == {"id", "label"} for block in choices for choice in block["choices"])


async def test_on_telegram_a_pressed_message_shows_what_was_chosen(arrives: Arrives, casework: Casework) -> None:
    person = await arrives("telegram", "42")
    await person.start()
    button = await person.button("choice.agree")
    turn = await person.send(Inbound("choice", choice=button, raw={"chat_id": 42, "message_id": 7}))
    pending = await casework.pending(turn)
    assert pending is not None
    assert pending.pressed is not None
    await person.take(turn, "press", "", *pending.pressed["entities"])
    (settled,) = await outbox(casework, "settle")
    assert settled.payload["message_id"] == 7
    assert settled.payload["chosen"] == casework.guide.entry("choice.agree").variants[0]
    assert settled.payload["role"] == "assistant"


# Waiting for the engine.


async def test_a_delay_is_told_once_and_the_turn_waits_its_growing_pause(
    someone: Someone, casework: Casework, clock: Clock
) -> None:
    await someone.agree()
    turn = await someone.send(Inbound("text", text="hello"))
    for pause in RETRY_SECONDS:
        await casework.delay(turn, "engine answered 503")
        clock.pass_by(seconds=pause - 0.5)
        assert await casework.due_turns(set()) == []
        clock.pass_by(seconds=1)
        assert await casework.due_turns(set()) == [(someone.conversation, turn)]
    assert [event["say"] for event in await someone.events()].count("engine.away") == 1
    assert await someone.take(turn, "control.greet", "hello") == ["steer.greet", "start.offer"]


@pytest.mark.parametrize(("fault", "attempts"), [(False, LAST_ATTEMPT), (True, LAST_FAULT)])
async def test_after_the_last_attempt_a_person_is_offered_and_the_next_turn_comes(
    someone: Someone, casework: Casework, fault: bool, attempts: int
) -> None:
    await someone.agree()
    turn, following = [await someone.send(Inbound("text", text=text)) for text in ("one", "two")]
    for _ in range(attempts):
        await casework.delay(turn, "fault", fault=fault)
    assert (await row_of(casework, turn)).state == "failed"
    assert (await someone.events())[-1]["say"] == "fallback.second"
    assert await casework.due_turns(set()) == [(someone.conversation, following)]


async def test_words_of_a_turn_that_was_given_up_are_not_kept_without_consent(
    someone: Someone, casework: Casework
) -> None:
    turn = await someone.send(Inbound("text", text="a secret"))
    for _ in range(LAST_FAULT):
        await casework.delay(turn, "fault", fault=True)
    assert (await row_of(casework, turn)).payload == {}


async def test_a_delay_of_a_turn_that_is_done_changes_nothing(someone: Someone, casework: Casework) -> None:
    await someone.start()
    events = await someone.events()
    (turn,) = await turns_of(casework)
    await casework.delay(turn, "late")
    assert await someone.events() == events


async def turns_of(casework: Casework) -> list[str]:
    """All turns."""
    async with casework.reading() as session:
        return list((await session.scalars(select(Inbox.id).order_by(Inbox.number))).all())


# Words that need no engine.


async def test_fixed_words_are_followed_by_the_pending_question(someone: Someone, casework: Casework) -> None:
    await someone.agree()
    await someone.press("choice.begin")
    turn = await someone.send(Inbound("other", note="sticker"))
    assert ids(await casework.speak(turn, Say("input.unsupported.sticker"))) == [
        "input.unsupported.sticker",
        "signals.ask",
    ]


async def test_a_sticker_as_the_first_message_is_welcomed(someone: Someone, casework: Casework) -> None:
    turn = await someone.send(Inbound("other", note="sticker"))
    said = ids(await casework.speak(turn, Say("input.unsupported.sticker")))
    assert said == ["welcome.what", "input.unsupported.sticker", "welcome.consent"]


async def test_an_alarm_is_answered_once_however_often_it_is_taken(someone: Someone, casework: Casework) -> None:
    await someone.agree()
    turn = await someone.send(Inbound("text", text="she can't breathe"))
    said = [ids(await casework.alarm(turn, "emergency.now")) for _ in range(2)]
    assert said == [["safety.emergency.now"]] * 2
    assert [event["say"] for event in await someone.events()].count("safety.emergency.now") == 1


# Files.


async def test_a_file_is_attached_and_the_checklist_shows_it(someone: Someone) -> None:
    await someone.agree()
    said = await someone.upload("biopsy.pdf")
    assert said == ["records.file_attached", "records.card_title", "start.offer"]
    assert (await someone.progress()).records["pathology"].state == "have"


async def test_a_file_can_be_placed_later_by_its_own_button(someone: Someone) -> None:
    await someone.agree()
    await someone.upload("photo.jpg")
    assert await someone.press("records.imaging.name") == ["records.file_attached", "records.card_title", "start.offer"]


async def joined(here: Someone, there: Someone) -> None:
    """`there` goes on with the case of `here`, by a one-time link."""
    await here.take(await here.send(Inbound("text", text="/link")), "press", "", {"entity": "act", "value": "link"})
    code = link_code(await here.events())
    assert await there.casework.use_link(await there.send(Inbound("start", start=code)), code)


def link_code(events: list[dict[str, Any]]) -> str:
    """The one-time code that was said last."""
    said = next(event for event in reversed(events) if event["say"].startswith("link.to_"))
    text: str = said["blocks"][0]["text"]
    return text.split("/start ")[1].split()[0].strip(".")
