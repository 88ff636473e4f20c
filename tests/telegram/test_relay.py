"""Words and files both ways, as Telegram carries them: kinds, albums, quotes, marks, what cannot be passed on."""

from __future__ import annotations

from typing import Any

import pytest

from bot.casework.copies import ARRIVED, FAILED
from bot.model import Conversation, Relayed
from sandbox.testing import ADA, GROUP_ID, LUIS, MEI, Sandbox
from tests.telegram.conftest import PIXEL, Handed, Waypoint, upload, words

VIDEO = upload(b"fictional video", "walk.mp4")


async def marks(handed: Handed, message: dict[str, Any]) -> list[str]:
    """The bot's reactions to a coordinator's message."""
    box = handed.waypoint.box
    (standing,) = [m for m in await box.messages(GROUP_ID) if m["message_id"] == message["message_id"]]
    given = [r["emoji"] for r in standing["sandbox"]["reactions"] if r["person"] == box.world.bot.id]
    return [emoji for emojis in given for emoji in emojis]


async def received(handed: Handed) -> list[dict[str, Any]]:
    """What stands in the person's chat from the bot."""
    found = await handed.waypoint.box.messages(handed.person)
    return [m for m in found if m["sandbox"]["from_bot"] and not m["sandbox"]["deleted"]]


async def widget_of(waypoint: Waypoint, handed: Handed) -> str:
    """The same person has the website open."""
    other = await waypoint.casework.open_conversation("web", "a" * 32)
    await waypoint.execute("UPDATE conversations SET case_id = ? WHERE id = ?", (await handed.case()).id, other)
    return other


async def only_widget(waypoint: Waypoint, handed: Handed) -> str:
    """The person is at the website alone."""
    other = await widget_of(waypoint, handed)
    (fresh,) = [row.case_id for row in await waypoint.rows(Conversation) if row.id == other]
    elsewhere = await waypoint.casework.open_conversation("web", "b" * 32)
    (spare,) = [row.case_id for row in await waypoint.rows(Conversation) if row.id == elsewhere]
    assert fresh != spare
    await waypoint.execute("UPDATE conversations SET case_id = ? WHERE id = ?", spare, handed.conversation)
    handed.conversation = other
    return other


async def shown(waypoint: Waypoint, conversation: str, role: str = "coordinator") -> list[list[str]]:
    """What the website shows of somebody's messages, a list of texts and file names each."""
    events = await waypoint.casework.events_after(conversation, 0)
    blocks = [event["blocks"] for event in events if event["role"] == role and event["blocks"]]
    return [[block.get("text", block.get("name", "")) for block in each] for each in blocks]


KINDS = [
    ("photo", upload(PIXEL)),
    ("document", upload(b"%PDF-1.4 fictional", "report.pdf")),
    ("video", VIDEO),
    ("video_note", upload(b"fictional round video")),
    ("voice", upload(b"OggS fictional")),
    ("audio", upload(b"ID3 fictional", "song.mp3")),
    ("sticker", {"emoji": "🌷"}),
    ("location", {"latitude": 31.2, "longitude": 121.5}),
    ("contact", {"phone_number": "+1 555 0100", "first_name": "Sam"}),
]


@pytest.mark.parametrize(("kind", "thing"), KINDS)
async def test_what_the_person_sends_comes_to_the_topic_as_it_is(
    waypoint: Waypoint, box: Sandbox, kind: str, thing: dict[str, Any]
) -> None:
    handed = await waypoint.claimed()
    theirs = await box.say(ADA, **{kind: thing})
    await waypoint.settle()
    assert (await handed.messages())[-1][kind] == theirs[kind]


@pytest.mark.parametrize(("kind", "thing"), KINDS)
async def test_what_a_coordinator_sends_comes_to_the_person_under_their_name(
    waypoint: Waypoint, kind: str, thing: dict[str, Any]
) -> None:
    handed = await waypoint.claimed()
    ours = await handed.reply(MEI, await handed.brief(), **{kind: thing})
    await waypoint.settle()
    *before, arrived = await received(handed)
    assert arrived[kind] == ours[kind]
    assert "Mei (sample)" in (arrived.get("caption") or before[-1]["text"])
    assert await marks(handed, ours) == [ARRIVED]


async def test_a_persons_album_is_an_album_in_the_topic(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    for number, kind in enumerate(("photo", "video", "photo")):
        caption = {"caption": "three pages for @mei_desk"} if number == 0 else {}
        await box.say(ADA, media_group="7", **{kind: upload(PIXEL, f"{number}.mp4")}, **caption)
    await waypoint.settle()
    assert not [m for m in await handed.messages() if "media_group_id" in m]  # its parts are waited for
    await waypoint.later(3)
    album = [m for m in await handed.messages() if "media_group_id" in m]
    assert ["photo" in m for m in album] == [True, False, True]
    assert len({m["media_group_id"] for m in album}) == 1
    assert "caption_entities" not in album[0]
    await handed.reply(MEI, album[2], "I see this one.")
    await waypoint.settle()
    answer = (await received(handed))[-1]
    assert answer["text"] == "Mei (sample)\nI see this one."
    sent = [m["message_id"] for m in await box.messages(ADA) if "media_group_id" in m]
    assert answer["reply_to_message"]["message_id"] == sent[2]


async def test_words_after_an_album_come_after_it(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    for _ in range(2):
        await box.say(ADA, media_group="7", photo=upload(PIXEL))
    await box.say(ADA, "Do you see them?")
    await waypoint.settle()
    await waypoint.later(3)
    kinds = ["photo" if "photo" in m else m["text"] for m in (await handed.messages())[-3:]]
    assert kinds == ["photo", "photo", "👤 Do you see them?"]


async def test_a_coordinators_album_is_an_album_for_the_person_with_the_name_above(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    theirs = await box.say(ADA, "Which papers?")
    await waypoint.settle()
    question = await handed.find("Which papers?")
    parts = [
        await handed.reply(MEI, question, media_group="9", document=upload(b"x", f"{n}.pdf"), caption=text)
        for n, text in enumerate(("these <two>", "and this"))
    ]
    await waypoint.settle()
    await waypoint.later(3)
    album = [m for m in await received(handed) if "media_group_id" in m]
    assert [m["document"]["file_name"] for m in album] == ["0.pdf", "1.pdf"]
    assert [m["caption"] for m in album] == ["Mei (sample)\nthese <two>", "and this"]
    assert len({m["media_group_id"] for m in album}) == 1
    assert album[0]["reply_to_message"]["message_id"] == theirs["message_id"]
    assert [await marks(handed, part) for part in parts] == [[ARRIVED], [ARRIVED]]


async def test_all_of_an_album_goes_to_the_person_when_its_first_part_is_for_them(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    await handed.write(MEI, media_group="9", photo=upload(PIXEL), caption="/say look")
    await handed.write(MEI, media_group="9", photo=upload(PIXEL))
    await handed.write(LUIS, media_group="9", photo=upload(PIXEL))
    await waypoint.settle()
    await waypoint.later(3)
    assert [m.get("caption") for m in await received(handed) if "photo" in m] == ["Mei (sample)\nlook", None]


async def test_an_album_that_nobody_addressed_to_the_person_stays_in_the_topic(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    for _ in range(2):
        await handed.write(MEI, media_group="9", photo=upload(PIXEL), caption="for the team")
    await waypoint.settle()
    await waypoint.later(3)
    assert not [m for m in await received(handed) if "photo" in m]


async def test_an_album_of_which_one_part_came_is_one_picture(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    await box.say(ADA, media_group="7", photo=upload(PIXEL), caption="alone")
    await waypoint.settle()
    await waypoint.later(3)
    (copy,) = [m for m in await handed.messages() if "photo" in m]
    assert copy["caption"] == "alone"
    assert "media_group_id" not in copy


async def test_a_reply_is_quoted_on_the_other_side_both_ways(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    question = await box.say(ADA, "May I eat before the scan?")
    await box.say(ADA, "And drink?")
    await waypoint.settle()
    ours = await handed.reply(MEI, await handed.find("eat before"), "Please ask the ward.")
    await waypoint.settle()
    answer = (await received(handed))[-1]
    assert answer["reply_to_message"]["message_id"] == question["message_id"]
    await box.say(ADA, "I will.", reply_to=answer["message_id"])
    await waypoint.settle()
    assert (await handed.find("I will."))["reply_to_message"]["message_id"] == ours["message_id"]
    await box.say(ADA, "This one.", reply_to=question["message_id"])
    await waypoint.settle()
    original = await handed.find("eat before")
    assert (await handed.find("This one."))["reply_to_message"]["message_id"] == original["message_id"]


async def test_what_a_person_answers_and_the_topic_does_not_have_is_quoted_in_words(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    await waypoint.say(handed.conversation, words("Is a treatment date set?"))
    await waypoint.settle()
    await box.say(ADA, "yes", reply_to=(await received(handed))[-1]["message_id"])
    await waypoint.settle()
    said = waypoint.casework.words("desk.person_said", text="yes")
    expected = waypoint.casework.words("desk.person_answers", quoted="Is a treatment date set?", text=said)
    assert (await handed.texts())[-1] == expected


async def test_an_answer_to_a_message_that_the_person_deleted_comes_without_the_quote(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    question = await box.say(ADA, "May I eat?")
    await waypoint.settle()
    copy = await handed.find("May I eat?")
    await box.delete(ADA, question)
    await handed.reply(MEI, copy, "Please ask the ward.")
    await waypoint.settle()
    answer = (await received(handed))[-1]
    assert answer["text"] == "Mei (sample)\nPlease ask the ward."
    assert "reply_to_message" not in answer


async def test_the_widget_shows_what_was_answered_above_the_answer(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    conversation = await widget_of(waypoint, handed)
    await box.say(ADA, "May I eat\nbefore the scan? " + "x" * 200)
    await waypoint.settle()
    copy = await handed.find("May I eat")
    await handed.reply(MEI, copy, "Please ask the ward.")
    await handed.reply(MEI, copy, "And drink water.", quote="before the scan?")
    await handed.reply(MEI, await handed.brief(), "Hello.")
    await waypoint.settle()
    long, part, none = await shown(waypoint, conversation)
    assert long[0].startswith("In reply to: “May I eat before the scan? xxx")
    assert len(long[0]) < 150
    assert long[1] == "Please ask the ward."
    assert part == ["In reply to: “before the scan?”", "And drink water."]
    assert none == ["Hello."]


@pytest.mark.parametrize(
    ("kind", "thing", "text"),
    [
        ("location", {"latitude": 31.2, "longitude": 121.5}, "A place, by its coordinates: 31.20000, 121.50000"),
        (
            "venue",
            {"latitude": 31.2, "longitude": 121.5, "title": "Desk", "address": "1 Sample Road"},
            "A place: Desk, 1 Sample Road. Its coordinates: 31.20000, 121.50000",
        ),
        ("contact", {"phone_number": "+1 555 0100", "first_name": "Sam"}, "A contact: Sam, +1 555 0100"),
        ("sticker", {"emoji": "🌷"}, "A sticker: 🌷"),
    ],
)
async def test_what_the_widget_cannot_show_is_said_in_words(
    waypoint: Waypoint, kind: str, thing: dict[str, Any], text: str
) -> None:
    handed = await waypoint.claimed()
    conversation = await only_widget(waypoint, handed)
    ours = await handed.reply(MEI, await handed.brief(), **{kind: thing})
    await waypoint.settle()
    assert await shown(waypoint, conversation) == [[text]]
    assert await marks(handed, ours) == [ARRIVED]


async def test_a_file_for_the_widget_is_marked_once_it_was_fetched(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    conversation = await only_widget(waypoint, handed)
    await box.post("faults", method="getFile", times=1, code=500)
    ours = await handed.reply(MEI, await handed.brief(), voice=upload(b"OggS fictional"), caption="listen")
    await waypoint.settle()
    assert await marks(handed, ours) == []
    await waypoint.later(2)
    assert await marks(handed, ours) == [ARRIVED]
    assert await shown(waypoint, conversation) == [["voice.ogg", "listen"]]


async def test_a_file_too_big_for_the_widget_comes_with_its_words_and_the_coordinator_is_told_what_to_do(
    waypoint: Waypoint,
) -> None:
    handed = await waypoint.claimed()
    conversation = await only_widget(waypoint, handed)
    big = {"name": "scan.zip", "size": 21 * 1024 * 1024}
    ours = await handed.reply(MEI, await handed.brief(), document=big, caption="Your scan.")
    await waypoint.settle()
    assert await shown(waypoint, conversation) == [["Your scan."]]
    assert await marks(handed, ours) == [FAILED]
    told = (await handed.messages())[-1]
    assert waypoint.casework.words("desk.advise.too_big", limit="20 MB") in told["text"]
    assert told["reply_to_message"]["message_id"] == ours["message_id"]


async def test_a_file_that_cannot_be_fetched_goes_from_the_widget_and_its_words_stay(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    conversation = await only_widget(waypoint, handed)
    await box.post("faults", method="getFile", code=400, description="Bad Request: file is too big")
    ours = await handed.reply(MEI, await handed.brief(), document=upload(b"x", "scan.zip"), caption="Your scan.")
    await waypoint.settle()
    assert await shown(waypoint, conversation) == [["Your scan."]]
    (notice,) = await shown(waypoint, conversation, "system")
    assert notice[0] == "The file scan.zip could not be passed on to you, sorry. The coordinator has been told."
    assert await marks(handed, ours) == [FAILED]


async def test_what_did_not_arrive_is_marked_and_answered_with_why_and_what_to_do(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    await box.post("blocks", person=ADA, blocked=True)
    ours = await handed.write(MEI, "/say Are you well?")
    await waypoint.settle()
    assert await marks(handed, ours) == [FAILED]
    told = (await handed.messages())[-1]
    assert waypoint.casework.words("desk.advise.blocked") in told["text"]
    assert waypoint.casework.words("desk.advise.elsewhere") not in told["text"]
    assert told["reply_to_message"]["message_id"] == ours["message_id"]


async def test_words_that_reached_one_chat_of_two_are_marked_as_failed_and_it_is_said_where_they_arrived(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    await widget_of(waypoint, handed)
    await box.post("blocks", person=ADA, blocked=True)
    ours = await handed.write(MEI, "/say Are you well?")
    await waypoint.settle()
    assert await marks(handed, ours) == [FAILED]
    assert waypoint.casework.words("desk.advise.elsewhere") in (await handed.texts())[-1]


async def test_words_that_wait_are_marked_only_when_they_arrive(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    await box.post("faults", method="sendMessage", chat=ADA, code=500)
    ours = await handed.write(MEI, "/say Hello.")
    await waypoint.settle()
    assert await marks(handed, ours) == []
    await waypoint.later(2)
    assert await marks(handed, ours) == [ARRIVED]


async def test_a_mark_costs_the_group_no_message(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    before = len(await handed.messages())
    await handed.write(MEI, "/say Hello.")
    await waypoint.settle()
    assert len(await handed.messages()) == before + 1  # the coordinator's own
    assert len(await box.calls("setMessageReaction")) == 1


async def test_a_group_that_allows_no_reactions_has_no_marks_and_loses_nothing(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    refusal = "Bad Request: REACTION_INVALID"
    await box.post("faults", method="setMessageReaction", code=400, description=refusal)
    await handed.write(MEI, "/say Hello.")
    await waypoint.settle()
    assert (await handed.heard())[-1] == "Mei (sample)\nHello."
    assert {row.state for row in await waypoint.outbox()} == {"sent"}


async def test_notes_have_no_mark(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    note = await handed.write(MEI, "she sounds tired")
    await waypoint.settle()
    assert await marks(handed, note) == []


async def test_the_coordinators_know_of_something_that_telegram_does_not_let_pass(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    theirs = await box.say(ADA, photo=upload(PIXEL))
    await waypoint.receive()
    await box.delete(ADA, theirs)
    await waypoint.settle()
    assert (await handed.texts())[-1] == waypoint.casework.words("desk.person_sent_other")
    await handed.reply(MEI, (await handed.messages())[-1], "Could you send it again?")
    await waypoint.settle()
    assert (await handed.heard())[-1] == "Mei (sample)\nCould you send it again?"


async def test_an_album_of_which_telegram_lets_nothing_pass_is_told_once(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    for _ in range(3):
        await box.say(ADA, media_group="7", photo=upload(PIXEL))
    await box.post("faults", method="sendMediaGroup", code=400, description="Bad Request: wrong file identifier")
    await waypoint.settle()
    await waypoint.later(3)
    assert (await handed.texts()).count(waypoint.casework.words("desk.person_sent_other")) == 1


async def test_an_album_comes_to_the_new_topic_when_somebody_deleted_the_old(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    for _ in range(2):
        await box.say(ADA, media_group="7", photo=upload(PIXEL))
    await waypoint.settle()
    await box.post("topics/delete", **{"from": MEI, "chat": GROUP_ID, "thread": await handed.thread()})
    await waypoint.later(3)
    assert len([m for m in await handed.messages() if "media_group_id" in m]) == 2


async def test_an_album_comes_to_a_topic_that_was_closed_by_hand(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    refusal = {"method": "sendMediaGroup", "code": 400, "description": "Bad Request: TOPIC_CLOSED"}
    await box.post("topics/close", **{"from": MEI, "chat": GROUP_ID, "thread": await handed.thread()})
    await box.post("faults", **refusal)
    for _ in range(2):
        await box.say(ADA, media_group="7", photo=upload(PIXEL))
    await waypoint.settle()
    await waypoint.later(3)
    assert len([m for m in await handed.messages() if "media_group_id" in m]) == 2
    assert not box.world.chats[GROUP_ID].topics[await handed.thread()].closed


async def test_words_of_both_sides_survive_the_upgrade_of_the_group_while_they_wait(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    old = await handed.write(MEI, "/say Before.")
    await waypoint.settle()
    await box.say(ADA, "While it moves.", reply_to=(await received(handed))[-1]["message_id"])
    await waypoint.receive()
    moved = await box.post("migrate", chat=GROUP_ID)
    await waypoint.settle()
    texts = await handed.texts(moved["id"])
    assert waypoint.casework.words("desk.person_said", text="While it moves.") in texts
    assert old["message_id"] in [row.desk_message_id for row in await waypoint.rows(Relayed)]


async def test_quotes_outlive_a_restart(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    question = await box.say(ADA, "May I eat?")
    await waypoint.settle()
    waypoint.start()
    await handed.reply(MEI, await handed.find("May I eat?"), "Please ask.")
    await waypoint.settle()
    assert (await received(handed))[-1]["reply_to_message"]["message_id"] == question["message_id"]


async def test_words_that_had_to_wait_come_as_one_message_in_order(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    waypoint.sender._budget.close(50)  # less than what makes words late
    before = len(await handed.texts())
    for number in range(3):
        await box.say(ADA, f"Word {number}.")
        await waypoint.settle()
    assert len(await handed.texts()) == before
    await waypoint.later(51)
    (post,) = (await handed.texts())[before:]
    said = [waypoint.casework.words("desk.person_said", text=f"Word {number}.") for number in range(3)]
    assert post == "\n".join(said)
    await handed.reply(MEI, await handed.find("Word 2."), "All three.")
    await waypoint.settle()
    assert (await handed.heard())[-1] == "Mei (sample)\nAll three."


async def test_a_file_between_words_keeps_its_place(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    waypoint.sender._budget.close(50)
    before = len(await handed.messages())
    await box.say(ADA, "Before.")
    await box.say(ADA, document=upload(b"a letter", "letter.pdf"))
    await box.say(ADA, "After.")
    await waypoint.settle()
    await waypoint.later(51)
    kinds = ["document" if "document" in m else m["text"] for m in (await handed.messages())[before:]]
    assert [kind.removeprefix("👤 ") for kind in kinds] == ["Before.", "document", "After."]


async def test_many_words_that_had_to_wait_are_as_many_messages_as_telegram_needs(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    waypoint.sender._budget.close(60)
    before = len(await handed.texts())
    for letter in "abc":
        await box.say(ADA, letter * 1_400)
    await waypoint.settle()
    await waypoint.later(61)
    posts = (await handed.texts())[before:]
    assert len(posts) == 2
    assert [letter for post in posts for letter in "abc" if letter * 1_400 in post] == ["a", "b", "c"]
