"""The state of the sandbox, and the few ways in which it changes."""

from collections import defaultdict, deque
from dataclasses import asdict
from itertools import count
from typing import Any

from sandbox.calls import CallLog
from sandbox.chats import GENERAL, Chat, Json, Member, Message, Person, Topic
from sandbox.clock import Bell, Clock
from sandbox.errors import bad_request
from sandbox.faults import Faults
from sandbox.files import FileStore
from sandbox.limits import Limits
from sandbox.updates import UpdateQueue
from sandbox.webhooks import Webhook

DEFAULT_TOKEN = "1000001:sandbox"  # noqa: S105 (made up; it opens nothing)
GROUP_ID = -1001000000001
"""The group "Coordinators (sample)" of the world at the start."""
ADA, BEN, MEI, LUIS = 2000001, 2000002, 3000001, 3000002
EVENTS_KEPT = 5000


class World:
    """Everybody and everything of one sandbox. Its methods never wait, so each change is all or nothing."""

    def __init__(self, clock: Clock | None = None, token: str = DEFAULT_TOKEN) -> None:
        self.clock = clock or Clock()
        self.token = token
        self.bell = Bell()
        # These go on over a reset: a bot that keeps running must never meet an old number again.
        self.event_numbers = count(1)
        self.update_numbers = count(500001)
        self.query_numbers = count(700001)
        self.album_numbers = count(13000001)
        self.file_numbers = count(1)
        self.person_numbers = count(4000001)
        self.group_numbers = count(2)
        self.message_numbers: defaultdict[int, count[int]] = defaultdict(lambda: count(101))
        self.reset()

    def reset(self) -> None:
        """Go back to the world at the start: two patients, two coordinators in a forum group, the bot its admin."""
        self.bot = Person(int(self.token.partition(":")[0]), "Waypoint", username="waypoint_sandbox_bot", is_bot=True)
        self.people: dict[int, Person] = {}
        self.chats: dict[int, Chat] = {}
        self.updates = UpdateQueue(self.clock, self.bell, self.update_numbers)
        self.webhook: Webhook | None = None
        self.calls = CallLog(self.bell)
        self.faults = Faults()
        self.limits = Limits(self.clock)
        self.files = FileStore(self.file_numbers)
        self.queries: dict[str, Json] = {}
        self.settings: dict[str, Any] = {}
        """What the bot set about itself: commands, menu buttons, name, descriptions."""
        self.events: deque[Json] = deque(maxlen=EVENTS_KEPT)
        for number, name in ((ADA, "Ada"), (BEN, "Ben"), (MEI, "Mei"), (LUIS, "Luis")):
            self.add_person(name, "(sample)", language_code="en", number=number)
        self.add_group("Coordinators (sample)", [LUIS], [MEI], forum=True, number=GROUP_ID)
        self.publish("reset")

    def publish(self, kind: str, **details: Any) -> int:
        """Note a change for the live page and wake whoever waits; returns the change's number."""
        number = next(self.event_numbers)
        self.events.append({"n": number, "kind": kind, **details})
        self.bell.ring()
        return number

    def add_person(
        self, first_name: str, last_name: str = "", *, username: str = "", language_code: str = "", number: int = 0
    ) -> Person:
        """A new person, with a private chat that the bot does not know of until the person writes."""
        person = Person(number or next(self.person_numbers), first_name, last_name, username, language_code)
        self.people[person.id] = person
        self.chats[person.id] = Chat(person.id, "private", person=person)
        self.publish("person", person=person.user())
        return person

    def add_group(
        self, title: str, members: list[int], admins: list[int], *, forum: bool, basic: bool = False, number: int = 0
    ) -> Chat:
        """A new group of people with the bot as administrator; a forum has the General topic."""
        if not number:
            offset = next(self.group_numbers)
            number = -(4000000 + offset) if basic else -(1001000000000 + offset)
        chat = Chat(number, "group" if basic else "supergroup", title, forum)
        for person_id, status in [(p, "member") for p in members] + [(p, "administrator") for p in admins]:
            chat.members[person_id] = Member(self.person(person_id), status)
        chat.members[self.bot.id] = Member(self.bot, "administrator")
        if forum:
            chat.topics[GENERAL] = Topic(GENERAL, "General")
        self.chats[chat.id] = chat
        self.publish("chat", chat=chat.brief())
        return chat

    def person(self, person_id: int) -> Person:
        """The person of an id (the bot counts); 400 for an unknown one."""
        person = self.bot if person_id == self.bot.id else self.people.get(person_id)
        if person is None:
            raise bad_request("user not found")
        return person

    def chat(self, chat_id: int) -> Chat:
        """The chat of an id; 400 for an unknown one."""
        chat = self.chats.get(chat_id)
        if chat is None:
            raise bad_request("chat not found")
        return chat

    def post(
        self,
        chat: Chat,
        sender: Person,
        content: Json,
        *,
        thread: int = 0,
        reply_to: int = 0,
        markup: Json | None = None,
    ) -> Message:
        """Put a message into a chat; the bot gets an update if it may see it."""
        # One account has one row of message ids over all its private chats and basic groups; supergroups count alone.
        numbers = self.message_numbers[chat.id if chat.type == "supergroup" else 0]
        message = Message(chat, next(numbers), sender, self.clock.date(), content, thread, reply_to, markup)
        if "forum_topic_created" in content:
            message.thread = message.id
        chat.messages[message.id] = message
        self.touch(message, "message")
        if self.bot_sees(message):
            self.updates.add("message", message.full(), chat.id)
        return message

    def touch(self, message: Message, kind: str) -> None:
        """Publish that a message is new ("message"), "edited" or "deleted"."""
        message.changed = next(self.event_numbers)
        self.events.append({"n": message.changed, "kind": kind, "chat": message.chat.id, "message": self.view(message)})
        self.bell.ring()

    def bot_sees(self, message: Message) -> bool:
        """Whether the bot gets an update: its own words never; in a group without being admin, privacy mode."""
        if message.sender is self.bot:
            return message.service and "migrate_to_chat_id" not in message.content
        if message.chat.private:
            return True
        member = message.chat.members.get(self.bot.id)
        if member is None or not member.inside:
            return False
        if member.status in ("administrator", "creator") or message.service:
            return True
        parent = message.chat.messages.get(message.reply_to)
        text: str = message.content.get("text") or message.content.get("caption") or ""
        reply_to_bot = parent is not None and parent.sender is self.bot
        return reply_to_bot or text.startswith("/") or f"@{self.bot.username}" in text

    def edit(self, message: Message, content: Json | None, markup: Json | None) -> None:
        """Change what a message holds (None: only its keyboard)."""
        message.versions.append(message.body())
        if content is not None:
            message.content = content
            message.edit_date = self.clock.date()
        message.markup = markup
        self.touch(message, "edited")

    def delete(self, message: Message) -> None:
        """Take a message away, for everybody."""
        message.deleted = True
        if message.id in message.chat.pinned:
            message.chat.pinned.remove(message.id)
        self.touch(message, "deleted")

    def pin(self, message: Message, by: Person) -> None:
        """Pin a message; the chat is told by a service message."""
        chat = message.chat
        if message.id in chat.pinned:
            chat.pinned.remove(message.id)
        chat.pinned.append(message.id)
        self.touch(message, "edited")
        self.post(chat, by, {"pinned_message": message.full()}, thread=message.thread)

    def unpin(self, message: Message) -> None:
        """Unpin a message, quietly."""
        message.chat.pinned.remove(message.id)
        self.touch(message, "edited")

    def react(self, message: Message, by: Person, given: list[Json]) -> None:
        """Set someone's reaction to a message; the bot, as an administrator, learns of those of people."""
        old = message.reactions.get(by.id, [])
        message.reactions[by.id] = given
        self.touch(message, "edited")
        member = message.chat.members.get(self.bot.id)
        if by is not self.bot and (message.chat.private or (member and member.status == "administrator")):
            change = {
                "chat": message.chat.brief(),
                "message_id": message.id,
                "user": by.user(),
                "date": self.clock.date(),
                "old_reaction": old,
                "new_reaction": given,
            }
            self.updates.add("message_reaction", change, message.chat.id)

    def create_topic(self, chat: Chat, by: Person, name: str, color: int, icon: str = "") -> Topic:
        """A new topic, begun by its service message, whose id is the topic's."""
        topic = Topic(0, name, color, icon, by.id)
        message = self.post(chat, by, {"forum_topic_created": topic.created()})
        topic.id = message.id
        chat.topics[topic.id] = topic
        self.topic_changed(chat, topic)
        return topic

    def edit_topic(self, chat: Chat, topic: Topic, by: Person, name: str, icon: str) -> None:
        """Rename a topic or change its icon."""
        change = {"name": name} if name != topic.name else {}
        if icon != topic.icon_custom_emoji_id:
            change["icon_custom_emoji_id"] = icon
        topic.name, topic.icon_custom_emoji_id = name, icon
        self.post(chat, by, {"forum_topic_edited": change}, thread=thread_of(topic))
        self.topic_changed(chat, topic)

    def close_topic(self, chat: Chat, topic: Topic, by: Person, closed: bool) -> None:
        """Close or reopen a topic."""
        topic.closed = closed
        event = "forum_topic_closed" if closed else "forum_topic_reopened"
        self.post(chat, by, {event: {}}, thread=thread_of(topic))
        self.topic_changed(chat, topic)

    def delete_topic(self, chat: Chat, topic: Topic) -> None:
        """Delete a topic with its messages. Nobody is told: Telegram sends no update for it."""
        topic.deleted = True
        for message in chat.messages.values():
            if message.thread == topic.id and not message.deleted:
                self.delete(message)
        self.topic_changed(chat, topic)

    def topic_changed(self, chat: Chat, topic: Topic) -> None:
        """Publish a topic as it stands."""
        self.publish("topic", chat=chat.id, topic=asdict(topic))

    def set_member(self, chat: Chat, person: Person, status: str, by: Person, rights: dict[str, bool]) -> None:
        """Change someone's standing in a group; the bot learns of it where Telegram would tell it."""
        old = chat.members.get(person.id) or Member(person, "left")
        new = Member(person, status, rights)
        chat.members[person.id] = new
        bot_saw = chat.members[self.bot.id].status == "administrator" if self.bot.id in chat.members else False
        change = {
            "chat": chat.brief(),
            "from": by.user(),
            "date": self.clock.date(),
            "old_chat_member": old.chat_member(),
            "new_chat_member": new.chat_member(),
        }
        if person is self.bot:
            self.updates.add("my_chat_member", change, chat.id)
        elif bot_saw:
            self.updates.add("chat_member", change, chat.id)
        if new.inside and not old.inside:
            self.post(chat, by, {"new_chat_members": [person.user()]})
        elif old.inside and not new.inside:
            self.post(chat, by, {"left_chat_member": person.user()})
        self.publish("member", chat=chat.id, person=person.id, status=status)

    def set_blocked(self, person: Person, blocked: bool) -> None:
        """The person blocks or unblocks the bot."""
        if person.blocked == blocked:
            return
        states = {False: Member(self.bot, "member").chat_member(), True: Member(self.bot, "kicked").chat_member()}
        person.blocked = blocked
        change = {
            "chat": self.chats[person.id].brief(),
            "from": person.user(),
            "date": self.clock.date(),
            "old_chat_member": states[not blocked],
            "new_chat_member": states[blocked],
        }
        self.updates.add("my_chat_member", change, person.id)
        self.publish("blocked", person=person.id, blocked=blocked)

    def migrate(self, chat: Chat, by: Person) -> Chat:
        """Upgrade a group: a new supergroup with the same members takes over, both chats are told."""
        members = {m.person.id: m for m in chat.members.values()}
        new = self.add_group(chat.title, [], [], forum=chat.forum)
        new.members = members
        self.post(chat, by, {"migrate_to_chat_id": new.id})
        chat.migrated_to = new.id
        self.post(new, by, {"migrate_from_chat_id": chat.id})
        self.publish("migrated", chat=chat.id, to=new.id)
        return new

    def view(self, message: Message) -> Json:
        """A message for test programs and the page: the Bot API's Message, and under "sandbox" what it cannot say."""
        beyond: Json = {
            "deleted": message.deleted,
            "pinned": message.id in message.chat.pinned,
            "changed": message.changed,
            "from_bot": message.sender is self.bot,
            "versions": message.versions,
            "reactions": [
                {"person": person, "emoji": [r.get("emoji") for r in given]}
                for person, given in message.reactions.items()
                if given
            ],
        }
        return message.full() | {"sandbox": beyond}


def thread_of(topic: Topic) -> int:
    """The message_thread_id of what is said in a topic; General has none."""
    return 0 if topic.id == GENERAL else topic.id
