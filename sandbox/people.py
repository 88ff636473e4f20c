"""What people do: write, edit, delete, press buttons, react, manage topics.

Test programs and the live page call these; each raises ApiError 400 for what Telegram's apps would not let happen.
"""

import base64
import binascii

from sandbox.chats import GENERAL, Chat, Json, Member, Message, Person, Topic
from sandbox.entities import MAX_CAPTION, MAX_TEXT, trimmed, utf16, with_found
from sandbox.errors import bad_request
from sandbox.files import StoredFile
from sandbox.methods.messages import contact, copied, location, reactions, venue
from sandbox.params import Params
from sandbox.world import World, thread_of

FILE_KINDS = ("photo", "document", "video", "video_note", "voice", "audio", "animation", "sticker")
LARGEST_FILE = 2 * 1024**3
"""People may send files of up to 2 GB."""
SYNTHETIC_SIZE = 1000


def person_of(world: World, body: Params, name: str = "from") -> Person:
    """The person whom a control call names; "bot" is no person here."""
    person = world.people.get(body.integer(name))
    if person is None:
        raise bad_request(f"{name}: no such person; see GET /sandbox/state")
    return person


def place_of(world: World, body: Params, person: Person) -> tuple[Chat, Member]:
    """The chat that a control call names (by default the person's chat with the bot) and the person's standing."""
    chat = world.chats.get(body.integer("chat", person.id))
    if chat is None or (chat.private and chat.id != person.id):
        raise bad_request("chat: the person has no such chat")
    if chat.migrated_to:
        raise bad_request(f"chat: became the supergroup {chat.migrated_to}")
    member = Member(person) if chat.private else chat.members.get(person.id)
    if member is None or not member.inside:
        raise bad_request("chat: the person is not a member")
    if chat.private and person.blocked:
        raise bad_request("the person has blocked the bot; unblock it first")
    return chat, member


def standing(chat: Chat, body: Params, name: str = "message_id") -> Message:
    """The message that a control call names, if it still stands."""
    message = chat.messages.get(body.integer(name))
    if message is None or message.deleted:
        raise bad_request(f"{name}: no such message in the chat")
    return message


def topic_at(chat: Chat, number: int) -> Topic:
    """The topic of a forum by its id (0 and 1 are General)."""
    topic = chat.topics.get(number or GENERAL)
    if topic is None or topic.deleted:
        raise bad_request("thread: no such topic in the chat")
    return topic


def say(world: World, body: Params) -> Message:
    """A person sends a message: text, a file, a location, a contact; into a topic or as a reply, if told so."""
    person = person_of(world, body)
    chat, member = place_of(world, body, person)
    if not member.may_send():
        raise bad_request("the person may not write in this chat")
    reply_to = standing(chat, body, "reply_to").id if body.has("reply_to") else 0
    thread = chat.messages[reply_to].thread if reply_to else body.integer("thread")
    if chat.forum:
        topic = topic_at(chat, thread)
        thread = thread_of(topic)
        if topic.closed and not (member.can("can_manage_topics") or topic.creator == person.id):
            raise bad_request("thread: the topic is closed")
    elif thread:
        raise bad_request("thread: the chat has no topics")
    content = forwarded(standing(chat, body, "forward")) if body.has("forward") else said(world, body)
    if reply_to and body.has("quote"):
        content["quote"] = quote(chat.messages[reply_to], body.text("quote"))
    if body.has("media_group"):
        content["media_group_id"] = body.text("media_group")
    if chat.private:
        person.started = True
    return world.post(chat, person, content, thread=thread, reply_to=reply_to)


def forwarded(message: Message) -> Json:
    """What a person's forward of a message of the same chat holds."""
    if message.service:
        raise bad_request("forward: a service message cannot be forwarded")
    origin = {"type": "user", "sender_user": message.sender.user(), "date": message.date}
    return copied(message.content) | {"forward_origin": message.content.get("forward_origin", origin)}


def quote(message: Message, text: str) -> Json:
    """The part of a message that a person marked before replying to it."""
    whole = str(message.content.get("text") or message.content.get("caption") or "")
    if not text or text not in whole:
        raise bad_request("quote: is no part of the message that is replied to")
    return {"text": text, "position": utf16(whole[: whole.index(text)]), "is_manual": True}


def said(world: World, body: Params) -> Json:
    """The content of a person's message."""
    kinds = [kind for kind in (*FILE_KINDS, "text", "location", "venue", "contact") if kind in body.values]
    if len(kinds) != 1:
        raise bad_request(f"say exactly one of text, location, venue, contact, {', '.join(FILE_KINDS)}")
    kind = kinds[0]
    if kind == "text":
        return written(body, "text")
    if kind == "location":
        return {"location": location(Params(body.object(kind) or {}))}
    if kind == "venue":
        place = venue(Params(body.object(kind) or {}))
        return {"venue": place, "location": place["location"]}
    if kind == "contact":
        return {"contact": contact(Params(body.object(kind) or {}))}
    spec = body.values[kind]
    stored = attached(world, kind, Params(spec if isinstance(spec, dict) else {}))
    content: Json = {kind: stored.media()}
    if kind == "animation":
        content["document"] = stored.as_document()
    return content | (written(body, "caption") if body.has("caption") else {})


def written(body: Params, name: str) -> Json:
    """Text or caption of a person, with the commands and links in it."""
    text = trimmed(body.text(name), []).text
    longest = MAX_TEXT if name == "text" else MAX_CAPTION
    if not 1 <= utf16(text) <= longest:
        raise bad_request(f"{name}: 1 to {longest} UTF-16 units; Telegram's apps split longer texts before sending")
    found = with_found(text, [])
    return {name: text} | ({"entities" if name == "text" else "caption_entities": found} if found else {})


def attached(world: World, kind: str, spec: Params) -> StoredFile:
    """The file that a person sends: its bytes in base64, or a size for a made-up file."""
    content: bytes | None = None
    if spec.has("content"):
        try:
            content = base64.b64decode(spec.text("content"), validate=True)
        except binascii.Error:
            raise bad_request(f"{kind}.content: not base64") from None
    size = spec.integer("size", SYNTHETIC_SIZE)
    if not 1 <= size <= LARGEST_FILE:
        raise bad_request(f"{kind}.size: 1 byte to 2 GB")
    shape: Json = {name: spec.integer(name) for name in ("width", "height", "duration") if spec.has(name)}
    if kind == "sticker":
        shape["emoji"] = spec.text("emoji", "🙂")
    return world.files.add(kind, spec.text("name"), content, size, **shape)


def edit(world: World, body: Params) -> Message:
    """A person changes the text or caption of an own message; the bot gets edited_message."""
    person = person_of(world, body)
    chat, _ = place_of(world, body, person)
    message = standing(chat, body)
    name = "text" if "text" in message.content else "caption"
    if message.sender is not person or message.service:
        raise bad_request("message_id: people edit only what they said themselves")
    kept = {k: v for k, v in message.content.items() if k not in (name, "entities", "caption_entities")}
    world.edit(message, kept | written(body, name), message.markup)
    if world.bot_sees(message):
        world.updates.add("edited_message", message.full(), chat.id)
    return message


def delete(world: World, body: Params) -> Message:
    """A person deletes a message. The bot is not told: Telegram sends no update for it."""
    person = person_of(world, body)
    chat, member = place_of(world, body, person)
    message = standing(chat, body)
    if not (chat.private or message.sender is person or member.can("can_delete_messages")):
        raise bad_request("message_id: people delete only what they said themselves")
    world.delete(message)
    return message


def react(world: World, body: Params) -> Message:
    """A person reacts to a message with an emoji, or with "" takes the reaction back."""
    person = person_of(world, body)
    chat, _ = place_of(world, body, person)
    message = standing(chat, body)
    emoji = body.text("emoji")
    world.react(message, person, reactions([{"type": "emoji", "emoji": emoji}] if emoji else []))
    return message


def press(world: World, body: Params) -> str:
    """A person presses an inline button, named by its data or its label; the query's id.

    `force` presses a button that the message no longer has, as an app with an old view of it does.
    """
    person = person_of(world, body)
    chat, _ = place_of(world, body, person)
    message = chat.messages.get(body.integer("message_id"))
    if message is None or message.sender is not world.bot:
        raise bad_request("message_id: no such message of the bot in the chat")
    buttons = [b for row in (message.markup or {}).get("inline_keyboard", []) for b in row if "callback_data" in b]
    wanted, label = body.text("data"), body.text("label")
    datas = [b["callback_data"] for b in buttons if wanted == b["callback_data"] or (label and label == b["text"])]
    force = body.flag("force") and bool(wanted)
    if not force and (message.deleted or not datas):
        labels = ", ".join(b["text"] for b in buttons) or "none"
        raise bad_request(f"the message has no such button; its buttons: {'none' if message.deleted else labels}")
    query_id = str(next(world.query_numbers))
    world.queries[query_id] = {"at": world.clock.now(), "person": person.id, "chat": chat.id, "answer": None}
    inaccessible = {"chat": chat.brief(), "message_id": message.id, "date": 0}
    query = {
        "id": query_id,
        "from": person.user(),
        "message": inaccessible if message.deleted else message.full(),
        "chat_instance": str(abs(chat.id) * 7919),
        "data": wanted if force else datas[0],
    }
    world.updates.add("callback_query", query, chat.id)
    return query_id


def manage_topic(world: World, verb: str, body: Params) -> Topic:
    """A person creates, edits, closes, reopens or deletes a topic."""
    person = person_of(world, body)
    chat, member = place_of(world, body, person)
    if not chat.forum:
        raise bad_request("chat: has no topics")
    if verb == "create":
        return world.create_topic(chat, person, body.text("name") or "Topic", 7322096)
    topic = topic_at(chat, body.integer("thread"))
    if not (member.can("can_manage_topics") or topic.creator == person.id):
        raise bad_request("from: only administrators and its creator manage a topic")
    match verb:
        case "edit":
            world.edit_topic(chat, topic, person, body.text("name") or topic.name, topic.icon_custom_emoji_id)
        case "close" | "reopen":
            if topic.closed == (verb == "close"):
                raise bad_request(f"thread: the topic is {'closed' if topic.closed else 'open'} already")
            world.close_topic(chat, topic, person, verb == "close")
        case _:
            if topic.id == GENERAL:
                raise bad_request("thread: General cannot be deleted")
            world.delete_topic(chat, topic)
    return topic
