"""Topics of a forum."""

from sandbox.chats import GENERAL, Chat, Json, Topic
from sandbox.errors import bad_request
from sandbox.registry import Call, method
from sandbox.sending import bot_in, chat_of, right

ICON_COLORS = (7322096, 16766590, 13338331, 9367192, 16749490, 16478047)
ICONS = {
    "5417915203100613993": "💬",
    "5237699328843200968": "✅",
    "5379748062124056162": "❗",
    "5377316857231450742": "❓",
    "5373251851074415873": "📝",
    "5357315181649076022": "📁",
    "5357121491508928442": "👀",
    "5312241539987020022": "🔥",
    "5350307998340226571": "🩺",
    "5235579393115438657": "⭐",
}
"""A few of the icons that getForumTopicIconStickers offers; ask the method, do not keep the ids."""
MAX_NAME = 128


def forum_of(call: Call) -> Chat:
    """The forum that the call names."""
    chat = chat_of(call.world, call.params)
    bot_in(call.world, chat)
    if not chat.forum:
        raise bad_request("the chat is not a forum")
    return chat


def topic_of(call: Call, chat: Chat, verb: str) -> Topic:
    """The topic that the call names and that the bot may manage: its own, or any as an administrator."""
    thread = call.params.integer("message_thread_id")
    topic = chat.topics.get(thread)
    if topic is None or thread == GENERAL:
        raise bad_request("TOPIC_ID_INVALID")
    if topic.deleted:
        raise bad_request("TOPIC_DELETED")
    if topic.creator != call.world.bot.id:
        right(call.world, chat, "can_manage_topics", f"not enough rights to {verb} the topic")
    return topic


def name_of(call: Call, required: bool) -> str:
    """The name given for a topic, checked."""
    name = call.params.text("name").strip()
    if required and not name:
        raise bad_request("TOPIC_TITLE_EMPTY")
    if len(name) > MAX_NAME:
        raise bad_request("TOPIC_TITLE_TOO_LONG")
    return name


def icon_of(call: Call) -> str:
    """The icon given for a topic, checked."""
    icon = call.params.text("icon_custom_emoji_id")
    if icon and icon not in ICONS:
        raise bad_request("DOCUMENT_INVALID")
    return icon


@method("getForumTopicIconStickers")
async def get_forum_topic_icon_stickers(call: Call) -> list[Json]:
    """The icons that a topic may have."""
    shape = {"type": "custom_emoji", "width": 100, "height": 100, "is_animated": True, "is_video": False}
    return [
        shape
        | {
            "file_id": f"CAACAgIcon{number}",
            "file_unique_id": f"AQADIcon{number}",
            "emoji": emoji,
            "custom_emoji_id": number,
        }
        for number, emoji in ICONS.items()
    ]


@method("createForumTopic")
async def create_forum_topic(call: Call) -> Json:
    """Make a topic; a service message begins it, and its id is the topic's."""
    chat = forum_of(call)
    right(call.world, chat, "can_manage_topics", "not enough rights to create a topic")
    name, icon = name_of(call, required=True), icon_of(call)
    color = call.params.integer("icon_color", ICON_COLORS[0])
    if color not in ICON_COLORS:
        raise bad_request("TOPIC_ICON_COLOR_INVALID")
    call.world.limits.take(chat.id)
    topic = call.world.create_topic(chat, call.world.bot, name, color, icon)
    return {"message_thread_id": topic.id} | topic.created()


@method("editForumTopic")
async def edit_forum_topic(call: Call) -> bool:
    """Rename a topic or change its icon."""
    chat = forum_of(call)
    topic = topic_of(call, chat, "edit")
    name = name_of(call, required=False) or topic.name
    icon = icon_of(call) if "icon_custom_emoji_id" in call.params.values else topic.icon_custom_emoji_id
    if (name, icon) == (topic.name, topic.icon_custom_emoji_id):
        raise bad_request("TOPIC_NOT_MODIFIED")
    call.world.limits.take(chat.id)
    call.world.edit_topic(chat, topic, call.world.bot, name, icon)
    return True


def switch(call: Call, closed: bool, topic: Topic, chat: Chat) -> bool:
    """Close or reopen a topic."""
    if topic.closed == closed:
        raise bad_request("TOPIC_NOT_MODIFIED")
    call.world.limits.take(chat.id)
    call.world.close_topic(chat, topic, call.world.bot, closed)
    return True


@method("closeForumTopic")
async def close_forum_topic(call: Call) -> bool:
    """Close a topic: only those who manage topics can write in it then."""
    chat = forum_of(call)
    return switch(call, True, topic_of(call, chat, "close"), chat)


@method("reopenForumTopic")
async def reopen_forum_topic(call: Call) -> bool:
    """Open a closed topic again."""
    chat = forum_of(call)
    return switch(call, False, topic_of(call, chat, "reopen"), chat)


@method("deleteForumTopic")
async def delete_forum_topic(call: Call) -> bool:
    """Delete a topic and every message in it."""
    chat = forum_of(call)
    topic = topic_of(call, chat, "delete")
    right(call.world, chat, "can_delete_messages", "not enough rights to delete the topic")
    call.world.delete_topic(chat, topic)
    return True


@method("unpinAllForumTopicMessages")
async def unpin_all_forum_topic_messages(call: Call) -> bool:
    """Unpin everything in a topic."""
    chat = forum_of(call)
    topic = topic_of(call, chat, "manage")
    return unpin_thread(call, chat, topic.id)


@method("unpinAllGeneralForumTopicMessages")
async def unpin_all_general_forum_topic_messages(call: Call) -> bool:
    """Unpin everything in the General topic."""
    return unpin_thread(call, forum_of(call), 0)


def unpin_thread(call: Call, chat: Chat, thread: int) -> bool:
    """Unpin the messages of one topic."""
    right(call.world, chat, "can_pin_messages", "not enough rights to manage pinned messages in the chat")
    for number in [n for n in chat.pinned if chat.messages[n].thread == thread]:
        call.world.unpin(chat.messages[number])
    return True


def general(call: Call) -> tuple[Chat, Topic]:
    """The forum of the call and its General topic, which the bot must have the right to manage."""
    chat = forum_of(call)
    right(call.world, chat, "can_manage_topics", "not enough rights to manage the General topic")
    return chat, chat.topics[GENERAL]


@method("editGeneralForumTopic")
async def edit_general_forum_topic(call: Call) -> bool:
    """Rename the General topic."""
    chat, topic = general(call)
    name = name_of(call, required=True)
    if name == topic.name:
        raise bad_request("TOPIC_NOT_MODIFIED")
    call.world.edit_topic(chat, topic, call.world.bot, name, "")
    return True


@method("closeGeneralForumTopic")
async def close_general_forum_topic(call: Call) -> bool:
    """Close the General topic."""
    chat, topic = general(call)
    return switch(call, True, topic, chat)


@method("reopenGeneralForumTopic")
async def reopen_general_forum_topic(call: Call) -> bool:
    """Open the General topic again."""
    chat, topic = general(call)
    return switch(call, False, topic, chat)


@method("hideGeneralForumTopic")
async def hide_general_forum_topic(call: Call) -> bool:
    """Hide the General topic; it is closed with that."""
    return show_general(call, hidden=True)


@method("unhideGeneralForumTopic")
async def unhide_general_forum_topic(call: Call) -> bool:
    """Show the General topic again."""
    return show_general(call, hidden=False)


def show_general(call: Call, hidden: bool) -> bool:
    """Hide or show the General topic."""
    chat, topic = general(call)
    if topic.hidden == hidden:
        raise bad_request("TOPIC_NOT_MODIFIED")
    topic.hidden = hidden
    topic.closed = topic.closed or hidden
    event = "general_forum_topic_hidden" if hidden else "general_forum_topic_unhidden"
    call.world.post(chat, call.world.bot, {event: {}})
    call.world.topic_changed(chat, topic)
    return True
