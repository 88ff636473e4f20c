"""The end of a case: the reason, a word, one question; the way back within two weeks; and who is read no more."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from bot.casework import Casework, Inbound
from bot.casework.closing import REASONS
from bot.model import DeskEvent
from tests.bot.casework.people import Someone, outbox
from tests.bot.casework.topic import MEI, PERSONS, TARIQ, Topic, coordinators_words
from tests.bot.conftest import Clock


async def said(person: Someone) -> list[str]:
    """What they were told since they last looked."""
    return [event["say"] for event in await person.news() if event["role"] in ("assistant", "system")]


async def events(casework: Casework, kind: str) -> list[int | None]:
    """The values of what was noted of one kind."""
    async with casework.reading() as session:
        return list((await session.scalars(select(DeskEvent.value).where(DeskEvent.kind == kind))).all())


async def test_closing_asks_for_the_reason_first(waiting: Someone, held: Topic) -> None:
    asked = await held.press("close")
    assert asked.startswith(held.casework.words("desk.close_why")[:100])
    (post,) = [row for row in await outbox(held.casework, "topic.post") if row.payload.get("buttons")]
    assert [data for _, data in post.payload["buttons"]] == [f"close.{reason}:{held.case}" for reason in REASONS]
    assert (await waiting.case()).state == "claimed"


@pytest.mark.parametrize("reason", REASONS)
async def test_the_reason_stands_on_the_card_and_the_person_does_not_see_it(
    waiting: Someone, held: Topic, reason: str
) -> None:
    await held.press(f"close.{reason}")
    words = held.casework.words(f"desk.closed_for.{reason}")
    card = await held.casework.card(held.case)
    assert card is not None
    assert (await waiting.case()).close_reason == words
    assert words in card.text
    assert words not in await waiting.sees()


async def test_a_reason_of_ones_own_and_a_word_to_the_person(waiting: Someone, held: Topic) -> None:
    await held.write("/close the review is booked\nAll the best to you.\nMei")
    case = await waiting.case()
    assert (case.state, case.close_reason) == ("closed", "the review is booked")
    assert await coordinators_words(waiting) == [(MEI[1], "All the best to you.\nMei")]
    assert "the review is booked" not in await waiting.sees()


async def test_both_sides_get_a_summary(waiting: Someone, held: Topic, clock: Clock) -> None:
    clock.pass_by(minutes=30)
    await waiting.send(Inbound("text", text="one"))
    await held.write("Hello Samira", reply_to=PERSONS)
    await held.press("close.helped")
    case = await waiting.case()
    post = (await held.posts())[-1]
    for figure in (case.code, held.casework.words("desk.closed_for.helped"), "30 min", "1 from you", "0 files"):
        assert figure in post
    assert case.code in (await waiting.events())[-3]["blocks"][0]["text"]


async def test_somebody_who_was_answered_is_asked_how_it_was_and_nobody_else_is(waiting: Someone, held: Topic) -> None:
    await waiting.news()
    await held.press("close.no_answer")
    assert "close.rate" not in await said(waiting)
    await held.press("reopen")
    await held.write("Hello Samira", reply_to=PERSONS)
    await held.press("close.helped")
    assert (await said(waiting))[-1] == "close.rate"


async def test_the_answer_is_kept_noted_and_shown_and_words_follow_it(closed: Someone, held: Topic) -> None:
    assert await closed.press("choice.rate_4") == ["close.rated"]
    assert (await closed.case()).satisfaction == 4
    assert await events(held.casework, "satisfaction") == [4]
    assert held.casework.words("desk.rated", stars=4) in await held.posts()
    assert await closed.write("words", "kind, but slow") == ["close.rated_words"]
    assert held.casework.words("desk.rated_words", text="kind, but slow") in await held.posts()
    assert (await outbox(held.casework))[-1].kind == "topic.close"
    assert (await closed.case()).state == "closed"


@pytest.mark.parametrize("way", ["press", "no"])
async def test_words_to_the_rating_can_be_left_out(closed: Someone, held: Topic, way: str) -> None:
    await closed.press("choice.rate_1")
    before = len(await held.posts())
    assert await (closed.press("choice.no_more") if way == "press" else closed.write("control.no", "no")) == [
        "close.rated_skipped"
    ]
    assert len(await held.posts()) == before


async def test_whoever_speaks_of_something_else_is_not_asked_for_the_words_again(closed: Someone) -> None:
    await closed.press("choice.rate_5")
    assert "close.rated" not in await closed.write("control.are_you_a_bot", "are you a robot")
    assert "close.rated" not in await closed.write("control.status", "how far am I")


async def test_a_red_flag_in_the_words_to_a_rating_stops_everything_and_leads_back(
    closed: Someone, held: Topic
) -> None:
    await closed.press("choice.rate_1")
    turn = await closed.send(Inbound("text", text="nobody answered and I have chest pain"))
    says = [say.say for say in await held.casework.alarm(turn, "emergency.now")]
    assert says == ["safety.emergency.now", "safety.told_coordinator"]
    assert "close.rated" not in await closed.press("choice.ack")


async def test_a_rating_counts_once(closed: Someone, held: Topic) -> None:
    old = await closed.button("choice.rate_2")
    await closed.press("choice.rate_4")
    assert await closed.push(old) == ["choice.stale"]
    assert await events(held.casework, "satisfaction") == [4]


# The way back.


async def test_whoever_writes_within_two_weeks_is_with_the_coordinators_again(
    closed: Someone, held: Topic, clock: Clock
) -> None:
    clock.pass_by(days=13)
    says = await closed.write("records.have", "I have the new scan now")
    case = await closed.case()
    assert says[0] == "human.reopened"
    assert (case.state, case.id, case.reopened, case.closed_at) == ("waiting", held.case, 1, None)
    assert case.waiting_since == held.casework.now()
    posts = await held.posts()
    assert held.casework.words("desk.reopened_person", name=MEI[1]) in posts
    assert posts[-1] == held.casework.words("desk.person_said", text="I have the new scan now")
    assert "topic.reopen" in [row.kind for row in await outbox(held.casework)]
    assert await events(held.casework, "reopened") == [None]


async def test_after_two_weeks_the_assistant_answers_alone(closed: Someone, clock: Clock) -> None:
    clock.pass_by(days=15)
    assert "human.reopened" not in await closed.write("faq.certainty", "will it help")
    assert (await closed.case()).state == "closed"


@pytest.mark.parametrize("intent", ["control.thanks", "control.bye", "control.greet", "control.yes", "control.status"])
async def test_a_thank_you_brings_nobody_back(closed: Someone, intent: str) -> None:
    await closed.write(intent, "thank you")
    assert (await closed.case()).state == "closed"


async def test_a_button_of_the_assistant_brings_nobody_back(closed: Someone) -> None:
    await closed.press("choice.go_records")
    assert (await closed.case()).state == "closed"


async def test_who_asks_for_a_person_within_two_weeks_needs_no_second_preview(closed: Someone, held: Topic) -> None:
    assert await closed.press("choice.human") == ["human.reopened"]
    case = await closed.case()
    assert (case.state, case.waiting_since) == ("waiting", held.casework.now())


async def test_a_file_brings_them_back_and_goes_to_the_topic(closed: Someone, held: Topic) -> None:
    assert (await closed.upload("scan.pdf"))[0] == "human.reopened"
    assert [row.payload["name"] for row in await outbox(held.casework, "topic.file")] == ["scan.pdf"]


async def test_a_red_flag_after_the_closing_alerts_the_coordinators(closed: Someone, held: Topic) -> None:
    turn = await closed.send(Inbound("text", text="I have chest pain"))
    says = [say.say for say in await held.casework.alarm(turn, "emergency.now")]
    assert says == ["safety.emergency.now", "safety.told_coordinator"]
    case = await closed.case()
    assert (case.state, case.urgent) == ("waiting", True)


async def test_a_coordinator_opens_the_case_again_and_holds_it(closed: Someone, held: Topic) -> None:
    await held.press("reopen", TARIQ)
    case = await closed.case()
    assert (case.state, case.holder_id, case.reopened) == ("claimed", TARIQ[0], 1)
    assert await said(closed) == ["human.joined"]
    assert await held.press("reopen", MEI) == held.casework.words("desk.not_closed")


# Blocked.


@pytest.mark.parametrize("command", ["/block", "/unblock", "/erase"])
async def test_only_administrators_block_and_erase(
    strict: Casework, closed: Someone, held: Topic, command: str
) -> None:
    await held.write(command, TARIQ)
    assert (await held.posts())[-1] == strict.words("desk.administrators_only")
    assert not (await closed.case()).blocked


async def test_whoever_is_blocked_is_told_so_and_is_read_by_nobody(
    strict: Casework, waiting: Someone, held: Topic
) -> None:
    await waiting.news()
    await held.write("/block")
    case = await waiting.case()
    assert (case.state, case.blocked) == ("closed", True)
    assert await said(waiting) == ["human.closed", "human.blocked"]
    before = len(await held.posts())
    assert await waiting.write("control.human", "a person please") == ["human.blocked"]
    assert "faq.certainty" in await waiting.write("faq.certainty", "will it help")
    assert len(await held.posts()) == before
    assert await held.press("reopen") == strict.words("desk.is_blocked")


async def test_a_block_can_be_taken_back(strict: Casework, waiting: Someone, held: Topic) -> None:
    await held.write("/block")
    await held.write("/unblock")
    assert not (await waiting.case()).blocked
    assert await waiting.write("control.human", "a person please") == ["human.reopened"]


async def test_the_safety_net_works_for_somebody_who_is_blocked(
    strict: Casework, waiting: Someone, held: Topic
) -> None:
    await held.write("/block")
    turn = await waiting.send(Inbound("text", text="I have chest pain"))
    says = [say.say for say in await strict.alarm(turn, "emergency.now")]
    assert says == ["safety.emergency.now"]
    assert (await waiting.case()).state == "closed"
