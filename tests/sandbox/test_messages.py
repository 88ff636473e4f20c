"""Sending, editing, deleting, copying, pinning, reacting, answering buttons: through the real client library."""

import asyncio

import pytest
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeChat,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    MenuButtonCommands,
    ReplyKeyboardMarkup,
    ReplyParameters,
)
from telegram.error import BadRequest, Forbidden, InvalidToken

from sandbox.testing import ADA, BEN, GROUP_ID, LUIS, MEI, ControlError


def keyboard(*labels: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=label.lower())] for label in labels])


async def test_a_person_is_written_to_only_after_writing_first(box, bot):
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(ADA, "hello")
    # Members of a group with the bot are known to it, but it still cannot write first.
    with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
        await bot.send_message(MEI, "hello")
    await box.say(ADA, "/start")
    assert (await bot.send_message(ADA, "hello")).chat.first_name == "Ada"


async def test_message_numbers_run_over_private_chats_and_apart_in_groups(box, bot, ada):
    await box.say(BEN, "hi")
    numbers = [(await bot.send_message(chat, "x")).message_id for chat in (ada, BEN, GROUP_ID, GROUP_ID)]
    assert numbers[1] == numbers[0] + 1
    assert numbers[3] == numbers[2] + 1
    assert numbers[2] < numbers[0]


async def test_commands_are_marked_in_what_people_write(box, bot):
    await box.say(ADA, "/start from_web-123")
    (update,) = await bot.get_updates()
    assert update.message.text == "/start from_web-123"
    assert [(e.type, e.offset, e.length) for e in update.message.entities] == [("bot_command", 0, 6)]


async def test_a_pressed_button_reaches_the_bot_and_its_answer_the_person(box, bot, ada):
    sent = await bot.send_message(ada, "Ready?", reply_markup=keyboard("Yes", "No"))
    pressing = asyncio.create_task(box.press(ada, sent.to_dict(), label="Yes", wait=10))
    (update,) = await bot.get_updates(timeout=10)
    query = update.callback_query
    assert (query.data, query.from_user.id, query.message.message_id) == ("yes", ada, sent.message_id)
    await query.answer("Good", show_alert=True)
    assert (await pressing)["answer"] == {"text": "Good", "show_alert": True, "url": ""}


async def test_a_press_is_answered_in_time_or_never(box, bot, ada, clock):
    sent = await bot.send_message(ada, "Ready?", reply_markup=keyboard("Yes"))
    await box.press(ada, sent.to_dict(), data="yes")
    (update,) = await bot.get_updates()
    clock.advance(61)
    with pytest.raises(BadRequest, match="Query is too old and response timeout expired or query id is invalid"):
        await update.callback_query.answer()


async def test_a_button_that_is_gone_is_pressed_only_by_force(box, bot, ada):
    sent = await bot.send_message(ada, "Ready?", reply_markup=keyboard("Yes"))
    await sent.edit_reply_markup(None)
    with pytest.raises(ControlError, match="no such button"):
        await box.press(ada, sent.to_dict(), data="yes")
    await box.press(ada, sent.to_dict(), data="yes", force=True)
    await sent.delete()
    await box.press(ada, sent.to_dict(), data="yes", force=True)
    accessible, gone = await bot.get_updates()
    assert accessible.callback_query.message.is_accessible
    assert not gone.callback_query.message.is_accessible


@pytest.mark.parametrize(
    ("button", "refusal"),
    [
        ({"text": "x", "callback_data": "d" * 65}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": "é" * 33}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        (
            {"text": "x"},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        ({"callback_data": "d"}, "can't parse inline keyboard button: Can't find field \"text\""),
        (
            {"text": "x", "url": "http://localhost:8080/"},
            "inline keyboard button URL 'http://localhost:8080/' is invalid: Wrong HTTP URL",
        ),
    ],
)
async def test_a_button_that_telegram_would_not_take_is_refused(api, ada, button, refusal):
    markup = {"inline_keyboard": [[button]]}
    answer = await api("sendMessage", chat_id=ada, text="x", reply_markup=markup)
    assert answer == {"ok": False, "error_code": 400, "description": f"Bad Request: {refusal}"}


async def test_a_callback_of_64_bytes_is_taken(api, ada):
    markup = {"inline_keyboard": [[{"text": "x", "callback_data": "d" * 64}]]}
    assert (await api("sendMessage", chat_id=ada, text="x", reply_markup=markup))["result"]["reply_markup"] == markup


async def test_a_reply_keyboard_stays_out_of_the_message(bot, ada):
    sent = await bot.send_message(ada, "x", reply_markup=ReplyKeyboardMarkup([["One", "Two"]]))
    assert sent.reply_markup is None


async def test_an_edit_replaces_text_and_keyboard(box, bot, ada, clock):
    sent = await bot.send_message(ada, "one", reply_markup=keyboard("A"))
    clock.advance(5)
    edited = await sent.edit_text("<i>two</i>", parse_mode="HTML", reply_markup=keyboard("B"))
    assert (edited.text, edited.entities[0].type) == ("two", "italic")
    assert (edited.edit_date - edited.date).total_seconds() == 5
    assert (await sent.edit_text("three")).reply_markup is None
    (stands,) = [m for m in await box.messages(ada) if m["message_id"] == sent.message_id]
    assert [v["text"] for v in stands["sandbox"]["versions"]] == ["one", "two"]


async def test_an_edit_that_changes_nothing_is_refused(bot, ada):
    sent = await bot.send_message(ada, "<b>x</b>", parse_mode="HTML", reply_markup=keyboard("A"))
    for edit in (
        lambda: sent.edit_text("<b>x</b>", parse_mode="HTML", reply_markup=keyboard("A")),
        lambda: sent.edit_reply_markup(keyboard("A")),
    ):
        with pytest.raises(BadRequest, match="Message is not modified: specified new message content"):
            await edit()
    await sent.edit_text("x", reply_markup=keyboard("A"))


async def test_only_own_standing_messages_are_edited(box, bot, ada):
    hers = await box.say(ada, "mine")
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("x", ada, hers["message_id"])
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("x", ada, 999999)
    sent = await bot.send_message(ada, "x")
    await sent.delete()
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await sent.edit_text("y")


async def test_text_and_captions_are_edited_each_by_its_method(bot, ada):
    document = await bot.send_document(ada, b"x", filename="a.txt", caption="one")
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        await document.edit_text("y")
    assert (await document.edit_caption("two")).caption == "two"
    text = await bot.send_message(ada, "x")
    with pytest.raises(BadRequest, match="There is no caption in the message to edit"):
        await text.edit_caption("y")
    edited = await document.edit_media(InputMediaDocument(b"other", filename="b.txt", caption="three"))
    assert (edited.document.file_name, edited.caption) == ("b.txt", "three")


async def test_peoples_edits_arrive_as_edited_message(box, bot):
    sent = await box.say(ADA, "helo")
    await box.edit(ADA, sent, text="hello /help")
    first, second = await bot.get_updates()
    assert first.message.text == "helo"
    assert second.edited_message.text == "hello /help"
    assert second.edited_message.entities[0].type == "bot_command"
    with pytest.raises(ControlError, match="only what they said themselves"):
        await box.edit(ADA, (await bot.send_message(ADA, "x")).to_dict(), text="y")


async def test_peoples_deletions_are_not_told(box, bot, ada):
    sent = await box.say(ada, "regret")
    box.world.updates.drop()
    await box.delete(ada, sent)
    assert await bot.get_updates() == ()
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(ada, "x", reply_to_message_id=sent["message_id"])


async def test_a_message_is_deleted_for_48_hours(box, bot, ada, clock):
    sent = await bot.send_message(ada, "x")
    hers = await box.say(ada, "y")
    assert await bot.delete_message(ada, hers["message_id"])
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(ada, hers["message_id"])
    clock.advance(48 * 3600 + 1)
    with pytest.raises(BadRequest, match="Message can't be deleted for everyone"):
        await sent.delete()


async def test_in_a_group_others_messages_are_deleted_only_with_the_right(box, bot):
    said = await box.say(LUIS, "x", chat=GROUP_ID)
    await box.post(
        "members", chat=GROUP_ID, person="bot", status="administrator", rights={"can_delete_messages": False}
    )
    with pytest.raises(BadRequest, match="Message can't be deleted for everyone"):
        await bot.delete_message(GROUP_ID, said["message_id"])
    own = await bot.send_message(GROUP_ID, "x")
    assert await bot.delete_messages(GROUP_ID, [said["message_id"], own.message_id])
    gone = {m["message_id"]: m["sandbox"]["deleted"] for m in await box.messages(GROUP_ID)}
    assert (gone[said["message_id"]], gone[own.message_id]) == (False, True)


async def test_a_reply_carries_what_it_answers(box, bot, ada):
    hers = await box.say(ada, "question")
    reply = await bot.send_message(ada, "answer", reply_parameters=ReplyParameters(hers["message_id"]))
    assert reply.reply_to_message.text == "question"
    said = await box.say(ada, "thanks", reply_to=reply.message_id)
    assert said["reply_to_message"]["text"] == "answer"
    assert "reply_to_message" not in said["reply_to_message"]


async def test_a_reply_to_nothing_is_refused_unless_allowed(bot, ada):
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(ada, "x", reply_parameters=ReplyParameters(999))
    allowed = ReplyParameters(999, allow_sending_without_reply=True)
    assert (await bot.send_message(ada, "x", reply_parameters=allowed)).reply_to_message is None


async def test_copies_have_no_origin_and_forwards_have(box, bot, ada):
    hers = await box.say(ada, document={"name": "report.pdf", "content": "JVBERg=="}, caption="my report")
    copied = await bot.copy_message(GROUP_ID, ada, hers["message_id"])
    stands = (await box.messages(GROUP_ID))[-1]
    assert stands["message_id"] == copied.message_id
    assert stands["document"]["file_id"] == hers["document"]["file_id"]
    assert stands["caption"] == "my report"
    assert "forward_origin" not in stands
    forwarded = await bot.forward_message(GROUP_ID, ada, hers["message_id"])
    assert forwarded.forward_origin.sender_user.id == ada
    other = await bot.copy_message(GROUP_ID, ada, hers["message_id"], caption="<b>from Ada</b>", parse_mode="HTML")
    stands = (await box.messages(GROUP_ID))[-1]
    assert (stands["message_id"], stands["caption"]) == (other.message_id, "from Ada")


async def test_a_person_may_hide_behind_a_forward(box, bot):
    shy = await box.post("people", first_name="Noor", last_name="(sample)", hides_forwards=True)
    said = await box.say(shy["id"], "hello")
    forwarded = await bot.forward_message(GROUP_ID, shy["id"], said["message_id"])
    assert forwarded.forward_origin.sender_user_name == "Noor (sample)"


async def test_what_cannot_be_copied_is_refused(box, bot, ada):
    topic = await bot.create_forum_topic(GROUP_ID, "A")
    with pytest.raises(BadRequest, match="Message can't be copied"):
        await bot.copy_message(ada, GROUP_ID, topic.message_thread_id)
    with pytest.raises(BadRequest, match="Message to copy not found"):
        await bot.copy_message(ada, GROUP_ID, 999999)
    guarded = await bot.send_message(ada, "x", protect_content=True)
    with pytest.raises(BadRequest, match="Message can't be forwarded"):
        await bot.forward_message(GROUP_ID, ada, guarded.message_id)


async def test_a_pin_is_told_by_a_service_message(box, bot, ada):
    sent = await bot.send_message(GROUP_ID, "read this")
    await sent.pin()
    assert (await bot.get_chat(GROUP_ID)).pinned_message.message_id == sent.message_id
    (update,) = await bot.get_updates()
    assert update.message.pinned_message.text == "read this"
    assert update.message.from_user.id == bot.id
    await sent.unpin()
    assert (await bot.get_chat(GROUP_ID)).pinned_message is None
    await box.post("members", chat=GROUP_ID, person="bot", status="administrator", rights={"can_pin_messages": False})
    with pytest.raises(BadRequest, match="Not enough rights to manage pinned messages in the chat"):
        await sent.pin()


async def test_reactions_of_the_bot_are_the_usual_emoji(box, bot, ada, api):
    hers = await box.say(ada, "done")
    await bot.set_message_reaction(ada, hers["message_id"], "👍")
    (stands,) = [m for m in await box.messages(ada) if m["message_id"] == hers["message_id"]]
    assert stands["sandbox"]["reactions"] == [{"person": bot.id, "emoji": ["👍"]}]
    with pytest.raises(BadRequest, match=r"(?i)reaction_invalid"):
        await bot.set_message_reaction(ada, hers["message_id"], "🧭")
    odd = [{"type": "emoji", "emoji": []}]
    refused = await api("setMessageReaction", chat_id=ada, message_id=hers["message_id"], reaction=odd)
    assert refused["description"] == "Bad Request: REACTION_INVALID"


async def test_an_album_is_one_group_of_messages(box, bot, ada):
    png = bytes.fromhex("89504e470d0a1a0a0000000d494844520000000200000003")
    sent = await bot.send_media_group(ada, [InputMediaPhoto(png, caption="one"), InputMediaPhoto(png)])
    assert len({m.media_group_id for m in sent}) == 1
    assert (sent[0].caption, sent[0].photo[-1].width, sent[0].photo[-1].height) == ("one", 2, 3)
    with pytest.raises(BadRequest, match="Documents and audio files can't be mixed"):
        await bot.send_media_group(ada, [InputMediaPhoto(png), InputMediaDocument(b"x")])


async def test_an_album_of_a_person_arrives_as_separate_updates(box, bot):
    for name in ("one.jpg", "two.jpg"):
        await box.say(ADA, photo={"name": name}, media_group="album-1")
    updates = await bot.get_updates()
    assert [u.message.media_group_id for u in updates] == ["album-1", "album-1"]


async def test_places_and_contacts_go_both_ways(box, bot, ada):
    assert (await bot.send_location(ada, 52.5, 13.4)).location.latitude == 52.5
    assert (await bot.send_contact(ada, "+10000000", "Clinic")).contact.first_name == "Clinic"
    await box.say(ada, location={"latitude": 1.5, "longitude": 2.5})
    await box.say(ada, contact={"phone_number": "+1", "first_name": "Sam"})
    place, contact = await bot.get_updates()
    assert (place.message.location.longitude, contact.message.contact.phone_number) == (2.5, "+1")


async def test_a_chat_action_is_one_of_those_that_exist(bot, ada):
    assert await bot.send_chat_action(ada, "typing")
    with pytest.raises(BadRequest, match="Wrong parameter action in request"):
        await bot.send_chat_action(ada, "thinking")


async def test_a_blocked_bot_is_told_so_once_and_refused_always(box, bot, ada):
    await box.post("blocks", person=ada, blocked=True)
    (update,) = await bot.get_updates()
    assert update.my_chat_member.new_chat_member.status == "kicked"
    sent = {
        "text": lambda: bot.send_message(ada, "x"),
        "file": lambda: bot.send_document(ada, b"x"),
        "action": lambda: bot.send_chat_action(ada, "typing"),
    }
    for send in sent.values():
        with pytest.raises(Forbidden, match="bot was blocked by the user"):
            await send()
    with pytest.raises(ControlError, match="unblock it first"):
        await box.say(ada, "x")
    await box.post("blocks", person=ada, blocked=False)
    assert (await bot.send_message(ada, "welcome back")).text == "welcome back"


async def test_commands_and_menu_are_kept_by_scope_and_language(bot, ada):
    await bot.set_my_commands([BotCommand("start", "Begin")])
    await bot.set_my_commands([BotCommand("start", "Empezar")], language_code="es")
    await bot.set_my_commands([BotCommand("close", "Close")], scope=BotCommandScopeChat(GROUP_ID))
    assert [c.description for c in await bot.get_my_commands()] == ["Begin"]
    assert [c.description for c in await bot.get_my_commands(language_code="es")] == ["Empezar"]
    assert [c.command for c in await bot.get_my_commands(scope=BotCommandScopeChat(GROUP_ID))] == ["close"]
    with pytest.raises(BadRequest, match=r"(?i)bot_command_invalid"):
        await bot.set_my_commands([BotCommand("Start!", "Begin")])
    await bot.set_chat_menu_button(ada, MenuButtonCommands())
    assert (await bot.get_chat_menu_button(ada)).type == "commands"
    await bot.set_my_description("Prepares a second opinion")
    assert (await bot.get_my_description()).description == "Prepares a second opinion"


async def test_a_wrong_token_is_seen_by_the_client(box):
    with pytest.raises(InvalidToken):
        async with Bot("1000001:wrong", base_url=box.base_url):
            pass


async def test_several_messages_are_copied_and_forwarded_without_those_that_cannot_be(box, bot, ada):
    first, second = await box.say(ada, "one"), await box.say(ada, "two")
    ids = [first["message_id"], second["message_id"], 999999]
    copies = await bot.copy_messages(GROUP_ID, ada, ids)
    forwards = await bot.forward_messages(GROUP_ID, ada, ids)
    stand = await box.messages(GROUP_ID)
    assert [m["message_id"] for m in stand] == [m.message_id for m in (*copies, *forwards)]
    assert [(m["text"], "forward_origin" in m) for m in stand] == [
        ("one", False),
        ("two", False),
        ("one", True),
        ("two", True),
    ]
    with pytest.raises(BadRequest, match="There are no messages to forward"):
        await bot.copy_messages(GROUP_ID, ada, [999999])


async def test_all_pins_of_a_chat_come_off(box, bot):
    for text in ("x", "y"):
        await (await bot.send_message(GROUP_ID, text)).pin()
    await bot.unpin_all_chat_messages(GROUP_ID)
    assert not [m for m in await box.messages(GROUP_ID) if m["sandbox"]["pinned"]]


async def test_the_bot_has_a_name_and_descriptions(bot, ada):
    assert (await bot.get_my_name()).name == "Waypoint"
    await bot.set_my_name("Wegweiser", language_code="de")
    assert (await bot.get_my_name(language_code="de")).name == "Wegweiser"
    await bot.set_my_short_description("Second opinions")
    assert (await bot.get_my_short_description()).short_description == "Second opinions"
    assert (await bot.get_user_profile_photos(ada)).total_count == 0
