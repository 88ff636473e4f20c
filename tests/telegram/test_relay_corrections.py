"""What is changed or taken back after it was sent, on either side."""

from __future__ import annotations

import pytest

from bot.casework.copies import ARRIVED, CORRECTED
from bot.casework.corrections import UNDO_SECONDS
from bot.model import Case, File, Message
from sandbox.testing import ADA, GROUP_ID, LUIS, MEI, Sandbox
from tests.telegram.conftest import PIXEL, Handed, Waypoint, upload
from tests.telegram.test_relay import marks, only_widget, received, shown, widget_of


async def sent(handed: Handed, text: str = "Come on Tuesday.", who: int = MEI, **more: object) -> dict[str, object]:
    """A coordinator's answer that has arrived."""
    ours = await handed.reply(who, await handed.brief(), text, **more)
    await handed.waypoint.settle()
    return ours


async def dislike(handed: Handed, message: dict[str, object], who: int = MEI) -> None:
    """A coordinator gives a message 👎."""
    body = {"from": who, "chat": GROUP_ID, "message_id": message["message_id"], "emoji": "👎"}
    await handed.waypoint.box.post("reactions", **body)
    await handed.waypoint.settle()


async def undo(handed: Handed, message: dict[str, object], who: int = MEI) -> None:
    """A coordinator replies /undo."""
    await handed.reply(who, message, "/undo")
    await handed.waypoint.settle()


# A person changes what they wrote.


async def test_a_persons_edit_shows_before_and_after_in_answer_to_the_original(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    theirs = await box.say(ADA, "I take 5 mg")
    await waypoint.settle()
    original = await handed.find("5 mg")
    await box.edit(ADA, theirs, text="I take 50 mg")
    await waypoint.settle()
    first = (await handed.messages())[-1]
    assert first["text"] == waypoint.casework.words("desk.person_edited", before="I take 5 mg", after="I take 50 mg")
    assert first["reply_to_message"]["message_id"] == original["message_id"]
    await box.edit(ADA, theirs, text="I take 0.5 mg")
    await waypoint.settle()
    second = (await handed.messages())[-1]
    assert second["text"] == waypoint.casework.words("desk.person_edited", before="I take 50 mg", after="I take 0.5 mg")
    await handed.reply(MEI, second, "Thank you.")
    await waypoint.settle()
    assert (await received(handed))[-1]["reply_to_message"]["message_id"] == theirs["message_id"]


async def test_a_persons_new_caption_shows_before_and_after(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    theirs = await box.say(ADA, photo=upload(PIXEL), caption="page 1")
    await waypoint.settle()
    await box.edit(ADA, theirs, caption="page 2")
    await waypoint.settle()
    expected = waypoint.casework.words("desk.person_edited", before="page 1", after="page 2")
    assert (await handed.texts())[-1] == expected


async def test_an_edit_that_changes_no_words_disturbs_nobody(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    theirs = await box.say(ADA, "I take 5 mg")
    await waypoint.settle()
    before = await handed.texts()
    await box.edit(ADA, theirs, text="I take 5 mg")
    await waypoint.settle()
    assert await handed.texts() == before


# A coordinator changes what was sent.


async def test_a_coordinators_edit_changes_the_persons_copy_in_place(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    ours = await sent(handed)
    copy = (await received(handed))[-1]
    await box.edit(MEI, ours, text="Come on <Wednesday>.")
    await waypoint.settle()
    now = (await received(handed))[-1]
    assert now["message_id"] == copy["message_id"]
    assert now["text"] == "Mei (sample)\nCome on <Wednesday>."
    assert await marks(handed, ours) == [CORRECTED]


async def test_what_was_sent_with_say_is_corrected_with_say(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    ours = await handed.write(MEI, "/say Tuesday.")
    await waypoint.settle()
    await box.edit(MEI, ours, text="/say Wednesday.")
    await waypoint.settle()
    assert (await handed.heard())[-1] == "Mei (sample)\nWednesday."
    await box.edit(MEI, ours, text="she did not like it")
    await waypoint.settle()
    assert (await handed.heard())[-1] == "Mei (sample)\nWednesday."
    assert (await handed.texts())[-1] == waypoint.casework.words("desk.edit_no_say")


@pytest.mark.parametrize("kind", ["photo", "document", "voice"])
async def test_an_edited_caption_is_edited_on_the_other_side(waypoint: Waypoint, box: Sandbox, kind: str) -> None:
    handed = await waypoint.claimed()
    ours = await handed.reply(MEI, await handed.brief(), caption="page 1", **{kind: upload(PIXEL, "a.bin")})
    await waypoint.settle()
    await box.edit(MEI, ours, caption="page 2")
    await waypoint.settle()
    assert (await received(handed))[-1]["caption"] == "Mei (sample)\npage 2"


async def test_a_file_in_the_place_of_another_is_not_sent_and_that_is_told(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    ours = await handed.reply(MEI, await handed.brief(), caption="page 1", photo=upload(PIXEL))
    await waypoint.settle()
    await box.edit(MEI, ours, caption="page 1")
    await waypoint.settle()
    assert (await handed.texts())[-1] == waypoint.casework.words("desk.edit_file")


async def test_a_correction_that_is_longer_or_shorter_than_before_takes_the_messages_it_needs(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    ours = await sent(handed, "short")
    before = len(await received(handed))
    long = "word " * 818 + "end"
    await box.edit(MEI, ours, text=long)
    await waypoint.settle()
    assert len(await received(handed)) == before + 1
    assert (await received(handed))[-1]["text"].endswith("end")
    await box.edit(MEI, ours, text="short again")
    await waypoint.settle()
    assert len(await received(handed)) == before
    assert (await received(handed))[-1]["text"] == "Mei (sample)\nshort again"


async def test_a_correction_in_the_widget_is_a_message_with_before_and_after(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    conversation = await only_widget(waypoint, handed)
    ours = await sent(handed, "Come on Tuesday.")
    for day in ("Wednesday", "Thursday"):
        await box.edit(MEI, ours, text=f"Come on {day}.")
        await waypoint.settle()
    first, second, third = await shown(waypoint, conversation)
    assert first == ["Come on Tuesday."]
    assert "“Come on Tuesday.”" in second[0]
    assert second[1] == "Come on Wednesday."
    assert "“Come on Wednesday.”" in third[0]
    assert third[1] == "Come on Thursday."
    assert await marks(handed, ours) == [CORRECTED]


async def test_an_edit_before_it_was_sent_is_sent_right_in_the_end(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    await box.post("faults", method="sendMessage", chat=ADA, code=500)
    ours = await sent(handed, "Tuesday.")
    await box.edit(MEI, ours, text="Wednesday.")
    await waypoint.settle()
    await waypoint.later(5)
    assert [text for text in await handed.heard() if "day." in text] == ["Mei (sample)\nWednesday."]


async def test_a_copy_that_the_person_deleted_cannot_be_corrected_and_that_is_told(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    ours = await sent(handed)
    await box.delete(ADA, (await received(handed))[-1])
    await box.edit(MEI, ours, text="Come on Wednesday.")
    await waypoint.settle()
    told = (await handed.messages())[-1]
    assert told["text"].startswith(waypoint.casework.words("desk.not_corrected", reason="\0").partition("\0")[0])
    assert told["reply_to_message"]["message_id"] == ours["message_id"]


async def test_an_edit_of_what_never_arrived_says_so(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    await box.post("blocks", person=ADA, blocked=True)
    ours = await sent(handed)
    await box.edit(MEI, ours, text="Come on Wednesday.")
    await waypoint.settle()
    assert (await handed.texts())[-1] == waypoint.casework.words("desk.edit_unsent")


async def test_an_edit_after_the_end_changes_nothing_and_says_so(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    ours = await sent(handed)
    await handed.write(MEI, "/close helped")
    await waypoint.settle()
    await box.edit(MEI, ours, text="Come on Wednesday.")
    await waypoint.settle()
    assert "Mei (sample)\nCome on Tuesday." in await handed.heard()
    assert (await handed.texts())[-1] == waypoint.casework.words("desk.is_closed")


# A coordinator takes back what was sent.


@pytest.mark.parametrize("way", [undo, dislike])
async def test_what_was_sent_is_taken_back_within_ten_seconds(waypoint: Waypoint, box: Sandbox, way: object) -> None:
    handed = await waypoint.claimed()
    before = await handed.heard()
    ours = await sent(handed)
    assert await marks(handed, ours) == [ARRIVED]
    waypoint.clock.advance(UNDO_SECONDS)
    await way(handed, ours)  # type: ignore[operator]
    assert [m["text"] for m in await received(handed)] == before
    assert await marks(handed, ours) == []
    told = (await handed.messages())[-1]
    assert told["text"] == waypoint.casework.words("desk.undone")
    assert told["reply_to_message"]["message_id"] == ours["message_id"]
    assert not [row for row in await waypoint.rows(Message) if "Tuesday" in str(row.blocks)]


@pytest.mark.parametrize("way", [undo, dislike])
async def test_after_ten_seconds_it_is_too_late_and_that_is_told(waypoint: Waypoint, way: object) -> None:
    handed = await waypoint.claimed()
    ours = await sent(handed)
    waypoint.clock.advance(UNDO_SECONDS + 1)
    await way(handed, ours)  # type: ignore[operator]
    assert (await handed.heard())[-1] == "Mei (sample)\nCome on Tuesday."
    assert (await handed.texts())[-1] == waypoint.casework.words("desk.undo_late")
    assert await marks(handed, ours) == [ARRIVED]


async def test_an_undo_that_lay_here_for_long_was_in_time_all_the_same(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    before = await handed.heard()
    ours = await sent(handed)
    await handed.reply(MEI, ours, "/undo")
    await waypoint.receive()
    waypoint.clock.advance(600)
    await waypoint.settle()
    assert [m["text"] for m in await received(handed)] == before


@pytest.mark.parametrize("way", [undo, dislike])
async def test_what_has_not_been_sent_is_dropped_however_late(waypoint: Waypoint, box: Sandbox, way: object) -> None:
    handed = await waypoint.claimed()
    before = await handed.heard()
    await box.post("faults", method="sendMessage", chat=ADA, code=500)
    ours = await sent(handed)
    await box.post("faults", method="sendMessage", chat=ADA, code=500, times=20)
    waypoint.clock.advance(UNDO_SECONDS + 5)
    # Not looked at by the dispatcher in between: it waits for its pause to end.
    await waypoint.execute("UPDATE outbox SET not_before = '2037-01-01 00:00:00' WHERE state = 'due'")
    await way(handed, ours)  # type: ignore[operator]
    await box.clear_faults()
    await waypoint.execute("UPDATE outbox SET not_before = '2001-01-01 00:00:00' WHERE state = 'due'")
    await waypoint.later(60)
    assert await handed.heard() == before
    assert waypoint.casework.words("desk.undone_unsent") in await handed.texts()
    assert "dropped" in {row.state for row in await waypoint.outbox()}


async def test_what_is_just_being_sent_is_deleted_once_it_arrived(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    ours = await handed.reply(MEI, await handed.brief(), "Come on Tuesday.")
    await waypoint.receive()
    await waypoint.gateway.run_once()
    await waypoint.gateway.idle()
    leased = await waypoint.casework.lease_outgoing()
    await handed.reply(MEI, ours, "/undo")
    await waypoint.receive()
    await waypoint.gateway.run_once()
    await waypoint.gateway.idle()
    (row,) = [row for row in leased if row.kind == "say"]
    # The other process had looked before the word came to take it back.
    message = await waypoint.bot.send_message(ADA, "Mei (sample)\nCome on Tuesday.")
    await waypoint.casework.arrived(row.payload["relayed"], [message.message_id])
    await waypoint.casework.sent(row, message.message_id)
    await waypoint.later(61)
    assert not [m for m in await received(handed) if "Tuesday" in m.get("text", "")]
    assert waypoint.casework.words("desk.undone") in await handed.texts()


async def test_nobody_takes_back_what_a_colleague_sent(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    ours = await sent(handed)
    await dislike(handed, ours, LUIS)
    texts = await handed.texts()
    await undo(handed, ours, LUIS)
    assert (await handed.heard())[-1] == "Mei (sample)\nCome on Tuesday."
    assert waypoint.casework.words("desk.undo_other") not in texts  # a 👎 may be an opinion
    assert (await handed.texts())[-1] == waypoint.casework.words("desk.undo_other")


@pytest.mark.parametrize("emoji", ["👍", "🔥", "❤"])
async def test_other_reactions_take_nothing_back(waypoint: Waypoint, box: Sandbox, emoji: str) -> None:
    handed = await waypoint.claimed()
    ours = await sent(handed)
    await box.post("reactions", **{"from": MEI, "chat": GROUP_ID, "message_id": ours["message_id"], "emoji": emoji})
    await waypoint.settle()
    assert (await handed.heard())[-1] == "Mei (sample)\nCome on Tuesday."


async def test_a_dislike_counts_when_it_is_given_and_not_while_it_stands(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    ours = await sent(handed)
    waypoint.clock.advance(UNDO_SECONDS + 1)
    await dislike(handed, ours)
    late = waypoint.casework.words("desk.undo_late")
    assert (await handed.texts()).count(late) == 1
    down, up = ({"type": "emoji", "emoji": emoji} for emoji in "👎👍")
    change = {
        "chat": box.world.chats[GROUP_ID].brief(),
        "message_id": ours["message_id"],
        "user": box.world.people[MEI].user(),
        "date": int(waypoint.clock.now()),
    }
    for before, after in (([down], [down, up]), ([down, up], [])):  # who pays Telegram may give more than one
        box.world.updates.add("message_reaction", change | {"old_reaction": before, "new_reaction": after}, GROUP_ID)
    await waypoint.settle()
    assert (await handed.texts()).count(late) == 1


async def test_undo_without_a_message_explains_itself(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    await handed.write(MEI, "/undo")
    await waypoint.settle()
    assert (await handed.texts())[-1] == waypoint.casework.words("desk.undo_how")


async def test_a_note_has_nothing_to_take_back(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    note = await handed.write(MEI, "she sounds tired")
    await undo(handed, note)
    assert (await handed.texts())[-1] == waypoint.casework.words("desk.undo_nothing")


async def test_the_second_undo_of_a_message_finds_nothing_to_take_back(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    ours = await sent(handed)
    await undo(handed, ours)
    await undo(handed, ours)
    assert (await handed.texts())[-1] == waypoint.casework.words("desk.undo_nothing")


async def test_a_long_message_is_taken_back_whole(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    before = await handed.heard()
    ours = await sent(handed, "word " * 818 + "end")
    assert len(await received(handed)) == len(before) + 2
    await undo(handed, ours)
    assert len(await received(handed)) == len(before)


async def test_a_picture_is_taken_back_with_the_name_that_stood_before_it(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    before = await handed.heard()
    ours = await handed.reply(MEI, await handed.brief(), sticker={"emoji": "🌷"})
    await waypoint.settle()
    assert len(await received(handed)) == len(before) + 2
    await undo(handed, ours)
    assert len(await received(handed)) == len(before)


async def test_one_part_of_an_album_is_taken_back_before_and_after_it_was_sent(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    first, second, third = [
        await handed.reply(MEI, await handed.brief(), media_group="9", document=upload(b"x", f"{n}.pdf"))
        for n in range(3)
    ]
    await waypoint.settle()
    await undo(handed, second)
    await waypoint.later(3)
    assert [m["document"]["file_name"] for m in await received(handed) if "document" in m] == ["0.pdf", "2.pdf"]
    await undo(handed, third)
    assert [m["document"]["file_name"] for m in await received(handed) if "document" in m] == ["0.pdf"]
    assert [await marks(handed, part) for part in (first, second, third)] == [[ARRIVED], [], []]


async def test_what_the_person_deleted_themselves_counts_as_taken_back(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    ours = await sent(handed)
    await box.delete(ADA, (await received(handed))[-1])
    await undo(handed, ours)
    assert (await handed.texts())[-1] == waypoint.casework.words("desk.undone")


async def test_what_telegram_refuses_to_delete_is_told(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    ours = await sent(handed)
    refusal = "Bad Request: message can't be deleted for everyone"
    await box.post("faults", method="deleteMessage", code=400, description=refusal)
    await undo(handed, ours)
    assert (await handed.texts())[-1].startswith(
        waypoint.casework.words("desk.not_undone", reason="\0").partition("\0")[0]
    )
    assert (await handed.heard())[-1] == "Mei (sample)\nCome on Tuesday."


async def test_the_widget_is_told_that_a_message_was_taken_back_and_keeps_nothing_of_it(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    conversation = await only_widget(waypoint, handed)
    ours = await sent(handed, "Come on Tuesday.")
    await box.edit(MEI, ours, text="Come on Wednesday.")
    await waypoint.settle()
    said = [e["seq"] for e in await waypoint.casework.events_after(conversation, 0) if e["role"] == "coordinator"]
    await undo(handed, ours)
    events = await waypoint.casework.events_after(conversation, 0)
    assert await shown(waypoint, conversation) == []
    assert events[-1]["role"] == "system"
    text, withdrawn = events[-1]["blocks"]
    assert text["text"].startswith("Mei (sample) has taken back")
    assert withdrawn == {"type": "withdrawn", "seqs": said}
    assert "day." not in str(events)
    assert (await handed.texts())[-1] == waypoint.casework.words("desk.undone")


async def test_a_file_that_was_taken_back_cannot_be_fetched_by_the_widget_any_more(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    conversation = await only_widget(waypoint, handed)
    ours = await handed.reply(MEI, await handed.brief(), document=upload(b"%PDF fictional", "plan.pdf"))
    await waypoint.settle()
    (file,) = await waypoint.rows(File)
    assert await waypoint.casework.file_for(conversation, file.id)
    await undo(handed, ours)
    assert await waypoint.casework.file_for(conversation, file.id) is None
    assert not (waypoint.settings.files_dir / file.path).exists()


async def test_both_chats_of_a_person_lose_it(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    conversation = await widget_of(waypoint, handed)
    before = await handed.heard()
    ours = await sent(handed)
    await undo(handed, ours)
    assert [m["text"] for m in await received(handed)] == before
    assert await shown(waypoint, conversation) == []
    assert (await handed.texts()).count(waypoint.casework.words("desk.undone")) == 1


async def test_a_dislike_that_overtakes_its_message_stops_it(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    before = await handed.heard()
    ours = await handed.reply(MEI, await handed.brief(), "Come on Tuesday.")
    body = {"from": MEI, "chat": GROUP_ID, "message_id": ours["message_id"], "emoji": "👎"}
    await box.post("reactions", **body)
    await waypoint.receive()
    reaction = (await waypoint.inbox())[-1]
    await waypoint.casework.desk_turn(reaction.id)
    await waypoint.settle()
    assert await handed.heard() == before
    assert waypoint.casework.words("desk.undone_unsent") in await handed.texts()


async def test_whose_answer_was_taken_back_waits_for_one_again(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    await box.say(ADA, "May I eat?")
    await waypoint.settle()
    ours = await sent(handed)
    assert (await handed.case()).waiting_since is None
    await undo(handed, ours)
    (case,) = [case for case in await waypoint.rows(Case) if case.id == (await handed.case()).id]
    assert case.waiting_since is not None
    assert case.alert_at is not None
