"""Topics: opened once, found again when they are gone, reopened when they are closed."""

from __future__ import annotations

from dataclasses import replace

from bot.casework.outbound import LAST_ATTEMPT
from bot.model import Outbox
from bot.progress import Progress, Question
from sandbox.testing import ADA, GROUP_ID, LUIS, MEI, Sandbox
from tests.telegram.conftest import Handed, Waypoint, labels


async def titles(box: Sandbox, chat: int = GROUP_ID) -> list[str]:
    found = await box.get(f"chats/{chat}/topics")
    return [topic["name"] for topic in found if topic["name"] != "General" and not topic["deleted"]]


async def test_a_topic_is_made_once_and_its_title_is_the_code_alone(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.hand_off()
    await waypoint.post(handed.conversation, "More.")
    await waypoint.settle()
    assert await titles(box) == [handed.code]
    assert len(await box.calls("createForumTopic")) == 1


async def test_the_brief_stands_first_pinned_with_its_button(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.hand_off()
    first = (await handed.messages())[0]
    assert first["message_id"] == (await handed.case()).brief_message_id
    assert first["sandbox"]["pinned"]
    assert handed.code in first["text"]
    assert labels(first) == [[waypoint.casework.words("desk.button.claim")]]


async def test_a_topic_that_was_made_is_not_made_again_when_its_brief_fails(waypoint: Waypoint, box: Sandbox) -> None:
    await box.post("faults", method="sendMessage", chat=GROUP_ID)
    handed = await waypoint.hand_off()
    assert (await handed.case()).brief_message_id is None
    await waypoint.later(2)
    assert (await handed.brief())["sandbox"]["pinned"]
    assert await titles(box) == [handed.code]


async def test_a_brief_that_cannot_be_pinned_is_no_reason_to_stop(waypoint: Waypoint, box: Sandbox) -> None:
    await box.post("faults", method="pinChatMessage", code=400, description="Bad Request: not enough rights")
    handed = await waypoint.hand_off()
    assert not (await handed.brief())["sandbox"]["pinned"]
    assert {row.state for row in await waypoint.outbox()} == {"sent"}


async def test_the_brief_is_edited_in_place(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.hand_off()
    before = (await handed.brief())["message_id"]
    await box.press(MEI, await handed.brief(), label=waypoint.casework.words("desk.button.claim"))
    await waypoint.settle()
    brief = await handed.brief()
    assert brief["message_id"] == before
    assert "Mei (sample)" in brief["text"]


async def test_a_brief_that_somebody_deleted_is_posted_anew(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.hand_off()
    old = await handed.brief()
    await box.delete(MEI, old)
    await refresh(waypoint, handed)
    brief = await handed.brief()
    assert brief["message_id"] != old["message_id"]
    assert brief["sandbox"]["pinned"]
    assert await titles(box) == [handed.code]


async def refresh(waypoint: Waypoint, handed: Handed) -> None:
    async with waypoint.casework.transaction() as session:
        await waypoint.casework.refresh_card(session, await handed.case())
    await waypoint.settle()


async def test_words_for_a_topic_that_somebody_deleted_open_a_new_one_with_all_that_was_said(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    await box.say(ADA, "First.")
    await waypoint.settle()
    await handed.write(MEI, "/say I read it.")
    await waypoint.settle()
    old = await handed.thread()
    await box.post("topics/delete", **{"from": MEI, "chat": GROUP_ID, "thread": old})
    await box.say(ADA, "Second.")
    await waypoint.settle()
    assert await handed.thread() != old
    assert await titles(box) == [handed.code]
    brief, second, transcript = await handed.texts()
    assert handed.code in brief
    assert second == waypoint.casework.words("desk.person_said", text="Second.")
    assert all(words in transcript for words in ("First.", "Mei (sample): I read it.", "Second."))
    await handed.reply(MEI, await handed.find("👤 Second."), "I am still here.")
    await waypoint.settle()
    assert (await handed.heard())[-1] == "Mei (sample)\nI am still here."


async def test_a_long_transcript_comes_as_one_file(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    for number in range(3):
        await box.say(ADA, f"{number}" + " words" * 500)
    await waypoint.settle()
    await box.post("topics/delete", **{"from": MEI, "chat": GROUP_ID, "thread": await handed.thread()})
    await waypoint.post(handed.conversation, "A note.")
    await waypoint.settle()
    await waypoint.later(60)
    (document,) = [message for message in await handed.messages() if "document" in message]
    assert document["document"]["file_name"] == "transcript.txt"


async def test_a_deleted_topic_is_found_out_when_the_brief_changes(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.hand_off()
    old = await handed.thread()
    await box.post("topics/delete", **{"from": MEI, "chat": GROUP_ID, "thread": old})
    await refresh(waypoint, handed)
    assert await handed.thread() != old
    assert handed.code in (await handed.brief())["text"]


async def test_closing_a_deleted_topic_opens_none(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.hand_off()
    await box.post("topics/delete", **{"from": MEI, "chat": GROUP_ID, "thread": await handed.thread()})
    await waypoint.enqueue(handed.conversation, "topic.close", {}, f"topic:{(await handed.case()).id}", in_group=True)
    await waypoint.settle()
    assert await titles(box) == []


async def test_a_topic_that_was_closed_by_hand_is_open_again_while_its_case_is(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    thread = await handed.thread()
    heard = await handed.heard()
    await box.post("topics/close", **{"from": MEI, "chat": GROUP_ID, "thread": thread})
    await waypoint.settle()
    assert not box.world.chats[GROUP_ID].topics[thread].closed
    assert (await handed.texts())[-1] == waypoint.casework.words("desk.topic_reopened")
    assert await handed.heard() == heard


async def test_the_topic_of_a_closed_case_stays_as_somebody_leaves_it(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    thread = await handed.thread()
    await handed.write(MEI, "/close helped")
    await waypoint.settle()
    said = await handed.texts()
    for verb in ("reopen", "close"):
        await box.post(f"topics/{verb}", **{"from": MEI, "chat": GROUP_ID, "thread": thread})
        await waypoint.settle()
    assert box.world.chats[GROUP_ID].topics[thread].closed
    assert await handed.texts() == said


async def test_a_topic_that_was_closed_by_hand_is_reopened_for_words_that_wait(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    thread = await handed.thread()
    await box.post("topics/close", **{"from": MEI, "chat": GROUP_ID, "thread": thread})
    # An administrator may write into closed topics; a bot that may only open them is refused.
    await box.post("faults", method="sendMessage", chat=GROUP_ID, code=400, description="Bad Request: TOPIC_CLOSED")
    await box.say(ADA, "Hello?")
    await waypoint.settle()
    assert not box.world.chats[GROUP_ID].topics[thread].closed
    # The hint that it is open again may come before the words or after them.
    assert (await handed.texts()).count(waypoint.casework.words("desk.person_said", text="Hello?")) == 1


async def test_a_case_handed_over_again_gets_its_topic_back(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    thread = await handed.thread()
    await handed.write(MEI, "/close helped")
    await waypoint.settle()
    again = await waypoint.hand_off()
    assert await again.thread() == thread
    assert not box.world.chats[GROUP_ID].topics[thread].closed
    assert labels(await again.brief()) == [[waypoint.casework.words("desk.button.claim")]]


async def test_a_persons_words_call_no_coordinator_and_are_no_command(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    await box.say(ADA, "please @mei_desk do /close it and read https://x.example/y")
    await waypoint.settle()
    posted = (await handed.messages())[-1]
    assert {entity["type"] for entity in posted.get("entities", [])} == {"url"}
    assert posted["text"].replace("\u2060", "").endswith("please @mei_desk do /close it and read https://x.example/y")


async def test_the_briefs_own_commands_can_be_touched(waypoint: Waypoint) -> None:
    brief = await (await waypoint.hand_off()).brief()
    assert [e["type"] for e in brief["entities"] if e["type"] == "bot_command"] == [
        "bot_command"
    ] * 3  # /say, /undo, /close


async def test_long_words_of_the_website_come_in_parts_that_can_all_be_replied_to(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    before = len(await handed.messages())
    await waypoint.post(handed.conversation, "words " * 1500, mark="person")
    await waypoint.settle()
    new = (await handed.messages())[before:]
    assert len(new) == 3
    await handed.reply(LUIS, new[1], "I read the middle.")
    await waypoint.settle()
    assert (await handed.heard())[-1] == "Luis (sample)\nI read the middle."


async def test_a_long_brief_comes_in_parts_with_the_button_under_the_first_which_is_edited(
    waypoint: Waypoint, box: Sandbox
) -> None:
    progress = Progress()
    for number in range(12):
        progress.add_question(Question(text=f"{number}" + " words" * 80))
    conversation = await waypoint.meet()
    await waypoint.change_cases(progress=progress.model_dump_json())
    async with waypoint.casework.transaction() as session:
        case = await waypoint.case(conversation)
        await waypoint.casework.open_topic(session, case)
    await waypoint.settle()
    handed = Handed(waypoint, ADA, conversation, case)
    await waypoint.execute("UPDATE cases SET state = 'waiting'")
    await refresh(waypoint, handed)
    first, second = await handed.messages()
    assert (labels(first), labels(second)) == ([[waypoint.casework.words("desk.button.claim")]], [])
    assert second["text"].endswith(waypoint.casework.words("desk.how_to_reply"))
    await handed.reply(MEI, second, "I have read all of it.")
    await waypoint.settle()
    assert (await handed.heard())[-1] == "Mei (sample)\nI have read all of it."


async def test_a_group_that_moved_is_followed_when_telegram_tells(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    new = await box.post("migrate", chat=GROUP_ID)
    await waypoint.settle()
    assert not await box.calls("leaveChat")
    await box.say(ADA, "Are you still there?")
    await waypoint.settle()
    assert await titles(box, new["id"]) == [handed.code]
    (posted,) = [m for m in await handed.messages(new["id"]) if m["text"].startswith("👤")]
    await box.say(MEI, "Yes.", chat=new["id"], reply_to=posted["message_id"])
    await waypoint.settle()
    assert (await handed.heard())[-1] == "Mei (sample)\nYes."


async def test_a_group_that_moved_is_not_left_when_telegram_tells_it_again(waypoint: Waypoint, box: Sandbox) -> None:
    await box.post("migrate", chat=GROUP_ID)
    await waypoint.poller.run_once(timeout=0)
    waypoint.start()  # killed before it could confirm
    await waypoint.settle()
    await box.say(ADA, "Hello")  # whatever was begun beside storing is over once this has its answer
    await waypoint.settle()
    assert not await box.calls("leaveChat")


async def test_a_group_that_moved_is_followed_when_a_send_finds_out(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.hand_off()
    new = await box.post("migrate", chat=GROUP_ID)
    box.world.updates.drop()
    await waypoint.post(handed.conversation, "A note.")
    await waypoint.settle()
    waypoint.start()  # remembered over a restart
    await waypoint.post(handed.conversation, "Another.")
    await waypoint.settle()
    assert [text for text in await handed.texts(new["id"]) if "nother" in text or "note" in text] == [
        "A note.",
        "Another.",
    ]


async def test_words_wait_while_the_bot_is_out_of_the_group_and_are_never_given_up(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    await waypoint.later(60)  # the board is up to date
    await box.post("members", chat=GROUP_ID, person="bot", status="kicked", by=MEI)
    await waypoint.post(handed.conversation, "A note.")
    for _ in range(LAST_ATTEMPT + 1):
        waypoint.clock.advance(300)
        assert await waypoint.dispatcher.run_once() == 1
    assert (await waypoint.outbox())[-1].state == "due"
    await box.post("members", chat=GROUP_ID, person="bot", status="administrator", by=MEI)
    await waypoint.later(300)
    assert (await handed.texts())[-1] == "A note."


async def test_a_case_waits_while_the_bot_may_open_no_topic_and_comes_whole_once_it_may(
    waypoint: Waypoint, box: Sandbox
) -> None:
    rights = {"can_manage_topics": False}
    await box.post("members", chat=GROUP_ID, person="bot", status="administrator", rights=rights, by=MEI)
    handed = await waypoint.hand_off()
    await waypoint.post(handed.conversation, "Are you there?", mark="person")
    await waypoint.settle()
    assert await titles(box) == []
    assert "failed" not in {row.state for row in await waypoint.outbox()}
    await box.post("members", chat=GROUP_ID, person="bot", status="administrator", by=MEI)
    await waypoint.later(300)
    assert await titles(box) == [handed.code]
    assert (await handed.texts())[-1].endswith("Are you there?")


async def test_the_topic_of_an_erased_case_is_deleted_and_a_second_time_is_no_fault(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.hand_off()
    for _ in range(2):
        payload = {"topic_id": await handed.thread()}
        await waypoint.enqueue(handed.conversation, "topic.delete", payload, "topic:x", in_group=True)
    await waypoint.settle()
    assert await titles(box) == []
    assert {row.state for row in await waypoint.outbox()} == {"sent"}


async def test_what_was_on_its_way_for_an_erased_case_is_not_posted(waypoint: Waypoint) -> None:
    handed = await waypoint.hand_off()
    await waypoint.post(handed.conversation, "A note.")
    (outgoing,) = await waypoint.casework.lease_outgoing()
    assert await waypoint.sender.send(replace(outgoing, case_id="0" * 32)) is None
    assert "A note." not in await handed.texts()


async def test_without_a_group_what_goes_to_it_waits(waypoint: Waypoint) -> None:
    waypoint.settings = waypoint.settings.model_copy(update={"coordinators_chat_id": None})
    waypoint.start()
    await waypoint.post(await waypoint.meet(), "A note.")
    await waypoint.settle()
    assert [row.state for row in await waypoint.rows(Outbox)] == ["due"]


async def test_a_deleted_topic_of_a_case_handed_over_again_is_replaced(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    await handed.write(MEI, "/say I read it.")
    await handed.write(MEI, "/close helped")
    await waypoint.settle()
    await box.post("topics/delete", **{"from": MEI, "chat": GROUP_ID, "thread": await handed.thread()})
    again = await waypoint.hand_off()
    assert await titles(box) == [handed.code]
    brief, transcript = await again.texts()
    assert handed.code in brief
    assert "Mei (sample): I read it." in transcript
