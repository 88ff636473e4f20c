"""Sending text and places, forwarding, copying, deleting, pinning, reacting."""

from typing import Any

from sandbox.chats import Chat, Json, Message
from sandbox.entities import formatted
from sandbox.errors import bad_request
from sandbox.params import Params
from sandbox.registry import Call, method
from sandbox.sending import Target, bot_in, chat_of, message_of, right, target

DAYS_TO_DELETE = 48 * 3600
CHAT_ACTIONS = (
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
)
# The emoji of ReactionTypeEmoji (Bot API).
EMOJI = (
    "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤\u200d🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓"
    " 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨\u200d💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾"
    " 🤷\u200d♂ 🤷 🤷\u200d♀ 😡"
)
REACTIONS = frozenset(EMOJI.split())


def sent(call: Call, place: Target, content: Json) -> Json:
    """Post what the bot sends and give the Message of the answer."""
    if call.params.flag("protect_content"):
        content["has_protected_content"] = True
    message = call.world.post(
        place.chat, call.world.bot, content, thread=place.thread, reply_to=place.reply_to, markup=place.inline
    )
    if place.markup and not place.inline:
        call.world.publish("reply_keyboard", chat=place.chat.id, markup=place.markup)
    return message.full()


@method("sendMessage")
async def send_message(call: Call) -> Json:
    """Send a text."""
    text = formatted(call.params)
    if not text.text:
        raise bad_request("message text is empty")
    content = text.content()
    options = call.params.object("link_preview_options")
    if options:
        content["link_preview_options"] = options
    return sent(call, target(call.world, call.params), content)


@method("sendLocation")
async def send_location(call: Call) -> Json:
    """Send a point on the map."""
    return sent(call, target(call.world, call.params), {"location": location(call.params)})


def location(params: Params) -> Json:
    """A checked Location of parameters."""
    latitude, longitude = params.number("latitude"), params.number("longitude")
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise bad_request("location must be non-empty")
    return {"latitude": latitude, "longitude": longitude}


def venue(params: Params) -> Json:
    """A checked Venue of parameters."""
    if not (params.has("title") and params.has("address")):
        raise bad_request("venue title and address must be non-empty")
    return {"location": location(params), "title": params.text("title"), "address": params.text("address")}


@method("sendContact")
async def send_contact(call: Call) -> Json:
    """Send a phone contact."""
    return sent(call, target(call.world, call.params), {"contact": contact(call.params)})


def contact(params: Params) -> Json:
    """A checked Contact of parameters."""
    for name, words in (("phone_number", "phone number"), ("first_name", "first name")):
        if not params.has(name):
            raise bad_request(f"contact {words} is empty" if name == "first_name" else f"{words} is empty")
    names = ("phone_number", "first_name", "last_name", "vcard")
    return {name: params.text(name) for name in names if params.has(name)}


@method("sendChatAction")
async def send_chat_action(call: Call) -> bool:
    """Show "typing…" and the like."""
    chat = chat_of(call.world, call.params)
    bot_in(call.world, chat)
    action = call.params.text("action")
    if action not in CHAT_ACTIONS:
        raise bad_request("wrong parameter action in request")
    thread = call.params.integer("message_thread_id")
    if thread and (thread not in chat.topics or chat.topics[thread].deleted):
        raise bad_request("message thread not found")
    call.world.publish("action", chat=chat.id, thread=thread, action=action)
    return True


def source(call: Call, purpose: str) -> Message:
    """The message to copy or forward; a service message or protected content cannot be."""
    chat = chat_of(call.world, call.params, "from_chat_id")
    bot_in(call.world, chat)
    message = message_of(chat, call.params, purpose)
    past = "copied" if purpose == "copy" else "forwarded"
    if message.service or message.content.get("has_protected_content"):
        raise bad_request(f"message can't be {past}")
    return message


def copied(content: Json) -> Json:
    """What a copy of a message holds: neither its album nor its origin."""
    left_out = ("media_group_id", "forward_origin", "has_protected_content", "quote")
    return {name: value for name, value in content.items() if name not in left_out}


@method("copyMessage")
async def copy_message(call: Call) -> Json:
    """Send the same again, without a link to the original; a new caption may replace the old."""
    original = source(call, "copy")
    content = copied(original.content)
    if "caption" in call.params.values and not content.keys() & {
        "text",
        "location",
        "venue",
        "contact",
        "sticker",
        "video_note",
    }:
        content = {k: v for k, v in content.items() if not k.startswith("caption")}
        content |= formatted(call.params, "caption").content(caption=True)
    return {"message_id": sent(call, target(call.world, call.params), content)["message_id"]}


@method("forwardMessage")
async def forward_message(call: Call) -> Json:
    """Forward a message, with its origin."""
    return forward(call, source(call, "forward"))


def forward(call: Call, original: Message) -> Json:
    """Forward one message and give the new one."""
    sender = original.sender
    origin: Json = {"type": "user", "sender_user": sender.user(), "date": original.date}
    if sender.hides_forwards:
        origin = {"type": "hidden_user", "sender_user_name": sender.full_name, "date": original.date}
    content = copied(original.content) | {"forward_origin": original.content.get("forward_origin", origin)}
    return sent(call, target(call.world, call.params), content)


@method("copyMessages")
async def copy_messages(call: Call) -> list[Json]:
    """Copy several messages; those that cannot be copied are skipped, and albums stay albums."""
    results, albums = [], dict[str, str]()
    for original in several(call):
        place, content = target(call.world, call.params), copied(original.content)
        if album := original.content.get("media_group_id"):
            content["media_group_id"] = albums.setdefault(album, str(next(call.world.album_numbers)))
        results.append({"message_id": sent(call, place, content)["message_id"]})
    return results


@method("forwardMessages")
async def forward_messages(call: Call) -> list[Json]:
    """Forward several messages; those that cannot be forwarded are skipped."""
    return [{"message_id": forward(call, original)["message_id"]} for original in several(call)]


def several(call: Call) -> list[Message]:
    """The messages of message_ids that stand and can be passed on; 400 when none does."""
    chat = chat_of(call.world, call.params, "from_chat_id")
    bot_in(call.world, chat)
    ids = message_ids(call.params)
    found = [chat.messages[n] for n in ids if n in chat.messages]
    usable = [m for m in found if not m.deleted and not m.service and not m.content.get("has_protected_content")]
    if not usable:
        raise bad_request("there are no messages to forward")
    return usable


def message_ids(params: Params) -> list[int]:
    """The parameter message_ids: 1 to 100 whole numbers."""
    ids = params.array("message_ids") or []
    if not ids or not all(isinstance(n, int) for n in ids):
        raise bad_request("message identifiers are not specified")
    if len(ids) > 100:
        raise bad_request("too many message identifiers specified")
    return ids


@method("deleteMessage")
async def delete_message(call: Call) -> bool:
    """Delete a message of the last 48 hours: the bot's own, any in a private chat, others' with the right."""
    chat = chat_of(call.world, call.params)
    bot_in(call.world, chat)
    message = message_of(chat, call.params, "delete")
    if not deletable(call, chat, message):
        raise bad_request("message can't be deleted for everyone")
    call.world.delete(message)
    return True


@method("deleteMessages")
async def delete_messages(call: Call) -> bool:
    """Delete several messages; those that are not there or cannot be deleted are skipped."""
    chat = chat_of(call.world, call.params)
    bot_in(call.world, chat)
    for number in message_ids(call.params):
        message = chat.messages.get(number)
        if message and not message.deleted and deletable(call, chat, message):
            call.world.delete(message)
    return True


def deletable(call: Call, chat: Chat, message: Message) -> bool:
    """Whether the bot may delete a message that stands."""
    if "forum_topic_created" in message.content:
        return False
    if chat.members.get(call.world.bot.id) and chat.members[call.world.bot.id].can("can_delete_messages"):
        return True
    recent = call.world.clock.now() - message.date <= DAYS_TO_DELETE
    return recent and (message.sender is call.world.bot or chat.private)


@method("pinChatMessage")
async def pin_chat_message(call: Call) -> bool:
    """Pin a message; a service message tells of it."""
    chat = chat_of(call.world, call.params)
    may_pin(call, chat)
    message = message_of(chat, call.params, "pin")
    if message.service:
        raise bad_request("message can't be pinned")
    if message.id not in chat.pinned:
        call.world.pin(message, call.world.bot)
    return True


def may_pin(call: Call, chat: Chat) -> None:
    """Refuse without the right to pin."""
    right(call.world, chat, "can_pin_messages", "not enough rights to manage pinned messages in the chat")


@method("unpinChatMessage")
async def unpin_chat_message(call: Call) -> bool:
    """Unpin a message, or the one pinned last."""
    chat = chat_of(call.world, call.params)
    may_pin(call, chat)
    message = message_of(chat, call.params, "unpin") if call.params.has("message_id") else chat.last_pinned()
    if message is None:
        raise bad_request("message to unpin not found")
    if message.id in chat.pinned:
        call.world.unpin(message)
    return True


@method("unpinAllChatMessages")
async def unpin_all_chat_messages(call: Call) -> bool:
    """Unpin everything in a chat."""
    chat = chat_of(call.world, call.params)
    may_pin(call, chat)
    for number in list(chat.pinned):
        call.world.unpin(chat.messages[number])
    return True


@method("setMessageReaction")
async def set_message_reaction(call: Call) -> bool:
    """React to a message with one emoji, or take the reaction back."""
    chat = chat_of(call.world, call.params)
    bot_in(call.world, chat)
    message = message_of(chat, call.params, "react")
    call.world.react(message, call.world.bot, reactions(call.params.array("reaction") or []))
    return True


def reactions(given: list[Any]) -> list[Json]:
    """Checked reactions: at most one, of the emoji that Telegram offers to everybody."""
    if len(given) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    for reaction in given:
        if (
            not isinstance(reaction, dict)
            or reaction.get("type") != "emoji"
            or str(reaction.get("emoji")) not in REACTIONS
        ):
            raise bad_request("REACTION_INVALID")
    return [{"type": "emoji", "emoji": reaction["emoji"]} for reaction in given]
