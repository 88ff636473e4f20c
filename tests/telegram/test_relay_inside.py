"""What is said in the group stays in the group, unless it is plainly for the person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sandbox.testing import ADA, BEN, GROUP_ID, LUIS, MEI, Sandbox
from tests.telegram.conftest import PIXEL, Handed, Waypoint, upload

SECRET = "between us: the daughter must not know"
NOTE = "Should I call?"

type Try = Callable[[Handed, Sandbox], Awaitable[Any]]


async def plain(handed: Handed, box: Sandbox) -> None:
    await handed.write(MEI, SECRET)


async def to_a_colleague(handed: Handed, box: Sandbox) -> None:
    note = await handed.write(LUIS, NOTE)
    await handed.reply(MEI, note, SECRET)


async def to_a_colleagues_answer_to_the_person(handed: Handed, box: Sandbox) -> None:
    answer = await handed.reply(LUIS, await handed.brief(), "Hello.")
    await handed.reply(MEI, answer, SECRET)


async def to_a_note_of_the_bot(handed: Handed, box: Sandbox) -> None:
    name = handed.waypoint.casework.words("desk.claimed_by", name="Mei (sample)")
    await handed.reply(MEI, await handed.find(name), SECRET)


async def to_the_board(handed: Handed, box: Sandbox) -> None:
    await handed.waypoint.later(6)
    (board,) = [m for m in await box.messages(GROUP_ID, thread=0) if m["sandbox"]["pinned"]]
    await box.say(MEI, SECRET, chat=GROUP_ID, reply_to=board["message_id"])


async def with_a_colleagues_words_quoted(handed: Handed, box: Sandbox) -> None:
    note = await handed.write(LUIS, NOTE)
    await handed.reply(MEI, note, SECRET, quote="call")


async def after_a_marker(handed: Handed, box: Sandbox) -> None:
    await handed.write(MEI, f"> Should I call?\n{SECRET}")


async def forwarded(handed: Handed, box: Sandbox) -> None:
    note = await handed.write(LUIS, SECRET)
    await handed.write(MEI, forward=note["message_id"])


async def a_command_of_a_colleague_forwarded_in_answer_to_the_person(handed: Handed, box: Sandbox) -> None:
    note = await handed.write(LUIS, f"/sya {SECRET}")
    await handed.reply(MEI, await handed.brief(), forward=note["message_id"])


async def typing_the_command_wrong(handed: Handed, box: Sandbox) -> None:
    for command in ("/sya", "/says", "/sa", "/ say", "//say", "say", "\\say", "/say_"):
        await handed.write(MEI, f"{command} {SECRET}")


async def typing_the_command_wrong_in_answer_to_the_person(handed: Handed, box: Sandbox) -> None:
    await handed.reply(MEI, await handed.brief(), f"/sya {SECRET}")


async def the_command_inside_the_words(handed: Handed, box: Sandbox) -> None:
    await handed.write(MEI, f"tell them /say {SECRET}")


async def a_picture(handed: Handed, box: Sandbox) -> None:
    await handed.write(MEI, photo=upload(PIXEL), caption=SECRET)


async def a_picture_with_the_command_typed_wrong(handed: Handed, box: Sandbox) -> None:
    await handed.write(MEI, photo=upload(PIXEL), caption=f"/sya {SECRET}")


async def a_place_a_contact_a_sticker(handed: Handed, box: Sandbox) -> None:
    await handed.write(MEI, location={"latitude": 1.0, "longitude": 2.0})
    await handed.write(MEI, contact={"phone_number": "+1 555 0100", "first_name": "Sam"})
    await handed.write(MEI, sticker={"emoji": "🌷"})


async def an_album(handed: Handed, box: Sandbox) -> None:
    for _ in range(2):
        await handed.write(MEI, photo=upload(PIXEL), media_group="5", caption=SECRET)


async def an_album_beside_one_of_a_colleague(handed: Handed, box: Sandbox) -> None:
    await handed.write(LUIS, photo=upload(PIXEL), media_group="5")
    await handed.write(MEI, photo=upload(PIXEL), media_group="5", caption=SECRET)


async def a_note_that_is_edited(handed: Handed, box: Sandbox) -> None:
    note = await handed.write(MEI, NOTE)
    await box.edit(MEI, note, text=SECRET)


async def a_note_that_becomes_a_command(handed: Handed, box: Sandbox) -> None:
    note = await handed.write(MEI, NOTE)
    await handed.waypoint.settle()
    await box.edit(MEI, note, text=f"/say {SECRET}")


async def a_note_to_a_colleague_that_becomes_a_command(handed: Handed, box: Sandbox) -> None:
    note = await handed.reply(MEI, await handed.write(LUIS, NOTE), "No.")
    await handed.waypoint.settle()
    await box.edit(MEI, note, text=f"/say {SECRET}")


async def a_wrong_command_that_becomes_right(handed: Handed, box: Sandbox) -> None:
    note = await handed.write(MEI, f"/sya {NOTE}")
    await handed.waypoint.settle()
    await box.edit(MEI, note, text=f"/say {SECRET}")


async def a_command_that_becomes_a_note(handed: Handed, box: Sandbox) -> None:
    said = await handed.write(MEI, "/say Hello.")
    await handed.waypoint.settle()
    await box.edit(MEI, said, text=SECRET)


async def an_answer_that_becomes_a_wrong_command(handed: Handed, box: Sandbox) -> None:
    said = await handed.reply(MEI, await handed.brief(), "Hello.")
    await handed.waypoint.settle()
    await box.edit(MEI, said, text=f"/sya {SECRET}")


async def in_general(handed: Handed, box: Sandbox) -> None:
    await box.say(MEI, f"/say {SECRET}", chat=GROUP_ID)
    await box.say(MEI, SECRET, chat=GROUP_ID)


async def in_a_topic_without_a_case(handed: Handed, box: Sandbox) -> None:
    other = await box.post("topics/create", **{"from": MEI, "chat": GROUP_ID, "name": "Tea"})
    await box.say(MEI, f"/say {SECRET}", chat=GROUP_ID, thread=other["id"])


async def in_another_group(handed: Handed, box: Sandbox) -> None:
    other = await box.post("groups", title="Elsewhere", members=[MEI])
    await box.say(MEI, f"/say {SECRET}", chat=other["id"])


async def by_somebody_in_the_private_chat(handed: Handed, box: Sandbox) -> None:
    await box.say(MEI, f"/say {SECRET}")


@pytest.mark.parametrize(
    "attempt",
    [
        plain,
        to_a_colleague,
        to_a_colleagues_answer_to_the_person,
        to_a_note_of_the_bot,
        to_the_board,
        with_a_colleagues_words_quoted,
        after_a_marker,
        forwarded,
        a_command_of_a_colleague_forwarded_in_answer_to_the_person,
        typing_the_command_wrong,
        typing_the_command_wrong_in_answer_to_the_person,
        the_command_inside_the_words,
        a_picture,
        a_picture_with_the_command_typed_wrong,
        a_place_a_contact_a_sticker,
        an_album,
        an_album_beside_one_of_a_colleague,
        a_note_that_is_edited,
        a_note_that_becomes_a_command,
        a_note_to_a_colleague_that_becomes_a_command,
        a_wrong_command_that_becomes_right,
        a_command_that_becomes_a_note,
        an_answer_that_becomes_a_wrong_command,
        in_general,
        in_a_topic_without_a_case,
        in_another_group,
        by_somebody_in_the_private_chat,
    ],
    ids=lambda attempt: attempt.__name__,
)
async def test_nothing_that_is_not_plainly_for_the_person_reaches_them(
    waypoint: Waypoint, box: Sandbox, attempt: Try
) -> None:
    handed = await waypoint.claimed()
    other = await waypoint.casework.open_conversation("web", "a" * 32)
    await waypoint.execute("UPDATE conversations SET case_id = ? WHERE id = ?", (await handed.case()).id, other)
    await attempt(handed, box)
    await waypoint.settle()
    await waypoint.later(3)
    seen = await box.messages(ADA)
    assert "between us" not in str([m | {"sandbox": None} for m in seen])
    assert not [m for m in seen if m.keys() & {"photo", "location", "contact", "sticker"}]
    assert "between us" not in str(await waypoint.casework.events_after(other, 0))
    # It could have reached them: what is plainly for them does.
    await handed.reply(MEI, await handed.brief(), "Plainly for you.")
    await waypoint.settle()
    assert "Mei (sample)\nPlainly for you." in await handed.heard()
    assert "Plainly for you." in str(await waypoint.casework.events_after(other, 0))


async def test_a_forwarded_command_is_none(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    for command in ("/close helped", "/say Forwarded."):
        original = await handed.write(LUIS, f"{command}")
        await handed.waypoint.execute("UPDATE inbox SET state = 'done'")
        waypoint.box.world.updates.drop()
        await handed.write(MEI, forward=original["message_id"])
    await waypoint.settle()
    assert (await handed.case()).state == "claimed"
    assert not any("Forwarded." in text for text in await handed.heard())


async def test_a_reply_in_one_topic_to_a_message_of_another_reaches_only_whose_words_they_were(
    waypoint: Waypoint, box: Sandbox
) -> None:
    ada, ben = await waypoint.claimed(ADA), await waypoint.claimed(BEN)
    # As it would be if an app let a reply point into another topic.
    message = await ada.reply(MEI, await ben.brief(), SECRET)
    update = box.world.updates.pending()[-1]
    update.body["message"]["message_thread_id"] = await ada.thread()
    assert message["message_thread_id"] == await ben.thread()
    await waypoint.settle()
    for handed in (ada, ben):
        assert not any("between us" in text for text in await handed.heard())


async def test_who_edits_a_note_into_a_command_is_told_that_it_was_not_sent(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    note = await handed.write(MEI, NOTE)
    await waypoint.settle()
    await box.edit(MEI, note, text="/say Hello.")
    await waypoint.settle()
    told = (await handed.messages())[-1]
    assert told["text"] == waypoint.casework.words("desk.edit_unsent")
    assert told["reply_to_message"]["message_id"] == note["message_id"]


async def test_an_edited_note_is_no_matter(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    note = await handed.write(MEI, NOTE)
    await waypoint.settle()
    before = await handed.texts()
    await box.edit(MEI, note, text="I called.")
    await waypoint.settle()
    assert len(await handed.texts()) == len(before)
