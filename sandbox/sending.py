"""Where a call sends to, and whether the bot may: the refusals that every send shares."""

from dataclasses import dataclass

from sandbox.chats import GENERAL, Chat, Json, Member, Message
from sandbox.errors import bad_request, forbidden, migrated
from sandbox.markup import reply_markup
from sandbox.params import Params
from sandbox.world import World


@dataclass(frozen=True)
class Target:
    """A place that the bot may send to."""

    chat: Chat
    thread: int
    reply_to: int
    markup: Json | None
    """Any keyboard of the call; only an inline one stays with the message."""

    @property
    def inline(self) -> Json | None:
        """The inline keyboard."""
        return self.markup if self.markup and "inline_keyboard" in self.markup else None


def chat_of(world: World, params: Params, name: str = "chat_id") -> Chat:
    """The chat that a call names. 400: none named, unknown, or a group that became a supergroup."""
    if not params.has(name):
        raise bad_request(f"{name} is empty")
    try:
        chat = world.chats.get(int(params.values[name]))
    except (TypeError, ValueError):
        chat = None
    if chat is None or (chat.private and not known_to_bot(world, chat)):
        raise bad_request("chat not found")
    if chat.migrated_to:
        raise migrated(chat.migrated_to)
    return chat


def known_to_bot(world: World, chat: Chat) -> bool:
    """Whether the bot ever met the person of a private chat: there, or in a group of both."""
    person = chat.person
    if person is None or person.started:
        return True
    groups = [other for other in world.chats.values() if not other.private]
    return any(person.id in group.members and world.bot.id in group.members for group in groups)


def bot_in(world: World, chat: Chat) -> Member:
    """The bot's standing in a chat that it can act in; 403 when it is blocked, kicked or not a member."""
    if chat.person is not None:
        if chat.person.blocked:
            raise forbidden("bot was blocked by the user")
        if not chat.person.started:
            raise forbidden("bot can't initiate conversation with a user")
        return Member(world.bot, "creator")
    member = chat.members.get(world.bot.id) or Member(world.bot, "left")
    if member.status == "kicked":
        raise forbidden(f"bot was kicked from the {chat.type} chat")
    if not member.inside:
        raise forbidden(f"bot is not a member of the {chat.type} chat")
    return member


def right(world: World, chat: Chat, name: str, refusal: str) -> Member:
    """The bot's standing in a chat where it must have an administrator's right; 400 without it."""
    member = bot_in(world, chat)
    if not member.can(name):
        raise bad_request(refusal)
    return member


def target(world: World, params: Params, cost: int = 1) -> Target:
    """Where a send goes, after every check, booked with flood control. Raises what the Bot API would."""
    chat = chat_of(world, params)
    member = bot_in(world, chat)
    markup = reply_markup(params, chat.private)
    reply_to, thread = thread_and_reply(chat, params)
    topic = chat.topics.get(thread or GENERAL) if chat.forum else None
    # Whoever may close a topic may write in it when it is closed: an administrator with the right, its creator.
    if topic and topic.closed and not (member.can("can_manage_topics") or topic.creator == world.bot.id):
        raise bad_request("TOPIC_CLOSED")
    if not member.may_send():
        raise bad_request("not enough rights to send text messages to the chat")
    world.limits.take(chat.id, cost)
    return Target(chat, thread, reply_to, markup)


def thread_and_reply(chat: Chat, params: Params) -> tuple[int, int]:
    """(what it replies to, topic) of a send. A reply goes to the topic of what it replies to."""
    thread = params.integer("message_thread_id")
    if thread and (not chat.forum or thread == GENERAL or thread not in chat.topics or chat.topics[thread].deleted):
        raise bad_request("message thread not found")
    reply = params.object("reply_parameters") or {}
    wanted = Params(reply).integer("message_id") or params.integer("reply_to_message_id")
    if not wanted:
        return 0, thread
    parent = chat.messages.get(wanted)
    if reply.get("chat_id") not in (None, chat.id, str(chat.id)):
        raise bad_request("the sandbox does not implement replies to messages of other chats")
    if parent is None or parent.deleted or (thread and parent.thread != thread):
        if reply.get("allow_sending_without_reply") or params.flag("allow_sending_without_reply"):
            return 0, thread
        raise bad_request("message to be replied not found")
    return parent.id, parent.thread


def message_of(chat: Chat, params: Params, purpose: str, name: str = "message_id") -> Message:
    """The message that a call names in a chat; 400 "message to {purpose} not found" without it."""
    if not params.has(name):
        raise bad_request("message identifier is not specified")
    message = chat.messages.get(params.integer(name))
    if message is None or message.deleted:
        raise bad_request(f"message to {purpose} not found")
    return message
