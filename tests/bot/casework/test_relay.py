"""What stands on both sides of the desk, as the database keeps it, on both kinds of database."""

from __future__ import annotations

import pytest

from bot import store
from bot.casework import Casework, FileRef, Inbound
from bot.casework.copies import ARRIVED, FAILED, shortened, words_of
from bot.model import Message, Relayed
from tests.bot.casework.conftest import Arrives
from tests.bot.casework.people import Someone, everything, outbox
from tests.bot.casework.topic import BRIEF, GROUP, TARIQ, Topic
from tests.bot.conftest import Clock

QUESTION = 700


@pytest.fixture
async def person(arrives: Arrives) -> Someone:
    """Somebody on Telegram whose case Mei holds."""
    return await (await arrives("telegram", "42")).hand_off()


@pytest.fixture
async def topic(person: Someone) -> Topic:
    """Their case's topic."""
    topic = await Topic.of(person)
    await topic.press("claim")
    return topic


async def asks(person: Someone, topic: Topic, text: str = "may I eat", message_id: int = 31) -> None:
    """They ask something; it stands in the topic as message QUESTION."""
    raw = {"chat_id": 42, "message_id": message_id}
    assert await topic.casework.relay(await person.send(Inbound("text", text=text, raw=raw)))
    (row,) = (await outbox(topic.casework, "topic.post"))[-1:]
    await topic.casework.topic_posted(topic.case, GROUP, QUESTION, "person")
    await topic.casework.arrived(row.payload["relayed"], [QUESTION], GROUP)


async def copies(casework: Casework, message_id: int) -> list[Relayed]:
    """What people have of a coordinator's message."""
    async with casework.reading() as session:
        return list(await store.copies_of(session, GROUP, message_id))


async def marks(casework: Casework) -> list[str]:
    """The marks that wait to be put."""
    return [row.payload["emoji"] for row in await outbox(casework, "desk.mark")]


async def answer(topic: Topic, text: str = "yes", **values: object) -> tuple[int, list[int]]:
    """Mei answers. Returns her message, and the numbers of its copies."""
    await topic.write(text, reply_to=values.pop("reply_to", BRIEF), **values)
    (row,) = (await outbox(topic.casework, "say", "copy", "album"))[-1:]
    numbers = row.payload["relayed"]
    async with topic.casework.reading() as session:
        copy = await store.relayed(session, numbers[-1])
        assert copy is not None
        return int(copy.desk_message_id or 0), numbers


async def test_an_answer_names_the_message_that_it_answers(person: Someone, topic: Topic) -> None:
    await asks(person, topic)
    await answer(topic, reply_to=QUESTION)
    row = (await outbox(topic.casework, "say"))[-1]
    assert row.payload["reply_to"] == 31
    assert [block["text"] for block in row.payload["blocks"]] == ["yes"]


async def test_an_answer_to_the_card_answers_no_message(person: Someone, topic: Topic) -> None:
    await asks(person, topic)
    await answer(topic)
    assert "reply_to" not in (await outbox(topic.casework, "say"))[-1].payload


async def test_words_in_the_other_chat_are_quoted_there_in_words(
    arrives: Arrives, person: Someone, topic: Topic
) -> None:
    web = await arrives()
    async with topic.casework.transaction() as session:
        row = await store.conversation(session, web.conversation)
        assert row is not None
        row.case_id = topic.case
    await asks(person, topic)
    await topic.write("yes", reply_to=QUESTION)
    blocks = [e["blocks"] for e in await web.events() if e["role"] == "coordinator"]
    assert [[block["text"] for block in each] for each in blocks] == [["In reply to: “may I eat”", "yes"]]


async def test_one_message_may_become_several_and_all_are_known(person: Someone, topic: Topic) -> None:
    message, numbers = await answer(topic)
    await topic.casework.arrived(numbers, [51, 52, 53])
    assert await topic.casework.messages_of(numbers) == [51, 52, 53]
    assert {copy.state for copy in await copies(topic.casework, message)} == {"delivered"}
    assert await marks(topic.casework) == [ARRIVED]


async def test_a_mark_says_failed_as_soon_as_one_copy_failed(person: Someone, topic: Topic) -> None:
    message, numbers = await answer(topic)
    await topic.casework.not_delivered(topic.case, "Forbidden: bot was blocked by the user", numbers)
    assert [copy.state for copy in await copies(topic.casework, message)] == ["failed"]
    assert await marks(topic.casework) == [FAILED]
    assert topic.casework.words("desk.advise.blocked") in (await topic.posts())[-1]


async def test_marks_that_wait_are_put_once_as_they_are_last(person: Someone, topic: Topic) -> None:
    _, numbers = await answer(topic)
    await topic.casework.arrived(numbers, [51])
    await topic.casework.not_delivered(topic.case, "gone", numbers, "corrected")
    await topic.casework.was_corrected(numbers)
    assert len(await marks(topic.casework)) == 1


async def test_for_the_widget_delivered_means_that_it_is_kept_for_them(waiting_web: tuple[Someone, Topic]) -> None:
    someone, topic = waiting_web
    await topic.write("hello", reply_to=BRIEF)
    assert [e["blocks"][0]["text"] for e in await someone.events() if e["role"] == "coordinator"] == ["hello"]
    assert await marks(topic.casework) == [ARRIVED]


@pytest.fixture
async def waiting_web(someone: Someone) -> tuple[Someone, Topic]:
    """Somebody at the website whose case Mei holds, and its topic."""
    await someone.hand_off()
    topic = await Topic.of(someone)
    await topic.press("claim")
    return someone, topic


async def test_what_was_taken_back_is_wanted_no_more_and_goes_nowhere(person: Someone, topic: Topic) -> None:
    message, numbers = await answer(topic)
    assert await topic.casework.wanted(numbers)
    await topic.write("/undo", reply_to=message)
    assert not await topic.casework.wanted(numbers)
    assert not await outbox(topic.casework, "say") or "yes" not in str(
        [row.payload for row in await outbox(topic.casework, "say")]
    )
    assert await outbox(topic.casework, "take_back") == []


async def test_what_has_arrived_is_deleted_once_and_then_told(person: Someone, topic: Topic) -> None:
    message, numbers = await answer(topic)
    await topic.casework.arrived(numbers, [51, 52])
    async with topic.casework.transaction() as session:
        for row in await store.unsent_to(session, person.conversation):
            row.state = "sent"
    for _ in range(2):
        await topic.write("/undo", reply_to=message)
    (row,) = await outbox(topic.casework, "take_back")
    assert topic.casework.words("desk.undone") not in await topic.posts()
    assert await topic.casework.messages_of(row.payload["relayed"]) == [51, 52]
    await topic.casework.was_taken_back(row.payload["relayed"])
    assert (await topic.posts()).count(topic.casework.words("desk.undone")) == 1
    assert await copies(topic.casework, message) == []


async def test_the_ten_seconds_are_those_of_telegrams_clock(person: Someone, topic: Topic, clock: Clock) -> None:
    at = int(clock().timestamp())
    message, numbers = await answer(topic, at=at)
    await topic.casework.arrived(numbers, [51])
    clock.pass_by(minutes=5)
    await topic.write("/undo", reply_to=message, at=at + 11)
    assert (await topic.posts())[-1] == topic.casework.words("desk.undo_late")
    await topic.write("/undo", reply_to=message, at=at + 10)
    assert len(await outbox(topic.casework, "take_back")) == 1


async def test_only_whoever_wrote_it_takes_it_back(person: Someone, topic: Topic) -> None:
    message, _ = await answer(topic)
    await topic.write("/undo", TARIQ, reply_to=message)
    assert (await topic.posts())[-1] == topic.casework.words("desk.undo_other")
    assert {copy.state for copy in await copies(topic.casework, message)} == {"sending"}


async def test_a_note_between_two_answers_does_not_make_the_person_wait(person: Someone, topic: Topic) -> None:
    await asks(person, topic)
    await answer(topic, "first")
    second, _ = await answer(topic, "second")
    await topic.write("/undo", reply_to=second)
    assert (await person.case()).waiting_since is None  # the first answer stands


async def test_an_album_is_one_row_that_waits_for_its_parts(person: Someone, topic: Topic, clock: Clock) -> None:
    for number in range(12):
        file = FileRef("photo.jpg", "image/jpeg", 10, "photo", telegram_file_id=f"f{number}")
        raw = {"chat_id": 42, "message_id": 31 + number, "album": "7"}
        assert await topic.casework.relay(await person.send(Inbound("file", files=(file,), raw=raw)))
    rows = await outbox(topic.casework, "topic.album")
    assert [len(row.payload["parts"]) for row in rows] == [10, 1, 1]
    assert [part["file"] for part in rows[0].payload["parts"]] == [f"f{number}" for number in range(10)]
    assert all(row.not_before > clock() for row in rows)


async def test_deleting_everything_leaves_nothing_of_what_passed(person: Someone, topic: Topic, db: object) -> None:
    await asks(person, topic, "a secret question")
    await answer(topic, "a secret answer", reply_to=QUESTION)
    await person.write("control.delete_data", "delete my data")
    await person.press("choice.erase")
    kept = await everything(db)  # type: ignore[arg-type]
    assert "secret" not in kept
    assert "relayed: " not in kept


def test_the_words_of_a_message_are_not_those_around_them() -> None:
    around = {"type": "text", "text": "In reply to: “x”", "around": True}
    words = {"type": "text", "text": "yes"}
    assert words_of(Message(blocks=[around, words])) == "yes"
    assert words_of(Message(blocks=[around, {"type": "file", "name": "a.pdf"}])) == ""
    assert words_of(None) == ""


def test_a_quote_is_one_short_line() -> None:
    assert shortened("one\n\ntwo") == "one two"
    assert len(shortened("x" * 500)) == 120
    assert shortened("x" * 500).endswith("…")
