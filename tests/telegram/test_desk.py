"""The coordinators' side: claim, reply, note, files both ways."""

from __future__ import annotations

from typing import Any

import pytest

from bot.channels import web_files
from bot.model import Conversation, File
from sandbox.testing import ADA, BEN, GROUP_ID, LUIS, MEI, Sandbox
from tests.telegram.conftest import PIXEL, Waypoint, labels, until, upload, words


async def test_of_two_coordinators_one_gets_the_case_and_the_other_is_told_who(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.hand_off()
    brief = await handed.brief()
    claim = waypoint.casework.words("desk.button.claim")
    for who in (MEI, LUIS):
        await box.press(who, brief, label=claim)
    await waypoint.settle()
    case = await handed.case()
    assert (case.state, case.holder_id, case.holder_name) == ("claimed", MEI, "Mei (sample)")
    answers = [query["answer"]["text"] for query in box.world.queries.values()]
    assert answers == [
        waypoint.casework.words("desk.claimed_by", name="Mei (sample)"),
        waypoint.casework.words("desk.already_claimed", name="Mei (sample)"),
    ]


async def test_a_claim_shows_in_the_brief_and_to_the_person(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    brief = await handed.brief()
    assert "Mei (sample)" in brief["text"]
    assert labels(brief) == [[waypoint.casework.words(f"desk.button.{act}") for act in ("close", "release")]]
    assert waypoint.casework.words("human.joined", name="Mei (sample)") in await handed.heard()


async def test_a_persons_words_come_to_the_topic_while_a_human_holds_the_case(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    await box.say(ADA, "I am <afraid> & tired")
    await waypoint.settle()
    assert waypoint.casework.words("desk.person_said", text="I am <afraid> & tired") in await handed.texts()


async def test_a_reply_to_a_persons_words_reaches_the_person_with_the_coordinators_name(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    await box.say(ADA, "Are you there?")
    await waypoint.settle()
    await handed.reply(LUIS, await handed.find("Are you there?"), "Yes, I am.")
    await waypoint.settle()
    assert (await handed.heard())[-1] == "Luis (sample)\nYes, I am."


async def test_a_reply_to_the_brief_reaches_the_person(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    await handed.reply(MEI, await handed.brief(), "Hello Ada.")
    await waypoint.settle()
    assert (await handed.heard())[-1] == "Mei (sample)\nHello Ada."


async def test_a_plain_message_of_the_topic_stays_there(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    before = await handed.heard()
    await handed.write(LUIS, "The family sounds tired.")  # Telegram calls it a reply to the topic's creation
    await waypoint.settle()
    assert await handed.heard() == before


async def test_a_reply_to_the_topics_creation_alone_is_no_reply(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    await handed.write(LUIS, "A note.")
    await handed.reply(LUIS, await handed.brief(), "A reply.")
    await waypoint.receive()
    note, reply = [row.payload["reply_to"] for row in (await waypoint.inbox())[-2:]]
    assert (note, reply) == (0, (await handed.brief())["message_id"])


async def test_a_reply_to_a_colleague_stays_in_the_topic(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    before = await handed.heard()
    note = await handed.write(LUIS, "Should I call?")
    await handed.reply(MEI, note, "Not yet.")
    await waypoint.settle()
    assert await handed.heard() == before


async def test_words_of_general_and_of_other_topics_go_nowhere(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    before = await handed.heard()
    await box.say(MEI, "/say hello", chat=GROUP_ID)
    other = await box.post("topics/create", **{"from": MEI, "chat": GROUP_ID, "name": "Tea"})
    await box.say(MEI, "/say hello", chat=GROUP_ID, thread=other["id"])
    await waypoint.settle()
    assert await handed.heard() == before


async def test_say_and_close_are_commands_with_and_without_the_bots_name(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    await handed.write(MEI, "/say One.")
    await handed.write(MEI, "/close@waypoint_sandbox_bot helped")
    await waypoint.settle()
    assert "Mei (sample)\nOne." in await handed.heard()
    assert (await handed.case()).state == "closed"
    assert waypoint.casework.words("human.closed", name="Mei (sample)") in await handed.heard()


async def test_a_closed_case_has_a_closed_topic(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    await box.press(MEI, await handed.brief(), label=waypoint.casework.words("desk.button.close"))
    await waypoint.settle()
    asked = await handed.find(waypoint.casework.words("desk.close_why"))
    await box.press(MEI, asked, label=waypoint.casework.words("desk.closed_for.helped"))
    await waypoint.settle()
    assert labels(await handed.find(asked["text"])) == []
    assert labels(await handed.brief()) == [[waypoint.casework.words("desk.button.reopen")]]
    assert box.world.chats[GROUP_ID].topics[await handed.thread()].closed


async def test_a_press_on_a_card_of_an_erased_case_is_answered(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.hand_off()
    await box.press(MEI, await handed.brief(), data="claim:" + "0" * 32, force=True)
    await waypoint.settle()
    (query,) = box.world.queries.values()
    assert query["answer"]["text"] == waypoint.casework.words("desk.gone")


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("photo", upload(PIXEL)),
        ("document", upload(b"%PDF-1.4 fictional", "report.pdf")),
        ("voice", upload(b"OggS fictional")),
    ],
)
async def test_photos_documents_and_voice_pass_both_ways(
    waypoint: Waypoint, box: Sandbox, kind: str, file: dict[str, Any]
) -> None:
    handed = await waypoint.claimed()
    theirs = await box.say(ADA, caption="from home", **{kind: file})
    await waypoint.settle()
    copy = (await handed.messages())[-1]
    assert (copy["caption"], file_id(copy, kind)) == ("from home", file_id(theirs, kind))
    ours = await handed.reply(MEI, copy, caption="for you", **{kind: file})
    await waypoint.settle()
    arrived = [m for m in await box.messages(ADA) if m["sandbox"]["from_bot"]][-1]
    assert (arrived["caption"], file_id(arrived, kind)) == ("Mei (sample)\nfor you", file_id(ours, kind))


async def test_a_caption_calls_no_coordinator(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    await box.say(ADA, photo=upload(PIXEL), caption="for @mei_desk <3")
    await waypoint.settle()
    copy = (await handed.messages())[-1]
    assert copy["caption"].replace("\u2060", "") == "for @mei_desk <3"
    assert "caption_entities" not in copy


async def test_an_edit_comes_to_the_topic_marked_as_one_and_can_be_replied_to(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    message = await box.say(ADA, "I take 5 mg")
    await box.edit(ADA, message, text="I take 50 mg")
    await waypoint.settle()
    changed = waypoint.casework.words("desk.person_edited", before="I take 5 mg", after="I take 50 mg")
    assert [text for text in await handed.texts() if "mg" in text] == ["👤 I take 5 mg", changed]
    await handed.reply(MEI, (await handed.messages())[-1], "Thank you.")
    await waypoint.settle()
    assert (await handed.heard())[-1] == "Mei (sample)\nThank you."


def file_id(message: dict[str, Any], kind: str) -> str:
    media = message[kind]
    return str((media[-1] if isinstance(media, list) else media)["file_id"])


async def test_files_sent_before_the_hand_off_come_to_the_topic_by_telegrams_id(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.hand_off()
    sent = await box.say(ADA, photo=upload(PIXEL))
    box.world.updates.drop()
    payload = {"file": file_id(sent, "photo"), "path": "", "name": "photo.jpg", "kind": "photo", "mark": "person"}
    await waypoint.enqueue(
        handed.conversation, "topic.file", payload, f"topic:{(await handed.case()).id}", in_group=True
    )
    await waypoint.settle()
    arrived = (await handed.messages())[-1]
    assert file_id(arrived, "photo") == file_id(sent, "photo")
    await handed.reply(MEI, arrived, "I see it.")
    await waypoint.settle()
    assert (await handed.heard())[-1] == "Mei (sample)\nI see it."


async def test_files_of_the_website_come_to_the_topic_unchanged_under_their_name(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.hand_off()
    (waypoint.settings.files_dir / "abc").write_bytes(PIXEL)
    lane = f"topic:{(await handed.case()).id}"
    for path in ("abc", "../waypoint.db"):
        payload = {"file": "", "path": path, "name": "scan.png", "kind": "photo", "mark": "person"}
        await waypoint.enqueue(handed.conversation, "topic.file", payload, lane, in_group=True)
    await waypoint.settle()
    (arrived,) = [m for m in await handed.messages() if "document" in m]
    assert arrived["document"]["file_name"] == "scan.png"
    assert await waypoint.bot.get_file(arrived["document"]["file_id"])
    assert [row.error for row in await waypoint.outbox() if row.state == "failed"] == [
        "the file is not in the files folder"
    ]


async def test_a_coordinators_file_is_fetched_for_the_widget(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    conversation = await widget_of(waypoint, handed.conversation)
    content = b"%PDF-1.4 fictional"
    await handed.reply(MEI, await handed.brief(), document=upload(content, "plan.pdf"))
    await waypoint.settle()
    (file,) = await waypoint.rows(File)
    assert content not in (waypoint.settings.files_dir / file.path).read_bytes()
    assert web_files.content(waypoint.settings.files_dir / file.path, file.key) == content
    (event,) = [e for e in await waypoint.casework.events_after(conversation, 0) if e["role"] == "coordinator"]
    assert event["name"] == "Mei (sample)"
    assert event["blocks"][0]["url"] == f"/api/files/{file.id}"


async def test_a_file_too_big_for_the_widget_is_told_in_the_topic(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    await widget_of(waypoint, handed.conversation)
    await handed.reply(MEI, await handed.brief(), document={"name": "scan.zip", "size": 21 * 1024 * 1024})
    await waypoint.settle()
    told = waypoint.casework.words("desk.not_delivered", reason="\0").partition("\0")[0]
    assert any(told in text for text in await handed.texts())


async def widget_of(waypoint: Waypoint, conversation: str) -> str:
    """The person of a Telegram conversation has a widget open as well."""
    other = await waypoint.casework.open_conversation("web", "a" * 32)
    case = await waypoint.case(conversation)
    await waypoint.execute("UPDATE conversations SET case_id = ? WHERE id = ?", case.id, other)
    return other


async def test_words_for_a_person_who_blocked_the_bot_are_told_as_not_delivered(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    await box.post("blocks", person=ADA, blocked=True)
    box.world.updates.drop()  # it learns of it only when it writes
    await handed.write(MEI, "/say Are you well?")
    await waypoint.settle()
    reason = "Forbidden: bot was blocked by the user"
    told = (await handed.texts())[-1]
    assert waypoint.casework.words("desk.not_delivered", reason=reason) in told
    assert waypoint.casework.words("desk.advise.blocked") in told
    assert [row.blocked for row in await waypoint.rows(Conversation)] == [True]


async def test_the_assistants_own_words_that_fail_disturb_nobody(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    before = await handed.texts()
    await box.post("blocks", person=ADA, blocked=True)
    await waypoint.say(handed.conversation, words("Hello."))
    await waypoint.settle()
    assert await handed.texts() == before


async def test_an_anonymous_administrator_is_a_coordinator_and_a_bot_is_none(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    message = await handed.reply(MEI, await handed.brief(), "Hello from the team.")
    box.world.updates.drop()
    plain = {key: value for key, value in message.items() if key != "sandbox"}
    group_bot = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    anonymous = plain | {"from": group_bot, "sender_chat": message["chat"], "author_signature": "Desk"}
    box.world.updates.add("message", anonymous, GROUP_ID)
    box.world.updates.add("message", plain | {"from": group_bot, "text": "I am a bot."}, GROUP_ID)
    await waypoint.settle()
    assert (await handed.heard())[-1] == "Desk\nHello from the team."


async def test_people_do_not_reach_each_others_topics(waypoint: Waypoint, box: Sandbox) -> None:
    ada, ben = await waypoint.claimed(ADA), await waypoint.claimed(BEN)
    await ben.reply(MEI, await ada.brief(), "For Ada alone.")
    await waypoint.settle()
    assert "Mei (sample)\nFor Ada alone." in await ada.heard()
    assert not any("For Ada alone." in text for text in await ben.heard())


async def test_the_press_of_a_coordinator_is_answered_once_it_is_decided(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.hand_off()
    await box.press(MEI, await handed.brief(), label=waypoint.casework.words("desk.button.claim"))
    await waypoint.receive()
    (query,) = box.world.queries.values()
    assert query["answer"] is None
    await waypoint.settle()
    await until(lambda: query["answer"] is not None, "an answer")
