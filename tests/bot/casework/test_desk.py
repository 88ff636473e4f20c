"""The coordinators' topics: who holds a case, what reaches the person, and what stays inside."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import pytest

from bot.casework import Casework, DeskInbound, Inbound
from bot.progress import TreatmentDate
from tests.bot.casework.conftest import Arrives
from tests.bot.casework.people import Someone, outbox
from tests.bot.casework.test_turns import joined
from tests.bot.casework.topic import BRIEF, GROUP, MEI, NOTE, PERSONS, TARIQ, TOPIC, Topic, coordinators_words
from tests.bot.conftest import MONDAY, Clock


async def test_handing_over_opens_a_topic_with_a_card_that_holds_the_case_code(
    waiting: Someone, casework: Casework
) -> None:
    case = await waiting.case()
    assert case.state == "waiting"
    assert [row.kind for row in await outbox(casework)] == ["topic.open", "topic.card", "group.board"]
    assert case.code in await waiting.sees()
    card = await casework.card(case.id)
    assert card is not None
    assert card.title == case.code
    assert "Samira" in card.text
    assert [data for _, data in card.buttons] == [f"claim:{case.id}"]


async def test_the_card_holds_every_line_that_the_person_saw_before(someone: Someone, casework: Casework) -> None:
    await someone.agree()
    await someone.write("signals.situations.rare_cancer", "a sarcoma in the leg")
    await someone.upload("biopsy.pdf")
    await someone.write("control.human")
    for _ in range(4):
        await someone.write("control.skip")
    shown = [b["text"] for e in await someone.events() if e["say"] == "handoff.preview_lines" for b in e["blocks"]]
    await someone.press("choice.send")
    card = await casework.card((await someone.case()).id)
    assert card is not None
    for line in "\n".join(shown).splitlines():
        assert line.removeprefix("• ").strip() in card.text


async def test_files_that_were_sent_before_follow_the_card(someone: Someone, casework: Casework) -> None:
    await someone.agree()
    await someone.upload("biopsy.pdf")
    await someone.write("control.human")
    for _ in range(4):
        await someone.write("control.skip")
    await someone.press("choice.send")
    assert [row.payload["name"] for row in await outbox(casework, "topic.file")] == ["biopsy.pdf"]


async def test_a_claim_names_the_coordinator_to_the_person_and_to_the_topic(waiting: Someone, topic: Topic) -> None:
    assert MEI[1] in await topic.press("claim")
    case = await waiting.case()
    assert (case.state, case.holder_id, case.holder_name) == ("claimed", *MEI)
    assert (await waiting.events())[-1]["say"] == "human.joined"
    assert MEI[1] in await waiting.sees()
    assert sum(MEI[1] in post for post in await topic.posts()) == 1
    card = await topic.casework.card(topic.case)
    assert card is not None
    assert MEI[1] in card.text
    assert [data for _, data in card.buttons] == [f"close:{topic.case}", f"release:{topic.case}"]


async def test_of_two_claims_at_once_one_wins_and_the_other_is_told_who(waiting: Someone, topic: Topic) -> None:
    turns = []
    for who in (MEI, TARIQ):
        said = DeskInbound("press", GROUP, TOPIC, 1, *who, data=f"claim:{topic.case}", callback_id=who[1])
        assert await topic.casework.receive_desk(f"race{who[0]}", asdict(said), who[0])
    turns = [turn for lane, turn in await topic.casework.due_turns(set()) if lane.startswith("desk:")]
    await asyncio.gather(*(topic.casework.desk_turn(turn) for turn in turns))
    winner = (await waiting.case()).holder_name
    toasts = {row.payload["callback_id"]: row.payload["text"] for row in await outbox(topic.casework, "callback")}
    loser = ({MEI[1], TARIQ[1]} - {winner}).pop()
    assert toasts[loser] == topic.casework.words("desk.already_claimed", name=winner)
    assert toasts[winner] == topic.casework.words("desk.claimed_by", name=winner)
    assert [event["say"] for event in await waiting.events()].count("human.joined") == 1


async def test_an_update_of_the_group_is_taken_once(waiting: Someone, topic: Topic) -> None:
    said = asdict(DeskInbound("message", GROUP, TOPIC, 1, *MEI, text="/say hello"))
    assert await topic.casework.receive_desk("same", said, TOPIC)
    assert not await topic.casework.receive_desk("same", said, TOPIC)
    ((_, turn),) = [item for item in await topic.casework.due_turns(set()) if item[0].startswith("desk:")]
    await asyncio.gather(*(topic.casework.desk_turn(turn) for _ in range(3)))
    assert await coordinators_words(waiting) == [(MEI[1], "hello")]


@pytest.mark.parametrize("target", [BRIEF, PERSONS])
async def test_a_reply_to_the_person_reaches_them_with_the_coordinators_name(
    waiting: Someone, topic: Topic, target: int
) -> None:
    await topic.press("claim")
    assert await topic.write("Hello Samira", reply_to=target) == [waiting.conversation]
    assert await coordinators_words(waiting) == [(MEI[1], "Hello Samira")]


@pytest.mark.parametrize("reply_to", [0, NOTE, 99_999])
async def test_notes_stay_inside(waiting: Someone, topic: Topic, reply_to: int) -> None:
    await topic.press("claim")
    await topic.write("the family sounds tired", reply_to=reply_to)
    assert await coordinators_words(waiting) == []
    assert "tired" not in await waiting.sees()


async def test_a_reply_to_a_message_of_another_case_stays_inside(
    arrives: Arrives, waiting: Someone, topic: Topic
) -> None:
    other = await (await arrives()).hand_off()
    await topic.casework.topic_posted((await other.case()).id, GROUP, 777, "person")
    await topic.press("claim")
    await topic.write("not for you", reply_to=777)
    assert await coordinators_words(waiting) == []
    assert await coordinators_words(other) == []


@pytest.mark.parametrize("say", ["/SAY Hello", "/Say@waypointbot   Hello "])
async def test_say_speaks_however_it_is_written(waiting: Someone, topic: Topic, say: str) -> None:
    await topic.casework.remember("telegram.username", "WaypointBot")
    await topic.press("claim")
    await topic.write(say)
    assert await coordinators_words(waiting) == [(MEI[1], "Hello")]


async def test_what_another_bot_is_told_to_say_stays_inside(waiting: Someone, topic: Topic) -> None:
    await topic.casework.remember("telegram.username", "WaypointBot")
    await topic.press("claim")
    before = len(await topic.posts())
    await topic.write("/say@OtherBot Hello", reply_to=PERSONS)
    assert await coordinators_words(waiting) == []
    assert len(await topic.posts()) == before


async def test_say_speaks_and_an_unknown_command_explains(waiting: Someone, topic: Topic) -> None:
    await topic.press("claim")
    await topic.write("/say@WaypointBot Hello\nSamira")
    await topic.write("/foo bar")
    await topic.write("/clsoe helped")
    await topic.write("/say")
    assert await coordinators_words(waiting) == [(MEI[1], "Hello\nSamira")]
    assert (await topic.posts())[-3:] == [
        topic.casework.words("desk.no_such_command", command="/foo"),
        topic.casework.words("desk.did_you_mean", command="/clsoe", meant="/close"),
        topic.casework.words("desk.say_what"),
    ]


async def test_whoever_answers_first_holds_the_case(waiting: Someone, topic: Topic) -> None:
    await topic.write("Hello Samira", TARIQ, reply_to=BRIEF)
    assert (await waiting.case()).holder_name == TARIQ[1]
    says = [(event["role"], event["say"]) for event in await waiting.events()][-2:]
    assert says == [("system", "human.joined"), ("coordinator", "")]


async def test_while_a_human_holds_the_case_words_go_to_the_topic_in_silence(waiting: Someone, topic: Topic) -> None:
    await topic.press("claim")
    await waiting.news()
    turn = await waiting.send(Inbound("text", text="is it normal {x}"))
    assert await topic.casework.relay(turn)
    assert await topic.casework.relay(turn)
    assert [event["role"] for event in await waiting.news()] == ["patient"]
    said = [row.payload for row in await outbox(topic.casework, "topic.post") if row.payload["mark"] == "person"]
    assert [payload["text"] for payload in said] == [topic.casework.words("desk.person_said", text="is it normal {x}")]


async def test_words_that_come_as_the_case_is_closed_are_not_relayed_into_nowhere(
    waiting: Someone, topic: Topic
) -> None:
    await topic.press("claim")
    turn = await waiting.send(Inbound("text", text="one more thing"))
    await topic.write("/close helped")
    assert not await topic.casework.relay(turn)
    assert await waiting.take(turn, "faq.what_next", "one more thing") == ["human.reopened", "faq.what_next"]
    assert topic.casework.words("desk.person_said", text="one more thing") in await topic.posts()


async def test_while_the_case_waits_the_assistant_answers_and_the_topic_sees_it_all(
    waiting: Someone, topic: Topic
) -> None:
    assert "faq.certainty" in await waiting.write("faq.certainty", "will it help")
    await waiting.upload("ct.pdf", caption="from today")
    posts = await topic.posts()
    assert topic.casework.words("desk.person_said", text="will it help") in posts
    assert topic.casework.words("desk.person_said", text="from today") in posts
    assert [row.payload["name"] for row in await outbox(topic.casework, "topic.file")] == ["ct.pdf"]


async def test_an_old_button_acts_in_silence_while_a_human_holds_the_case(someone: Someone, casework: Casework) -> None:
    await someone.agree()
    await someone.press("choice.records")
    have = await someone.button("state.have")
    await someone.write("control.human")
    for _ in range(4):
        await someone.write("control.skip")
    await someone.press("choice.send")
    topic = await Topic.of(someone)
    await topic.press("claim")
    await someone.news()
    assert await someone.push(have) == []
    assert (await someone.progress()).records["pathology"].state == "have"
    assert [event["role"] for event in await someone.news()] == ["patient"]


async def test_deleting_works_while_a_human_holds_the_case(waiting: Someone, topic: Topic) -> None:
    await topic.press("claim")
    assert await waiting.write("control.delete_data", "delete my data") == ["steer.delete_confirm"]
    assert await waiting.press("choice.erase") == ["steer.deleted"]
    assert [row.payload["topic_id"] for row in await outbox(topic.casework, "topic.delete")] == [TOPIC]


@pytest.mark.parametrize("way", ["press", "command"])
async def test_closing_brings_the_assistant_back(waiting: Someone, topic: Topic, way: str) -> None:
    await topic.press("claim")
    await topic.press("close.helped") if way == "press" else await topic.write("/close helped")
    case = await waiting.case()
    assert (case.state, case.closed_at) == ("closed", topic.casework.now())
    assert [event["say"] for event in await waiting.events()][-3:] == ["human.closed", "close.summary", "resume.open"]
    assert "topic.close" in [row.kind for row in await outbox(topic.casework)]
    assert await waiting.write("control.thanks") == ["steer.thanks"]


async def test_an_ok_after_the_closing_answers_nothing(someone: Someone) -> None:
    await someone.agree()
    await someone.press("choice.begin")
    await someone.write("control.human")
    for _ in range(4):
        await someone.write("control.skip")
    await someone.press("choice.send")
    topic = await Topic.of(someone)
    await topic.press("claim")
    await topic.press("close.helped")
    assert await someone.write("control.yes", "ok") == ["resume.welcome_back", "signals.ask"]
    assert not (await someone.progress()).signals


async def test_commands_on_a_case_that_is_not_open_say_so(waiting: Someone, topic: Topic) -> None:
    await topic.press("claim")
    await topic.write("/close helped")
    before = len(await topic.posts())
    await topic.write("/close helped")
    await topic.write("/claim")
    await topic.write("/say hello")
    assert (await topic.posts())[before:] == [topic.casework.words("desk.is_closed")] * 3
    assert await topic.press("close") == topic.casework.words("desk.is_closed")
    assert await coordinators_words(waiting) == []


async def test_a_claim_by_command_is_told_once(waiting: Someone, topic: Topic) -> None:
    await topic.write("/claim")
    assert await topic.posts() == [topic.casework.words("desk.claimed_by", name=MEI[1])]
    await topic.write("/claim", TARIQ)
    assert (await topic.posts())[-1] == topic.casework.words("desk.already_claimed", name=MEI[1])


async def test_a_closed_case_is_handed_over_again_into_its_topic_with_only_the_new_files(
    waiting: Someone, topic: Topic, clock: Clock
) -> None:
    await waiting.upload("ct.pdf")
    await topic.press("claim")
    await topic.press("close.helped")
    clock.pass_by(days=15)
    await waiting.upload("biopsy.pdf")
    before = len(await outbox(topic.casework))
    await waiting.write("control.human")
    await waiting.press("choice.send")
    assert (await waiting.case()).state == "waiting"
    fresh = (await outbox(topic.casework))[before:]
    assert [row.kind for row in fresh] == ["topic.reopen", "topic.open", "topic.file"]
    assert fresh[-1].payload["name"] == "biopsy.pdf"


async def test_a_button_of_a_case_that_is_gone_says_so(topic: Topic, casework: Casework) -> None:
    topic.case = "0" * 32
    assert await topic.press("claim") == casework.words("desk.gone")
    assert await topic.press("nonsense") == casework.words("desk.gone")


async def test_words_outside_any_topic_go_nowhere(waiting: Someone, topic: Topic, casework: Casework) -> None:
    said = asdict(DeskInbound("message", GROUP, 12345, 1, *MEI, text="/say hello"))
    await casework.receive_desk("elsewhere", said, 12345)
    ((_, turn),) = [item for item in await casework.due_turns(set()) if item[0].startswith("desk:")]
    assert await casework.desk_turn(turn) == []
    assert await coordinators_words(waiting) == []


async def test_a_reply_reaches_every_channel_the_person_uses(arrives: Arrives) -> None:
    web, phone = await (await arrives()).hand_off(), await arrives("telegram")
    await joined(web, phone)
    topic = await Topic.of(web)
    await topic.press("claim")
    await topic.write("Hello Samira", reply_to=BRIEF)
    assert await coordinators_words(web) == await coordinators_words(phone) == [(MEI[1], "Hello Samira")]


async def test_a_document_of_a_coordinator_can_be_fetched_at_the_website(waiting: Someone, topic: Topic) -> None:
    await topic.press("claim")
    media = {"file_id": "tg1", "name": "plan.pdf", "mime": "application/pdf", "size": 9, "kind": "document"}
    await topic.write("the plan", reply_to=BRIEF, media=media)
    block = (await waiting.events())[-1]["blocks"][0]
    assert (block["type"], block["name"]) == ("file", "plan.pdf")
    stored = await topic.casework.file_for(waiting.conversation, block["id"])
    assert stored is not None
    assert stored.telegram_file_id == "tg1"
    card = await topic.casework.card(topic.case)
    assert card is not None
    assert "plan.pdf" not in card.text  # the brief is what the person gave


async def test_a_coordinators_name_longer_than_is_kept_is_cut(waiting: Someone, topic: Topic) -> None:
    who = (3, "N" * 129)  # Telegram allows 64 characters for each of two names
    await topic.press("claim", who)
    await topic.write("hello", who, reply_to=BRIEF)
    assert await coordinators_words(waiting) == [("N" * 100, "hello")]


async def test_a_fault_in_the_group_is_tried_again_later_and_given_up_at_last(
    waiting: Someone, topic: Topic, clock: Clock
) -> None:
    turn = await topic.update(text="/say hello")
    for _ in range(5):
        await topic.casework.delay(turn, "fault", fault=True)
        assert not [item for item in await topic.casework.due_turns(set()) if item[1] == turn]
        clock.pass_by(minutes=5)
    assert not [item for item in await topic.casework.due_turns(set()) if item[1] == turn]


# What goes first.


async def test_a_near_treatment_date_marks_the_card(someone: Someone, casework: Casework) -> None:
    await someone.agree()
    await someone.known(treatment=TreatmentDate(answer="yes", words="today", on=MONDAY.date()))
    await someone.write("control.human")
    for _ in range(4):
        await someone.write("control.skip")
    await someone.press("choice.send")
    case = await someone.case()
    assert case.urgent
    card = await casework.card(case.id)
    assert card is not None
    assert casework.words("desk.urgent_flag", reason=casework.reason("treatment_soon")) in card.text


async def test_a_leukaemia_that_was_named_marks_the_card(someone: Someone, casework: Casework) -> None:
    await someone.agree()
    await someone.write("signals.situations.rare_cancer", "it is an acute leukaemia")
    await someone.write("control.human")
    for _ in range(4):
        await someone.write("control.skip")
    await someone.press("choice.send")
    assert (await someone.case()).urgent_reason == "fast_cancer"
    card = await casework.card((await someone.case()).id)
    assert card is not None
    assert casework.reason("fast_cancer") in card.text


@pytest.mark.parametrize("claimed", [False, True])
async def test_a_red_flag_alerts_the_people_who_hold_the_case(waiting: Someone, topic: Topic, claimed: bool) -> None:
    if claimed:
        await topic.press("claim")
    turn = await waiting.send(Inbound("text", text="I want to end my life tonight"))
    pending = await topic.casework.pending(turn)
    assert pending is not None
    said = [say.say for say in await topic.casework.alarm(turn, pending.alarm)]
    assert said == [f"safety.{pending.alarm}", "safety.told_coordinator"]
    case = await waiting.case()
    assert (case.urgent, case.urgent_reason) == (True, pending.alarm)
    assert any(topic.casework.reason(pending.alarm) in post for post in await topic.posts())
    assert any("end my life" in post for post in await topic.posts())


async def test_closing_takes_the_flag_down(waiting: Someone, topic: Topic) -> None:
    await topic.casework.alarm(await waiting.send(Inbound("text", text="chest pain")), "emergency.now")
    await topic.press("claim")
    await topic.press("close.helped")
    assert not (await waiting.case()).urgent


async def test_the_card_shows_their_clock_and_survives_any_words_for_it(someone: Someone, casework: Casework) -> None:
    await someone.agree()
    await someone.write("control.human")
    for words in ("Samira", "English", "somewhere", "Europe"):
        await someone.write("words", words)
    await someone.press("choice.send")
    card = await casework.card((await someone.case()).id)
    assert card is not None
    assert "Europe" in card.text


async def test_a_topic_that_was_lost_opens_again_with_what_was_said(waiting: Someone, topic: Topic) -> None:
    await waiting.write("faq.certainty", "will it help")
    await topic.casework.topic_lost(topic.case)
    case = await waiting.case()
    assert (case.topic_id, case.brief_message_id) == (None, None)
    assert "will it help" in await topic.casework.transcript(topic.case)
    assert await topic.casework.transcript("0" * 32) == ""
    assert await topic.casework.card("0" * 32) is None


async def test_a_topic_that_was_opened_for_a_case_that_is_gone_is_deleted(waiting: Someone, casework: Casework) -> None:
    case = (await waiting.case()).id
    await waiting.write("control.delete_data")
    await waiting.press("choice.erase")
    await casework.topic_created(case, TOPIC)
    await casework.topic_posted(case, GROUP, BRIEF, "brief")
    assert [row.payload["topic_id"] for row in await outbox(casework, "topic.delete")] == [TOPIC]


async def test_words_that_did_not_arrive_are_told_in_the_topic(waiting: Someone, topic: Topic) -> None:
    await topic.casework.not_delivered(topic.case, "blocked")
    assert (await topic.posts())[-1] == topic.casework.words("desk.not_delivered", reason="blocked")
