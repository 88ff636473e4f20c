"""What a world consists of: people, chats, members, topics, messages."""

from dataclasses import dataclass, field
from typing import Any

type Json = dict[str, Any]

GENERAL = 1
"""The General topic; it is never named in a message, and sending to it takes no message_thread_id."""

ADMIN_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_pin_messages",
    "can_manage_topics",
)
MEMBER_RIGHTS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)
INSIDE = ("creator", "administrator", "member", "restricted")
STATUSES = (*INSIDE, "left", "kicked")


@dataclass
class Person:
    """Someone with a Telegram account; the bot too."""

    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language_code: str = ""
    is_bot: bool = False
    hides_forwards: bool = False
    started: bool = False
    """Whether the person ever wrote to the bot: before that a bot cannot write first."""
    blocked: bool = False

    def user(self) -> Json:
        """The Bot API's User."""
        names = ("last_name", "username", "language_code")
        return {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name} | {
            name: getattr(self, name) for name in names if getattr(self, name)
        }

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass
class Member:
    """A person's standing in a chat."""

    person: Person
    status: str = "member"
    rights: dict[str, bool] = field(default_factory=dict)

    @property
    def inside(self) -> bool:
        """Whether the person is in the chat."""
        return self.status in INSIDE

    def can(self, right: str) -> bool:
        """Whether the member has an administrator's right."""
        return self.status == "creator" or (self.status == "administrator" and self.rights.get(right, True))

    def may_send(self) -> bool:
        """Whether the member may write."""
        return self.inside and (self.status != "restricted" or self.rights.get("can_send_messages", False))

    def chat_member(self) -> Json:
        """The Bot API's ChatMember, of the subtype that the status asks for."""
        body: Json = {"status": self.status, "user": self.person.user()}
        match self.status:
            case "creator":
                body["is_anonymous"] = False
            case "administrator":
                body |= {"can_be_edited": False, "is_anonymous": False}
                body |= {right: self.rights.get(right, True) for right in ADMIN_RIGHTS}
            case "restricted":
                body |= {"is_member": True, "until_date": 0}
                body |= {right: self.rights.get(right, False) for right in MEMBER_RIGHTS}
            case "kicked":
                body["until_date"] = 0
        return body


@dataclass
class Topic:
    """A topic of a forum; its id is the id of the message that created it."""

    id: int
    name: str
    icon_color: int = 7322096
    icon_custom_emoji_id: str = ""
    creator: int = 0
    closed: bool = False
    deleted: bool = False
    hidden: bool = False

    def created(self) -> Json:
        """The fields of forum_topic_created."""
        body: Json = {"name": self.name, "icon_color": self.icon_color}
        return body | ({"icon_custom_emoji_id": self.icon_custom_emoji_id} if self.icon_custom_emoji_id else {})


@dataclass
class Message:
    """A message as it stands; `content` holds the Bot API fields of what is in it."""

    chat: "Chat"
    id: int
    sender: Person
    date: int
    content: Json
    thread: int = 0
    reply_to: int = 0
    markup: Json | None = None
    edit_date: int = 0
    deleted: bool = False
    changed: int = 0
    """The number of the world's change that made or last touched it."""
    versions: list[Json] = field(default_factory=list)
    reactions: dict[int, list[Json]] = field(default_factory=dict)

    @property
    def service(self) -> bool:
        """Whether it tells of an event instead of carrying something said."""
        return bool(self.content.keys() & SERVICE)

    def body(self) -> Json:
        """The Bot API's Message without what it replies to."""
        body: Json = {"message_id": self.id, "from": self.sender.user(), "date": self.date, "chat": self.chat.brief()}
        if self.thread:
            body |= {"message_thread_id": self.thread, "is_topic_message": True}
        if self.edit_date:
            body["edit_date"] = self.edit_date
        body |= self.content
        if self.markup:
            body["reply_markup"] = self.markup
        return body

    def full(self) -> Json:
        """The Bot API's Message. In a topic, what replies to nothing "replies" to the topic's creation."""
        parent = self.chat.messages.get(self.reply_to or self.thread)
        if parent is None or parent.deleted or parent is self:
            return self.body()
        return self.body() | {"reply_to_message": parent.body()}


SERVICE = {
    "new_chat_members",
    "left_chat_member",
    "new_chat_title",
    "pinned_message",
    "migrate_to_chat_id",
    "migrate_from_chat_id",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_closed",
    "forum_topic_reopened",
    "general_forum_topic_hidden",
    "general_forum_topic_unhidden",
}


@dataclass
class Chat:
    """A private chat (its id is the person's), a basic group or a supergroup."""

    id: int
    type: str
    title: str = ""
    forum: bool = False
    person: Person | None = None
    members: dict[int, Member] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    pinned: list[int] = field(default_factory=list)
    migrated_to: int = 0
    available_reactions: list[Json] | None = None
    """The reactions that the group allows; None for all of them."""

    @property
    def private(self) -> bool:
        """Whether it is a chat of one person with the bot."""
        return self.person is not None

    def brief(self) -> Json:
        """The Bot API's Chat."""
        if self.person is None:
            return {"id": self.id, "type": self.type, "title": self.title} | ({"is_forum": True} if self.forum else {})
        names = {name: getattr(self.person, name) for name in ("first_name", "last_name", "username")}
        return {"id": self.id, "type": self.type} | {name: value for name, value in names.items() if value}

    def last_pinned(self) -> Message | None:
        """The message pinned last, if it still stands."""
        return next((self.messages[n] for n in reversed(self.pinned) if not self.messages[n].deleted), None)
