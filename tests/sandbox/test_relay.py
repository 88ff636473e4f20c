"""What a desk needs of Telegram: albums, reactions, edits in groups, forwards, quotes, round videos, named places."""

import pytest
from telegram import InputMediaDocument, InputMediaPhoto, ReplyParameters
from telegram.constants import ReactionEmoji
from telegram.error import BadRequest

from sandbox.testing import ADA, GROUP_ID, LUIS, MEI, ControlError
from tests.telegram.conftest import PIXEL, upload

ALL = ["message", "edited_message", "message_reaction"]


async def reaction_of(box, person, message_id, emoji, chat=GROUP_ID):
    return await box.post("reactions", **{"from": person, "chat": chat, "message_id": message_id, "emoji": emoji})


async def test_a_reaction_of_a_member_is_told_to_a_bot_that_asks_for_it(box, bot):
    said = await box.say(MEI, "hello", chat=GROUP_ID)
    await bot.get_updates(allowed_updates=ALL)
    await reaction_of(box, MEI, said["message_id"], "👎")
    await reaction_of(box, MEI, said["message_id"], "")
    _, given, taken = await bot.get_updates(allowed_updates=ALL)
    change = given.message_reaction
    assert (change.chat.id, change.message_id, change.user.id) == (GROUP_ID, said["message_id"], MEI)
    assert [r.emoji for r in change.new_reaction] == ["👎"]
    assert change.old_reaction == ()
    assert [r.emoji for r in taken.message_reaction.old_reaction] == ["👎"]
    assert taken.message_reaction.new_reaction == ()


async def test_without_asking_or_without_being_an_administrator_no_reaction_is_told(box, bot):
    said = await box.say(MEI, "hello", chat=GROUP_ID)
    await reaction_of(box, MEI, said["message_id"], "👎")
    assert [u.message_reaction for u in await bot.get_updates()] == [None]
    await bot.get_updates(offset=-1, allowed_updates=ALL)
    box.world.updates.drop()
    await box.post("members", chat=GROUP_ID, person="bot", status="member")
    await reaction_of(box, MEI, said["message_id"], "👍")
    assert not [u for u in await bot.get_updates(allowed_updates=ALL) if u.message_reaction]


async def test_the_bots_own_reaction_replaces_the_one_before_and_is_told_to_nobody(box, bot):
    said = await box.say(MEI, "hello", chat=GROUP_ID)
    await bot.get_updates(allowed_updates=ALL)
    box.world.updates.drop()
    for emoji in (ReactionEmoji.OK_HAND_SIGN, ReactionEmoji.BROKEN_HEART):
        assert await bot.set_message_reaction(GROUP_ID, said["message_id"], emoji)
    (standing,) = await box.messages(GROUP_ID)
    assert standing["sandbox"]["reactions"] == [{"person": bot.id, "emoji": ["💔"]}]
    await bot.set_message_reaction(GROUP_ID, said["message_id"], None)
    (standing,) = await box.messages(GROUP_ID)
    assert standing["sandbox"]["reactions"] == []
    assert await bot.get_updates(allowed_updates=ALL) == ()


async def test_reactions_cost_a_group_none_of_its_messages(box, bot):
    said = await box.say(MEI, "hello", chat=GROUP_ID)
    for _ in range(25):
        await bot.set_message_reaction(GROUP_ID, said["message_id"], "👌")
    await bot.send_message(GROUP_ID, "still free")


async def test_a_reaction_needs_a_message_and_an_emoji_that_telegram_offers(box, bot):
    with pytest.raises(BadRequest, match="Message to react not found"):
        await bot.set_message_reaction(GROUP_ID, 9999, "👌")
    said = await box.say(MEI, "hello", chat=GROUP_ID)
    with pytest.raises(BadRequest, match="Reaction_invalid"):
        await bot.set_message_reaction(GROUP_ID, said["message_id"], "✅")
    with pytest.raises(ControlError, match="REACTION_INVALID"):
        await reaction_of(box, MEI, said["message_id"], "✅")


async def test_a_members_edit_in_a_topic_comes_with_its_topic_and_what_it_replies_to(box, bot):
    topic = await bot.create_forum_topic(GROUP_ID, "Case")
    parent = await bot.send_message(GROUP_ID, "card", message_thread_id=topic.message_thread_id)
    said = await box.say(MEI, "first", chat=GROUP_ID, reply_to=parent.message_id)
    await box.edit(MEI, said, text="second")
    edited = [u.edited_message for u in await bot.get_updates() if u.edited_message]
    assert [(m.text, m.message_thread_id, m.reply_to_message.message_id) for m in edited] == [
        ("second", topic.message_thread_id, parent.message_id)
    ]
    with pytest.raises(ControlError, match="people edit only what they said themselves"):
        await box.edit(LUIS, said, text="third")


async def test_copies_of_an_album_are_an_album(box, bot, ada):
    ids = [(await box.say(ADA, photo=upload(PIXEL), media_group="5"))["message_id"] for _ in range(2)]
    ids.append((await box.say(ADA, "after"))["message_id"])
    copies = await bot.copy_messages(GROUP_ID, ADA, ids)
    found = {m["message_id"]: m for m in await box.messages(GROUP_ID)}
    groups = [found[copy.message_id].get("media_group_id") for copy in copies]
    assert groups[0] == groups[1] != "5"
    assert groups[2] is None


async def test_an_album_is_sent_by_file_ids_in_answer_to_a_message(box, bot, ada):
    theirs = await box.say(ADA, photo=upload(PIXEL))
    file_id = theirs["photo"][-1]["file_id"]
    parts = [InputMediaPhoto(file_id, caption="<b>one</b>", parse_mode="HTML"), InputMediaPhoto(file_id)]
    sent = await bot.send_media_group(ADA, parts, reply_parameters=ReplyParameters(theirs["message_id"]))
    assert [m.reply_to_message.message_id for m in sent] == [theirs["message_id"]] * 2
    assert sent[0].caption == "one"
    document = await box.say(ADA, document=upload(b"x", "a.pdf"))
    other = InputMediaDocument(document["document"]["file_id"])
    with pytest.raises(BadRequest, match="can't be mixed with other media"):
        await bot.send_media_group(ADA, [parts[0], other])


async def test_a_round_video_is_sent_and_copied_and_takes_no_caption(box, bot, ada):
    theirs = await box.say(ADA, video_note=upload(b"fictional"))
    again = await bot.send_video_note(ADA, theirs["video_note"]["file_id"])
    assert again.video_note.length == theirs["video_note"]["length"]
    copy = await bot.copy_message(GROUP_ID, ADA, theirs["message_id"], caption="no place for it")
    (standing,) = [m for m in await box.messages(GROUP_ID) if m["message_id"] == copy.message_id]
    assert standing["video_note"] == theirs["video_note"]
    assert "caption" not in standing


async def test_a_place_with_a_name_is_a_venue_and_a_location(box, bot):
    place = {"latitude": 31.2, "longitude": 121.5, "title": "Desk", "address": "1 Sample Road"}
    await box.say(ADA, venue=place)
    (update,) = await bot.get_updates()
    assert (update.message.venue.title, update.message.venue.address) == ("Desk", "1 Sample Road")
    assert update.message.location.latitude == 31.2
    with pytest.raises(ControlError, match="title and address"):
        await box.say(ADA, venue={"latitude": 31.2, "longitude": 121.5})


async def test_a_members_forward_tells_whose_words_it_is(box, bot):
    said = await box.say(LUIS, "/say hello", chat=GROUP_ID)
    await box.say(MEI, chat=GROUP_ID, forward=said["message_id"])
    forwarded = (await bot.get_updates())[-1].message
    assert forwarded.text == "/say hello"
    assert (forwarded.from_user.id, forwarded.forward_origin.sender_user.id) == (MEI, LUIS)
    with pytest.raises(ControlError, match="no such message"):
        await box.say(MEI, chat=GROUP_ID, forward=99999)


async def test_a_reply_may_quote_a_part(box, bot, ada):
    sent = await bot.send_message(ada, "May I eat 🙂 before?")
    await box.say(ADA, "this", reply_to=sent.message_id, quote="before")
    (update,) = await bot.get_updates()
    assert (update.message.quote.text, update.message.quote.position) == ("before", 13)
    with pytest.raises(ControlError, match="no part of the message"):
        await box.say(ADA, "this", reply_to=sent.message_id, quote="after")


async def test_a_bot_deletes_its_own_message_in_a_private_chat_for_two_days(box, bot, ada, clock):
    early, late = [await bot.send_message(ada, text) for text in ("early", "late")]
    assert await early.delete()
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(ada, early.message_id)
    clock.advance(48 * 3600 + 1)
    with pytest.raises(BadRequest, match="Message can't be deleted for everyone"):
        await late.delete()
