"""Topics of the forum group."""

import pytest
from telegram.error import BadRequest

from sandbox.testing import GROUP_ID, LUIS, MEI, ControlError


@pytest.fixture
async def topic(bot):
    return await bot.create_forum_topic(GROUP_ID, "Ada (sample)", icon_color=16766590)


async def test_a_topic_begins_with_the_message_whose_number_it_has(box, bot, topic):
    (begin,) = await box.messages(GROUP_ID, thread=topic.message_thread_id)
    assert begin["message_id"] == begin["message_thread_id"] == topic.message_thread_id
    assert begin["forum_topic_created"] == {"name": "Ada (sample)", "icon_color": 16766590}
    assert begin["is_topic_message"] is True
    (update,) = await bot.get_updates()
    assert update.message.forum_topic_created.name == "Ada (sample)"


async def test_in_a_topic_what_answers_nothing_answers_its_creation(box, bot, topic):
    thread = topic.message_thread_id
    sent = await bot.send_message(GROUP_ID, "x", message_thread_id=thread)
    assert sent.is_topic_message
    assert sent.reply_to_message.forum_topic_created.name == "Ada (sample)"
    said = await box.say(MEI, "y", chat=GROUP_ID, thread=thread)
    assert said["reply_to_message"]["message_id"] == thread
    reply = await box.say(MEI, "z", chat=GROUP_ID, reply_to=sent.message_id)
    assert reply["message_thread_id"] == thread
    assert reply["reply_to_message"]["text"] == "x"


async def test_in_general_there_is_no_thread(box, bot, topic):
    sent = await bot.send_message(GROUP_ID, "x")
    assert (sent.message_thread_id, sent.is_topic_message, sent.reply_to_message) == (None, None, None)
    await box.say(MEI, "y", chat=GROUP_ID)
    update = (await bot.get_updates())[-1]
    assert (update.message.message_thread_id, update.message.chat.is_forum) == (None, True)
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(GROUP_ID, "x", message_thread_id=1)


async def test_a_reply_of_the_bot_goes_to_the_topic_of_what_it_answers(bot, topic):
    thread = topic.message_thread_id
    first = await bot.send_message(GROUP_ID, "x", message_thread_id=thread)
    reply = await bot.send_message(GROUP_ID, "y", reply_to_message_id=first.message_id)
    assert reply.message_thread_id == thread
    other = await bot.create_forum_topic(GROUP_ID, "Other")
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(
            GROUP_ID, "z", reply_to_message_id=first.message_id, message_thread_id=other.message_thread_id
        )


async def test_a_thread_that_never_was_is_not_found(bot, ada):
    for chat in (GROUP_ID, ada):
        with pytest.raises(BadRequest, match="Message thread not found"):
            await bot.send_message(chat, "x", message_thread_id=4711)
    with pytest.raises(BadRequest, match=r"(?i)topic_id_invalid"):
        await bot.close_forum_topic(GROUP_ID, 4711)


async def test_a_deleted_topic_takes_its_messages_and_tells_nobody(box, bot, topic):
    thread = topic.message_thread_id
    sent = await bot.send_message(GROUP_ID, "x", message_thread_id=thread)
    box.world.updates.drop()
    await box.post("topics/delete", **{"from": MEI, "chat": GROUP_ID, "thread": thread})
    assert await bot.get_updates() == ()
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(GROUP_ID, "y", message_thread_id=thread)
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_chat_action(GROUP_ID, "typing", message_thread_id=thread)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await sent.edit_text("z")
    with pytest.raises(BadRequest, match=r"(?i)topic_deleted"):
        await bot.reopen_forum_topic(GROUP_ID, thread)
    assert all(m["sandbox"]["deleted"] for m in await box.messages(GROUP_ID, thread=thread))


async def test_closing_and_reopening_are_told_and_not_done_twice(box, bot, topic):
    thread = topic.message_thread_id
    await bot.close_forum_topic(GROUP_ID, thread)
    with pytest.raises(BadRequest, match=r"(?i)topic_not_modified"):
        await bot.close_forum_topic(GROUP_ID, thread)
    with pytest.raises(ControlError, match="the topic is closed"):
        await box.say(LUIS, "x", chat=GROUP_ID, thread=thread)
    # Those who may manage topics still write in a closed one: Mei is an administrator, and so is the bot.
    await box.say(MEI, "y", chat=GROUP_ID, thread=thread)
    await bot.send_message(GROUP_ID, "z", message_thread_id=thread)
    await box.post("topics/reopen", **{"from": MEI, "chat": GROUP_ID, "thread": thread})
    events = {"forum_topic_closed", "forum_topic_reopened"}
    kinds = [u.message.to_dict().keys() & events for u in await bot.get_updates()]
    assert kinds == [set(), {"forum_topic_closed"}, set(), {"forum_topic_reopened"}]


async def test_a_bot_that_may_not_manage_topics_is_kept_out_of_closed_ones(box, bot):
    theirs = await box.post("topics/create", **{"from": MEI, "chat": GROUP_ID, "name": "Team"})
    await box.post("topics/close", **{"from": MEI, "chat": GROUP_ID, "thread": theirs["id"]})
    await box.post("members", chat=GROUP_ID, person="bot", status="administrator", rights={"can_manage_topics": False})
    with pytest.raises(BadRequest, match=r"(?i)topic_closed"):
        await bot.send_message(GROUP_ID, "x", message_thread_id=theirs["id"])
    with pytest.raises(BadRequest, match="Not enough rights to create a topic"):
        await bot.create_forum_topic(GROUP_ID, "New")
    with pytest.raises(BadRequest, match="Not enough rights to reopen the topic"):
        await bot.reopen_forum_topic(GROUP_ID, theirs["id"])


async def test_a_topic_is_renamed(box, bot, topic):
    thread = topic.message_thread_id
    (icon, *_) = await bot.get_forum_topic_icon_stickers()
    await bot.edit_forum_topic(GROUP_ID, thread, name="Ada: done", icon_custom_emoji_id=icon.custom_emoji_id)
    topics = {t["id"]: t for t in await box.get(f"chats/{GROUP_ID}/topics")}
    assert topics[thread]["name"] == "Ada: done"
    assert (await box.messages(GROUP_ID, thread=thread))[-1]["forum_topic_edited"]["name"] == "Ada: done"
    with pytest.raises(BadRequest, match=r"(?i)topic_not_modified"):
        await bot.edit_forum_topic(GROUP_ID, thread, name="Ada: done")
    with pytest.raises(BadRequest, match=r"(?i)topic_title_too_long"):
        await bot.edit_forum_topic(GROUP_ID, thread, name="x" * 129)


async def test_the_general_topic_is_closed_hidden_and_shown(box, bot):
    await bot.close_general_forum_topic(GROUP_ID)
    with pytest.raises(ControlError, match="the topic is closed"):
        await box.say(LUIS, "x", chat=GROUP_ID)
    await bot.reopen_general_forum_topic(GROUP_ID)
    await bot.hide_general_forum_topic(GROUP_ID)
    await bot.unhide_general_forum_topic(GROUP_ID)
    await bot.edit_general_forum_topic(GROUP_ID, "Everything else")
    general = (await box.get(f"chats/{GROUP_ID}/topics"))[0]
    assert (general["name"], general["hidden"], general["closed"]) == ("Everything else", False, True)


async def test_pins_of_a_topic_are_taken_off_together(box, bot, topic):
    thread = topic.message_thread_id
    inside = await bot.send_message(GROUP_ID, "x", message_thread_id=thread)
    outside = await bot.send_message(GROUP_ID, "y")
    await inside.pin()
    await outside.pin()
    await bot.unpin_all_forum_topic_messages(GROUP_ID, thread)
    assert [m["text"] for m in await box.messages(GROUP_ID) if m["sandbox"]["pinned"]] == ["y"]


async def test_private_chats_and_plain_groups_have_no_topics(box, bot, ada):
    group = await box.post("groups", title="Plain", forum=False, members=[MEI])
    for chat in (ada, group["id"]):
        with pytest.raises(BadRequest, match="The chat is not a forum"):
            await bot.create_forum_topic(chat, "x")


async def test_the_bot_deletes_a_topic_only_with_the_right(box, bot, topic):
    thread = topic.message_thread_id
    rights = {"can_delete_messages": False}
    await box.post("members", chat=GROUP_ID, person="bot", status="administrator", rights=rights)
    with pytest.raises(BadRequest, match="Not enough rights to delete the topic"):
        await bot.delete_forum_topic(GROUP_ID, thread)
    await box.post("members", chat=GROUP_ID, person="bot", status="administrator")
    await bot.delete_forum_topic(GROUP_ID, thread)
    topics = {t["id"]: t["deleted"] for t in await box.get(f"chats/{GROUP_ID}/topics")}
    assert topics == {1: False, thread: True}


async def test_pins_of_the_general_topic_are_taken_off_together(box, bot, topic):
    inside = await bot.send_message(GROUP_ID, "x", message_thread_id=topic.message_thread_id)
    outside = await bot.send_message(GROUP_ID, "y")
    await inside.pin()
    await outside.pin()
    await bot.unpin_all_general_forum_topic_messages(GROUP_ID)
    assert [m["text"] for m in await box.messages(GROUP_ID) if m["sandbox"]["pinned"]] == ["x"]
