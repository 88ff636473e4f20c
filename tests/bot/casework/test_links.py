"""Going on elsewhere by a one-time link."""

from __future__ import annotations

import asyncio

import pytest

from bot.casework import Casework, Inbound
from bot.casework.links import LINK_LIFE
from bot.progress import Contact, Question, RecordAnswer, SignalAnswer, TreatmentDate
from tests.bot.casework.conftest import Arrives
from tests.bot.casework.people import Someone, everything, outbox
from tests.bot.casework.test_turns import link_code
from tests.bot.casework.topic import MEI, Topic
from tests.bot.conftest import Clock


async def code_of(person: Someone) -> str:
    """A fresh one-time code of somebody's case."""
    turn = await person.send(Inbound("text", text="/link"))
    await person.take(turn, "press", "", {"entity": "act", "value": "link"})
    return link_code(await person.events())


async def use(person: Someone, code: str) -> bool:
    """Open a link."""
    return bool(await person.casework.use_link(await person.send(Inbound("start", start=code)), code))


async def test_a_link_from_the_website_leads_to_telegram_when_the_bots_name_is_known(
    someone: Someone, casework: Casework
) -> None:
    await someone.agree()
    await code_of(someone)
    assert (await someone.events())[-1]["say"] == "link.to_web"
    await casework.remember("telegram.username", "waypoint_sample_bot")
    code = await code_of(someone)
    assert (await someone.events())[-1]["say"] == "link.to_telegram"
    assert f"https://t.me/waypoint_sample_bot?start={code}" in await someone.sees()
    assert len(code) <= 64  # what Telegram allows
    blocks = (await someone.events())[-1]["blocks"]
    assert [block["label"] for block in blocks if block["type"] == "qr"] == ["To Telegram", "To a browser"]
    assert f"https://waypoint.example/#link={code}" in blocks[0]["text"]


async def test_a_link_from_telegram_leads_to_the_website(arrives: Arrives) -> None:
    person = await (await arrives("telegram", "42")).agree()
    code = await code_of(person)
    assert f"https://waypoint.example/#link={code}" in await person.sees()
    assert {block["type"] for block in (await person.events())[-1]["blocks"]} == {"text"}


async def test_going_on_elsewhere_finds_everything_and_both_sides_are_told(arrives: Arrives) -> None:
    web, phone = await (await arrives()).agree(), await arrives("telegram")
    await web.press("choice.begin")
    await web.press("choice.yes")
    assert await use(phone, await code_of(web))
    assert [event["say"] for event in await phone.events()][-3:] == [
        "link.done",
        "resume.welcome_back_signals",
        "signals.ask",
    ]
    assert (await web.events())[-1]["say"] == "link.joined"
    assert "in a second place (on Telegram)" in await web.sees()
    assert (await web.case()).id == (await phone.case()).id
    assert await phone.press("choice.no") == ["signals.ask"]
    assert len((await web.progress()).signals) == 2


async def test_a_link_is_good_once(arrives: Arrives) -> None:
    web, phone, thief = await (await arrives()).agree(), await arrives("telegram"), await arrives("telegram")
    code = await code_of(web)
    assert await use(phone, code)
    assert not await use(thief, code)
    assert (await thief.case()).id != (await web.case()).id


async def test_of_two_who_use_a_link_at_once_one_gets_in(arrives: Arrives) -> None:
    web, one, other = await (await arrives()).agree(), await arrives("telegram"), await arrives("telegram")
    code = await code_of(web)
    assert sorted(await asyncio.gather(use(one, code), use(other, code))) == [False, True]


async def test_a_link_runs_out(arrives: Arrives, clock: Clock) -> None:
    web, phone = await (await arrives()).agree(), await arrives("telegram")
    code = await code_of(web)
    clock.pass_by(seconds=LINK_LIFE.total_seconds() + 1)
    assert not await use(phone, code)


@pytest.mark.parametrize("code", ["", "nonsense", "x" * 64])
async def test_an_unknown_code_opens_nothing(someone: Someone, code: str) -> None:
    assert not await use(someone, code)


async def test_a_link_to_ones_own_case_changes_nothing(someone: Someone) -> None:
    await someone.agree()
    before = (await someone.case()).id
    assert not await use(someone, await code_of(someone))
    assert (await someone.case()).id == before


async def test_a_turn_that_used_its_link_says_so_again_and_does_nothing(arrives: Arrives) -> None:
    web, phone = await (await arrives()).agree(), await arrives("telegram")
    code = await code_of(web)
    turn = await phone.send(Inbound("start", start=code))
    assert await phone.casework.use_link(turn, code)
    events = await phone.events()
    assert await phone.casework.use_link(turn, code)
    assert await phone.events() == events


async def test_what_both_had_agreed_to_keep_is_joined(arrives: Arrives) -> None:
    web, phone = await (await arrives()).agree(), await (await arrives("telegram")).agree()
    await web.known(
        signals={"rare_cancer": SignalAnswer(answer="yes", words="web")},
        records={"imaging": RecordAnswer(state="have")},
        extras=["allergies"],
        questions=[Question(id="other_options")],
        contact=Contact(name="Samira"),
    )
    await phone.known(
        signals={"rare_cancer": SignalAnswer(answer="no"), "confusion": SignalAnswer(answer="yes")},
        records={"pathology": RecordAnswer(state="lost")},
        extras=["allergies", "letters"],
        questions=[Question(id="other_options"), Question(text="mine", origin="own")],
        contact=Contact(name="S.", country="Egypt"),
        treatment=TreatmentDate(answer="no"),
    )
    await phone.upload("ct.pdf")
    assert await use(phone, await code_of(web))
    progress = await web.progress()
    assert progress.signals["rare_cancer"] == SignalAnswer(answer="yes", words="web")
    assert set(progress.signals) == {"rare_cancer", "confusion"}
    assert {name: answer.state for name, answer in progress.records.items()} == {"imaging": "have", "pathology": "lost"}
    assert progress.extras == ["allergies", "letters"]
    assert [question.id or question.text for question in progress.questions] == ["other_options", "mine"]
    assert (progress.contact.name, progress.contact.country) == ("Samira", "Egypt")
    assert progress.treatment.answer == "no"
    assert await web.casework.file_for(web.conversation, phone.files[0]) is not None


async def test_two_different_people_are_never_joined(arrives: Arrives) -> None:
    mother, brother = await (await arrives()).agree(), await (await arrives("telegram")).agree()
    await mother.known(role="carer", relation="mother", signals={"confusion": SignalAnswer(answer="yes")})
    await brother.known(role="carer", relation="brother")
    code = await code_of(mother)
    before = (await brother.progress(), await mother.progress())
    assert not await use(brother, code)
    assert (await brother.progress(), await mother.progress()) == before
    assert (await brother.case()).id != (await mother.case()).id


async def test_a_draft_nobody_agreed_to_keep_is_not_taken_along(arrives: Arrives) -> None:
    web, phone = await (await arrives()).agree(), await arrives("telegram")
    await phone.write("signals.situations.rare_cancer", "xylophonecancer")
    assert await use(phone, await code_of(web))
    assert not (await web.progress()).signals
    assert "xylophonecancer" not in await everything(web.casework.sessions.kw["bind"])


async def test_a_case_that_was_handed_over_is_not_left_behind_for_another(arrives: Arrives) -> None:
    web, phone = await (await arrives()).agree(), await (await arrives("telegram")).hand_off()
    assert not await use(phone, await code_of(web))
    assert (await phone.case()).state == "waiting"


async def test_whoever_goes_on_elsewhere_is_heard_by_the_coordinator_who_holds_the_case(arrives: Arrives) -> None:
    web, phone = await (await arrives()).hand_off(), await arrives("telegram")
    topic = await Topic.of(web)
    code = await code_of(web)
    await topic.press("claim", MEI)
    assert await use(phone, code)
    assert await phone.casework.relay(await phone.send(Inbound("text", text="it is me on my phone")))
    assert any("on my phone" in row.payload["text"] for row in await outbox(phone.casework, "topic.post"))


async def test_the_code_itself_is_not_kept_where_it_is_checked(someone: Someone) -> None:
    await someone.agree()
    code = await code_of(someone)
    links = [
        line
        for line in (await everything(someone.casework.sessions.kw["bind"])).splitlines()
        if line.startswith("links:")
    ]
    assert links
    assert all(code not in line for line in links)


async def test_a_turn_that_waited_while_its_conversation_was_joined_goes_to_the_new_case(arrives: Arrives) -> None:
    web, phone = await (await arrives()).agree(), await arrives("telegram")
    code = await code_of(web)
    turns = [await phone.send(Inbound("text", text=f"words {number}")) for number in range(4)]
    said = await asyncio.gather(
        use(phone, code), *(phone.take(turn, "signals.situations.confusion", "I am confused") for turn in turns)
    )
    assert said[0] is True
    assert (await phone.case()).id == (await web.case()).id
    assert all(said[1:])
