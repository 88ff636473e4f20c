"""What a patient does on Telegram, as it is stored."""

from __future__ import annotations

from typing import Any

import pytest

from bot.channels.telegram import clean_text
from bot.model import Conversation
from sandbox.testing import ADA, BEN, GROUP_ID, MEI, Sandbox
from tests.telegram.conftest import PIXEL, Waypoint, choices, labels, until, upload, words


async def last_inbound(waypoint: Waypoint) -> dict[str, Any]:
    await waypoint.receive()
    return (await waypoint.inbox())[-1].payload


async def test_it_stores_words_with_where_telegram_keeps_them(waypoint: Waypoint, box: Sandbox) -> None:
    message = await box.say(ADA, "Is it <b>normal</b>?")
    inbound = await last_inbound(waypoint)
    assert (inbound["kind"], inbound["text"]) == ("text", "Is it <b>normal</b>?")
    assert inbound["raw"] == {"chat_id": ADA, "message_id": message["message_id"]}


async def test_two_people_have_two_conversations_and_one_person_has_one(waypoint: Waypoint, box: Sandbox) -> None:
    for person in (ADA, BEN, ADA):
        await box.say(person, "Hello")
    await waypoint.receive()
    assert {row.address for row in await waypoint.rows(Conversation)} == {str(ADA), str(BEN)}


async def test_start_carries_a_payload_only_of_the_form_that_links_have(waypoint: Waypoint, box: Sandbox) -> None:
    await box.say(ADA, "/start abc_DEF-123")
    assert (await last_inbound(waypoint))["start"] == "abc_DEF-123"
    await box.say(ADA, "/start <script>")
    inbound = await last_inbound(waypoint)
    assert (inbound["kind"], inbound["start"]) == ("start", "")


async def test_other_commands_stay_words(waypoint: Waypoint, box: Sandbox) -> None:
    await box.say(ADA, "/status")
    inbound = await last_inbound(waypoint)
    assert (inbound["kind"], inbound["text"]) == ("text", "/status")


async def test_a_pressed_button_gives_its_id_and_is_answered_before_anything_else_happens(
    waypoint: Waypoint, box: Sandbox
) -> None:
    await waypoint.say(await waypoint.meet(), words("Do you agree?"), choices("Yes", "No"))
    await waypoint.settle()
    question = await box.wait(ADA, "Do you agree?")
    await box.press(ADA, question, label="Yes")
    await waypoint.receive()
    inbound = (await waypoint.inbox())[-1].payload
    button = question["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    assert (inbound["kind"], f"c:{inbound['choice']}") == ("choice", button)
    assert inbound["raw"] == {"chat_id": ADA, "message_id": question["message_id"]}
    query = next(iter(box.world.queries.values()))
    await until(lambda: query["answer"] is not None, "an answer to the press")


async def test_a_press_is_stored_though_it_cannot_be_answered(waypoint: Waypoint, box: Sandbox) -> None:
    await waypoint.say(await waypoint.meet(), words("Do you agree?"), choices("Yes"))
    await waypoint.settle()
    await box.post("faults", method="answerCallbackQuery", code=500)
    await box.press(ADA, await box.wait(ADA, "Do you agree?"), label="Yes")
    assert (await last_inbound(waypoint))["kind"] == "choice"


async def test_a_button_that_is_not_ours_is_no_choice(waypoint: Waypoint, box: Sandbox) -> None:
    await waypoint.say(await waypoint.meet(), words("Do you agree?"), choices("Yes"))
    await waypoint.settle()
    before = len(await waypoint.inbox())
    for data in ("claim:1234", "c:", "c:with space"):
        await box.press(ADA, await box.wait(ADA, "Do you agree?"), data=data, force=True)
    await waypoint.receive()
    assert len(await waypoint.inbox()) == before


async def test_a_press_on_a_message_that_is_gone_is_still_a_choice(waypoint: Waypoint, box: Sandbox) -> None:
    await waypoint.say(await waypoint.meet(), words("Do you agree?"), choices("Yes"))
    await waypoint.settle()
    question = await box.wait(ADA, "Do you agree?")
    await box.delete(ADA, question)
    data = question["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    await box.press(ADA, question, data=data, force=True)
    assert (await last_inbound(waypoint))["choice"] == data.removeprefix("c:")


@pytest.mark.parametrize(
    ("kind", "file", "expected"),
    [
        ("photo", upload(PIXEL), {"name": "photo.jpg", "mime": "image/jpeg", "kind": "photo"}),
        ("document", upload(b"%PDF", "../a/re\u202eport.pdf"), {"name": "report.pdf", "mime": "application/pdf"}),
        ("voice", upload(b"OggS"), {"name": "voice.ogg", "mime": "audio/ogg", "kind": "voice"}),
        ("video", upload(b"....", "scan.mp4"), {"name": "scan.mp4", "mime": "video/mp4", "kind": "video"}),
        ("audio", upload(b"ID3", "doctor.mp3"), {"name": "doctor.mp3", "mime": "audio/mpeg", "kind": "audio"}),
    ],
)
async def test_a_file_is_stored_with_its_caption_and_a_clean_name(
    waypoint: Waypoint, box: Sandbox, kind: str, file: dict[str, Any], expected: dict[str, Any]
) -> None:
    message = await box.say(ADA, caption="from the hospital", **{kind: file})
    inbound = await last_inbound(waypoint)
    assert (inbound["kind"], inbound["text"]) == ("file", "from the hospital")
    (stored,) = inbound["files"]
    assert stored == {**stored, **expected}
    assert stored["size"] > 0
    media = message[kind]
    assert stored["telegram_file_id"] == (media[-1] if kind == "photo" else media)["file_id"]


@pytest.mark.parametrize(
    ("kind", "thing", "note"),
    [
        ("sticker", upload(b"RIFF....WEBP"), "sticker"),
        ("location", {"latitude": 39.9, "longitude": 116.4}, "location"),
        ("contact", {"phone_number": "+10000000", "first_name": "Sample"}, "contact"),
        ("animation", upload(b"GIF89a" + bytes(8), "wave.gif"), "other"),
    ],
)
async def test_what_is_neither_words_nor_a_file_is_named(
    waypoint: Waypoint, box: Sandbox, kind: str, thing: dict[str, Any], note: str
) -> None:
    await box.say(ADA, **{kind: thing})
    inbound = await last_inbound(waypoint)
    assert (inbound["kind"], inbound["note"]) == ("other", note)


async def test_an_edit_is_told_with_its_new_words(waypoint: Waypoint, box: Sandbox) -> None:
    message = await box.say(ADA, "I take 5 mg")
    await box.edit(ADA, message, text="I take 50 mg")
    inbound = await last_inbound(waypoint)
    assert (inbound["kind"], inbound["note"], inbound["text"]) == ("other", "edited", "I take 50 mg")
    assert inbound["raw"]["message_id"] == message["message_id"]


def test_what_a_database_or_the_wire_refuses_is_dropped_from_words() -> None:
    assert clean_text("a\ud83db\x00c🙂", 4) == "abc🙂"


async def test_service_messages_are_nobodys_words(waypoint: Waypoint, box: Sandbox) -> None:
    await waypoint.meet()
    before = len(await waypoint.inbox())
    service = await box.say(ADA, "Hello")
    body = {key: value for key, value in service.items() if key not in ("sandbox", "text")}
    box.world.updates.drop()
    box.world.updates.add("message", body | {"message_auto_delete_timer_changed": {"message_auto_delete_time": 9}}, ADA)
    await waypoint.receive()
    assert len(await waypoint.inbox()) == before


async def test_it_remembers_who_blocked_the_bot_until_they_take_it_back(waypoint: Waypoint, box: Sandbox) -> None:
    await waypoint.meet()
    await box.post("blocks", person=ADA, blocked=True)
    await waypoint.receive()
    assert [row.blocked for row in await waypoint.rows(Conversation)] == [True]
    await box.post("blocks", person=ADA, blocked=False)
    await waypoint.receive()
    assert [row.blocked for row in await waypoint.rows(Conversation)] == [False]


async def test_it_speaks_the_language_of_the_app_where_the_guide_has_it(waypoint: Waypoint, box: Sandbox) -> None:
    person = await box.post("people", first_name="Noor (sample)", language_code="en-GB")
    await box.say(person["id"], "Hello")
    await waypoint.receive()
    assert [row.lang for row in await waypoint.rows(Conversation)] == ["en"]


async def test_it_leaves_a_group_that_is_not_the_coordinators_and_says_nothing_there(
    waypoint: Waypoint, box: Sandbox
) -> None:
    group = await box.post("groups", title="A family", members=[ADA])
    await box.say(ADA, "Hello bot", chat=group["id"])
    await waypoint.settle()
    await until(lambda: not box.world.chats[group["id"]].members[box.world.bot.id].inside, "the bot to leave")
    assert await waypoint.inbox() == []
    assert [m for m in await box.messages(group["id"]) if "text" in m and m["sandbox"]["from_bot"]] == []


async def test_it_stays_in_the_coordinators_group(waypoint: Waypoint, box: Sandbox) -> None:
    await box.say(MEI, "Good morning", chat=GROUP_ID)
    await waypoint.settle()
    assert not await box.calls("leaveChat")


async def test_keyboards_have_short_labels_side_by_side_and_long_ones_alone(waypoint: Waypoint, box: Sandbox) -> None:
    given = ("Yes", "No", "Not sure", "I do not know what this is", "Send", "Change something")
    await waypoint.say(await waypoint.meet(), words("Choose"), choices(*given))
    await waypoint.settle()
    assert labels(await box.wait(ADA, "Choose")) == [
        ["Yes", "No", "Not sure"],
        ["I do not know what this is"],
        ["Send", "Change something"],
    ]
