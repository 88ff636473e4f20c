"""What is kept, and what is not: before consent, after a refusal, after everything was deleted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import store
from bot.casework import Casework, Inbound
from bot.casework.consent import CONSENT_VERSION
from bot.model import Consent
from tests.bot.casework.conftest import Arrives
from tests.bot.casework.people import Someone, everything, outbox
from tests.bot.casework.test_turns import joined
from tests.bot.conftest import Clock
from tests.bot.journey.talk import mention

PLANTED = "xylophonecancer"
channels = pytest.mark.parametrize("channel", ["web", "telegram"])


def files_of(db: AsyncEngine) -> list[Path]:
    """SQLite's files, the write-ahead log included; none for a server."""
    if db.url.get_backend_name() != "sqlite" or not db.url.database:
        return []
    return sorted(Path(db.url.database).parent.glob("waypoint.db*"))


async def nowhere(db: AsyncEngine, planted: str = PLANTED) -> None:
    """The planted words are in no table, and in no byte of SQLite's files."""
    assert planted not in await everything(db)
    for file in files_of(db):
        assert planted.encode() not in file.read_bytes(), file.name


async def speaks(person: Someone) -> None:
    """Somebody plants words wherever words can be planted."""
    text = f"the {PLANTED} came back"
    await person.write("signals.none", text, mention("signal", "recurrence_or_resistance", text, text, polarity="yes"))
    await person.write("records.have", text, mention("record", "imaging", text, text, state="have"))
    await person.write("safety.medical_advice", f"is {PLANTED} curable")
    await person.write("service.cost", f"what does {PLANTED} cost")
    await person.write("oos", f"{PLANTED}?")
    await person.write("caregiver.is_caregiver", f"my {PLANTED} mother", mention("relation", "mother"))
    await person.upload(f"{PLANTED}.pdf", caption=f"{PLANTED} report")


@channels
async def test_after_a_refusal_nothing_is_left_of_what_was_said_before(
    arrives: Arrives, db: AsyncEngine, channel: str
) -> None:
    person = await arrives(channel)
    await speaks(person)
    assert PLANTED in (await person.case()).progress  # a draft, until they answer
    await person.press("choice.decline")
    assert (await person.case()).consent == "declined"
    await nowhere(db)


async def test_after_a_refusal_the_transcript_no_longer_tells_what_was_noted(someone: Someone, db: AsyncEngine) -> None:
    await speaks(someone)
    told = someone.casework.guide.entry("signals.recurrence_or_resistance.name").variants[0]
    assert told in await someone.sees()
    await someone.press("choice.decline")
    assert told not in await someone.sees()
    await nowhere(db, told)


@channels
async def test_after_a_refusal_nothing_is_kept_of_what_is_said(arrives: Arrives, db: AsyncEngine, channel: str) -> None:
    person = await arrives(channel)
    await person.start()
    await person.press("choice.decline")
    await speaks(person)
    await nowhere(db)


async def test_forgetting_waits_for_nobody_and_hinders_nobody(arrives: Arrives, db: AsyncEngine) -> None:
    people = [await arrives() for _ in range(6)]
    for number, person in enumerate(people):
        await person.start()
        await person.press("choice.agree" if number % 2 else "choice.decline")
    told = (person.write("oos", f"{PLANTED} {number}") for number, person in enumerate(people) if number % 2 == 0)
    asked = (person.write("faq.certainty", "words") for person in people[1::2])
    looked = (person.events() for person in people)
    await asyncio.gather(*told, *asked, *looked)
    await people[0].write("oos", "one more")
    await nowhere(db)


async def test_before_an_answer_the_words_themselves_are_kept_nowhere(someone: Someone, db: AsyncEngine) -> None:
    await someone.write("faq.offend_doctor", f"about my {PLANTED}")
    assert [event["blocks"] for event in await someone.events() if event["role"] == "patient"] == [[]]
    await nowhere(db)


async def test_a_file_without_consent_is_deleted_from_the_folder_too(
    someone: Someone, casework: Casework, db: AsyncEngine
) -> None:
    assert await someone.upload(f"{PLANTED}.pdf") == ["welcome.what", "consent.file", "consent.needed"]
    assert [row.payload["path"] for row in await outbox(casework, "unlink")]
    assert await casework.file_for(someone.conversation, someone.files[0]) is None
    await nowhere(db)


@channels
async def test_with_consent_the_words_are_kept(arrives: Arrives, db: AsyncEngine, channel: str) -> None:
    person = await (await arrives(channel)).agree()
    await speaks(person)
    kept = await everything(db)
    for table in ("inbox", "messages", "cases", "files"):
        assert any(line.startswith(f"{table}:") and PLANTED in line for line in kept.splitlines()), table


@channels
async def test_after_everything_was_deleted_nothing_is_left(arrives: Arrives, db: AsyncEngine, channel: str) -> None:
    person = await (await arrives(channel)).agree()
    await speaks(person)
    await person.write("control.delete_data", f"delete all my {PLANTED}")
    assert await person.press("choice.erase") == ["steer.deleted"]
    await nowhere(db)


async def test_deleting_a_handed_over_case_takes_its_topic_too(
    someone: Someone, casework: Casework, db: AsyncEngine
) -> None:
    await someone.hand_off()
    case = (await someone.case()).id
    await casework.topic_created(case, 77)
    await casework.topic_posted(case, -100, 5, "brief")
    await speaks(someone)
    await someone.write("control.delete_data")
    await someone.press("choice.erase")
    assert [(row.kind, row.payload.get("topic_id")) for row in await outbox(casework, "topic.delete")] == [
        ("topic.delete", 77)
    ]
    assert not await outbox(casework, "topic.open", "topic.card", "topic.post")
    await nowhere(db)
    await nowhere(db, "Samira")


async def test_deleting_gives_a_receipt_and_a_fresh_start(someone: Someone) -> None:
    await someone.agree()
    before = (await someone.case()).id
    await someone.write("control.delete_data")
    await someone.press("choice.erase")
    case = await someone.case()
    assert case.id != before
    assert case.consent == "none"
    (event,) = await someone.events()
    assert "DEL-" in event["blocks"][0]["text"]
    assert await someone.write("faq.certainty") == ["welcome.what", "faq.certainty", "welcome.consent"]


async def test_deleting_twice_at_a_retry_is_done_once(someone: Someone, casework: Casework) -> None:
    await someone.agree()
    await someone.write("control.delete_data")
    button = await someone.button("choice.erase")
    turn = await someone.send(Inbound("choice", choice=button))
    pressed = {"entity": "act", "value": "erase"}
    assert [await someone.take(turn, "press", "", pressed) for _ in range(2)] == [["steer.deleted"]] * 2
    assert len(await someone.events()) == 1


async def test_what_was_written_right_after_the_deletion_is_still_answered(
    someone: Someone, casework: Casework
) -> None:
    await someone.agree()
    await someone.write("control.delete_data")
    erase = await someone.send(Inbound("text", text="yes"))
    after = await someone.send(Inbound("text", text="is it normal"))
    await someone.take(erase, "control.yes", "yes")
    assert await casework.due_turns(set()) == [(someone.conversation, after)]
    said = await someone.take(after, "faq.is_it_normal", "is it normal")
    assert said == ["welcome.what", "faq.is_it_normal", "welcome.consent"]


async def test_deleting_reaches_every_channel_of_the_case(arrives: Arrives, db: AsyncEngine) -> None:
    web, phone = await (await arrives()).agree(), await arrives("telegram")
    await joined(web, phone)
    await speaks(phone)
    await web.write("control.delete_data")
    await web.press("choice.erase")
    await nowhere(db)
    assert [event["say"] for event in await phone.events()] == ["steer.deleted"]
    assert (await web.case()).id == (await phone.case()).id


async def test_consent_is_recorded_with_its_time_version_and_channel(someone: Someone, casework: Casework) -> None:
    await someone.agree()
    case = await someone.case()
    assert (case.consent, case.consent_channel, case.consent_at) == ("agreed", "web", casework.now())
    assert case.consent_version


async def consents(someone: Someone) -> list[Consent]:
    """Every yes and no that is kept of somebody."""
    async with someone.casework.reading() as session:
        return list(await store.consents(session, (await someone.case()).id))


@channels
async def test_every_yes_and_no_is_kept_with_its_wording_time_channel_and_limits(
    arrives: Arrives, clock: Clock, channel: str
) -> None:
    person = await arrives(channel)
    await person.start()
    await person.press("choice.decline")
    clock.pass_by(minutes=1)
    await person.write("control.human")
    await person.press("choice.agree")
    first, second = await consents(person)
    assert [(each.what, each.channel, each.version) for each in (first, second)] == [
        ("declined", channel, CONSENT_VERSION),
        ("agreed", channel, CONSENT_VERSION),
    ]
    assert (second.at - first.at).total_seconds() == 60
    assert (first.keep_days, second.keep_days, second.keep_case_days) == (None, 180, 365)


async def test_the_separate_yes_before_people_see_the_case_is_kept_too(waiting: Someone) -> None:
    assert [each.what for each in await consents(waiting)] == ["agreed", "sent"]


async def test_a_yes_to_keeping_shows_nothing_to_people(someone: Someone, casework: Casework) -> None:
    await speaks(await someone.agree())
    assert not [row for row in await outbox(casework) if row.kind.startswith(("topic.", "group."))]


@channels
async def test_a_consent_that_is_taken_back_deletes_all_and_keeps_nothing_from_then_on(
    arrives: Arrives, db: AsyncEngine, channel: str
) -> None:
    person = await (await arrives(channel)).agree()
    await speaks(person)
    assert await person.write("press", "", {"entity": "act", "value": "withdraw_ask"}) == ["steer.delete_confirm"]
    assert await person.press("choice.withdraw") == ["consent.withdrawn"]
    await nowhere(db)
    assert (await person.case()).consent == "declined"
    assert [each.what for each in await consents(person)] == ["withdrawn"]
    assert await person.write("faq.certainty", f"will {PLANTED} be certain") == ["faq.certainty"]
    await speaks(person)
    await nowhere(db)


async def test_a_consent_that_is_taken_back_takes_the_case_back_from_people(
    waiting: Someone, casework: Casework
) -> None:
    await casework.topic_created((await waiting.case()).id, 77)
    await waiting.write("control.delete_data")
    assert await waiting.press("choice.withdraw") == ["consent.withdrawn"]
    assert [row.payload["topic_id"] for row in await outbox(casework, "topic.delete")] == [77]
    assert (await waiting.case()).state == "talking"


async def test_who_took_it_back_can_agree_again(someone: Someone) -> None:
    await someone.agree()
    await someone.write("control.delete_data")
    await someone.press("choice.withdraw")
    assert await someone.write("control.human") == ["consent.needed"]
    await someone.press("choice.agree")
    assert [each.what for each in await consents(someone)] == ["withdrawn", "agreed"]


async def test_a_case_that_is_joined_keeps_both_sides_consent(arrives: Arrives) -> None:
    web, phone = await (await arrives()).agree(), await (await arrives("telegram")).agree()
    await joined(web, phone)
    assert sorted(each.channel for each in await consents(web)) == ["telegram", "web"]


async def test_who_is_blocked_stays_so_after_everything_was_deleted(someone: Someone, casework: Casework) -> None:
    await someone.agree()
    async with casework.transaction() as session:
        case = await store.case(session, (await someone.case()).id, lock=True)
        assert case is not None
        case.blocked = True
    await someone.write("control.delete_data")
    await someone.press("choice.erase")
    assert (await someone.case()).blocked
