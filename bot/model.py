"""Tables. The case is the truth; messages are the record of what was said; inbox and outbox never lose a word."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from bot.sealing import Sealed

AutoId = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself only in INTEGER


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always aware and in UTC; SQLite forgets the zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive moment; store UTC."""
        if value is not None and value.tzinfo is None:
            raise ValueError("moments are stored with their time zone")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Moments come back in UTC."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Secret(TypeDecorator[Any]):
    """People's words, names and contacts: sealed in the database, as they are in Python (bot/keyring.py does both).

    Emptiness is no secret and stays empty, so that rows can be emptied at once. `kind` is str, dict or list.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, kind: type) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        """Refuse what was not sealed."""
        if isinstance(value, Sealed):
            return value.data
        if value is not None and value != self.kind():
            raise ValueError("this column takes sealed values only")
        return None if value is None else b""

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        """What is sealed is opened once its row is known."""
        return None if value is None else Sealed(bytes(value)) if value else self.kind()


def new_id() -> str:
    """A random 128-bit id, 32 hexadecimal characters."""
    return uuid.uuid4().hex


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012


class Case(Base):
    """One person's matter: how far they got, and who holds it."""

    __tablename__ = "cases"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    lang: Mapped[str] = mapped_column(String(12), default="en")
    consent: Mapped[str] = mapped_column(String(10), default="none")  # none, agreed, declined
    consent_version: Mapped[str] = mapped_column(String(20), default="")
    consent_at: Mapped[datetime | None]
    consent_channel: Mapped[str] = mapped_column(String(10), default="")
    keep_days: Mapped[int | None]  # what was said, when they agreed, of how long it is kept
    keep_case_days: Mapped[int | None]
    progress: Mapped[str] = mapped_column(Secret(str))  # bot.progress.Progress as JSON
    state: Mapped[str] = mapped_column(String(10), default="talking", index=True)  # talking, waiting, claimed, closed
    urgent: Mapped[bool] = mapped_column(default=False)
    urgent_reason: Mapped[str] = mapped_column(String(40), default="")
    handed_off_at: Mapped[datetime | None]
    holder_id: Mapped[int | None] = mapped_column(BigInteger)
    holder_name: Mapped[str] = mapped_column(Secret(str), default="")
    claimed_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    close_reason: Mapped[str] = mapped_column(Secret(str), default="")
    waiting_since: Mapped[datetime | None]  # the first words of the person that no human has answered yet
    due_at: Mapped[datetime | None] = mapped_column(index=True)  # when they are late, by the desk's working hours
    escalations: Mapped[int] = mapped_column(default=0)  # how often the group was told that they are late
    alert_at: Mapped[datetime | None] = mapped_column(index=True)  # when the group is told next that they are late
    away_until: Mapped[datetime | None]  # the end of the absence that the person was told of
    answered_at: Mapped[datetime | None]  # the last words of a human
    first_answered_at: Mapped[datetime | None]
    reopened: Mapped[int] = mapped_column(default=0)
    satisfaction: Mapped[int | None]  # 1 to 5, asked once after a case is closed
    blocked: Mapped[bool] = mapped_column(default=False)  # the coordinators take no more words of this person
    topic_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    brief_message_id: Mapped[int | None] = mapped_column(BigInteger)


class Consent(Base):
    """One yes or no of a person: to what is kept, and to what is sent to people. `cases` holds what counts now."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(AutoId, primary_key=True, autoincrement=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    at: Mapped[datetime]
    what: Mapped[str] = mapped_column(String(10))  # agreed, declined, withdrawn, sent
    version: Mapped[str] = mapped_column(String(20))
    channel: Mapped[str] = mapped_column(String(10))
    lang: Mapped[str] = mapped_column(String(12))
    keep_days: Mapped[int | None]  # as it was told
    keep_case_days: Mapped[int | None]


class Conversation(Base):
    """One address on one channel; several may share a case."""

    __tablename__ = "conversations"
    __table_args__ = (UniqueConstraint("channel", "address"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    channel: Mapped[str] = mapped_column(String(10))
    address: Mapped[str] = mapped_column(String(64))  # Telegram: the chat id; web: a random id
    lang: Mapped[str] = mapped_column(String(12), default="en")
    created_at: Mapped[datetime]
    last_seq: Mapped[int] = mapped_column(default=0)
    blocked: Mapped[bool] = mapped_column(default=False)
    card_message_id: Mapped[int | None] = mapped_column(BigInteger)  # Telegram: the live checklist


class Inbox(Base):
    """What came in, stored before it was acknowledged. Its id is the turn's id. Lanes keep order."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("lane", "external_id"),
        Index("inbox_due", "state", "lane", "number"),
        Index("inbox_alarms", "state", "alarm"),
        Index("inbox_pace", "lane", "received_at"),
    )

    number: Mapped[int] = mapped_column(AutoId, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(32), unique=True, default=new_id)
    lane: Mapped[str] = mapped_column(String(48))  # a conversation id, or "desk:<topic>"
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id"), index=True)
    external_id: Mapped[str] = mapped_column(String(64))
    seq: Mapped[int] = mapped_column(default=0)
    payload: Mapped[dict[str, Any]] = mapped_column(Secret(dict))
    received_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(8), default="new")  # new, done, failed
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime | None]
    alarm: Mapped[str] = mapped_column(String(30), default="")  # a red flag in the words: it overtakes its lane
    said: Mapped[list[Any] | None] = mapped_column(
        Secret(list)
    )  # what this turn said: a second run says the same and changes nothing
    error: Mapped[str] = mapped_column(String(200), default="")


class Message(Base):
    """One thing said by anyone in one conversation: the transcript, and the web's event log."""

    __tablename__ = "messages"
    __table_args__ = (UniqueConstraint("conversation_id", "seq"),)

    id: Mapped[int] = mapped_column(AutoId, primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    seq: Mapped[int]
    role: Mapped[str] = mapped_column(String(12))  # assistant, patient, coordinator, system
    name: Mapped[str] = mapped_column(Secret(str), default="")
    lang: Mapped[str] = mapped_column(String(12), default="en")
    say: Mapped[str] = mapped_column(String(80), default="")
    blocks: Mapped[list[Any]] = mapped_column(Secret(list))
    at: Mapped[datetime]
    in_reply_to: Mapped[int | None]


class Button(Base):
    """A choice that was offered: opaque outside, dead once used, good only in its conversation."""

    __tablename__ = "buttons"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    seq: Mapped[int]  # of the message it stands under
    label: Mapped[str] = mapped_column(Secret(str))
    parse: Mapped[dict[str, Any]] = mapped_column(Secret(dict))
    used_at: Mapped[datetime | None]


class Outbox(Base):
    """What goes out to Telegram, written in the transaction of its cause. Lanes keep order."""

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_due", "state", "lane", "id"),)

    id: Mapped[int] = mapped_column(AutoId, primary_key=True, autoincrement=True)
    mark: Mapped[str] = mapped_column(String(32), default=new_id)  # names the row to what is sealed in it
    lane: Mapped[str] = mapped_column(String(48))  # "chat:<address>", "topic:<case>", "now" for callbacks
    kind: Mapped[str] = mapped_column(String(20))
    payload: Mapped[dict[str, Any]] = mapped_column(Secret(dict))
    priority: Mapped[int] = mapped_column(default=5)  # 0 first
    coalesce: Mapped[str] = mapped_column(String(80), default="", index=True)
    case_id: Mapped[str | None] = mapped_column(String(32), index=True)
    conversation_id: Mapped[str | None] = mapped_column(String(32), index=True)
    created_at: Mapped[datetime]
    not_before: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(8), default="due")  # due, sent, failed, dropped, joined
    sent_at: Mapped[datetime | None]
    message_id: Mapped[int | None] = mapped_column(BigInteger)  # Telegram's, once sent
    error: Mapped[str] = mapped_column(String(200), default="")


class TopicMessage(Base):
    """Which message in the coordinators' group stands for what: a reply to a person's words goes to that person."""

    __tablename__ = "topic_messages"

    chat_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    message_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))  # brief, person, note


class Mention(Base):
    """What coordinators were shown elsewhere of a case: what was found, and the words that it was looked for with."""

    __tablename__ = "mentions"

    chat_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    message_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), primary_key=True, index=True)


class Relayed(Base):
    """The same words on both sides: a message of the topic, and a person's. For quotes, edits, marks, taking back."""

    __tablename__ = "relayed"
    __table_args__ = (
        Index("relayed_desk", "desk_chat_id", "desk_message_id"),
        Index("relayed_person", "conversation_id", "message_id"),
    )

    id: Mapped[int] = mapped_column(AutoId, primary_key=True, autoincrement=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    from_person: Mapped[bool]
    desk_chat_id: Mapped[int | None] = mapped_column(BigInteger)
    desk_message_id: Mapped[int | None] = mapped_column(BigInteger)
    message_id: Mapped[int | None] = mapped_column(BigInteger)  # Telegram's, in the person's chat
    seq: Mapped[int | None]  # of the transcript
    user_id: Mapped[int | None] = mapped_column(BigInteger)  # the coordinator who wrote it
    album: Mapped[str] = mapped_column(String(40), default="")  # Telegram's number of the album it came in
    at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default="sending")  # sending, delivered, failed, undone


class Reminder(Base):
    """Something that a coordinator wants to be told about a case at a time."""

    __tablename__ = "reminders"

    id: Mapped[int] = mapped_column(AutoId, primary_key=True, autoincrement=True)
    mark: Mapped[str] = mapped_column(String(32), default=new_id)  # names the row to what is sealed in it
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    due_at: Mapped[datetime] = mapped_column(index=True)
    text: Mapped[str] = mapped_column(Secret(str))
    by_name: Mapped[str] = mapped_column(Secret(str))
    done: Mapped[bool] = mapped_column(default=False)


class Note(Base):
    """What a coordinator wants all to know of a case. It never reaches the person."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(AutoId, primary_key=True, autoincrement=True)
    mark: Mapped[str] = mapped_column(String(32), default=new_id)  # names the row to what is sealed in it
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Secret(str))
    by_name: Mapped[str] = mapped_column(Secret(str))


class Draft(Base):
    """What a coordinator asked for and has not confirmed yet: an answer that was prepared, or an erasure."""

    __tablename__ = "drafts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))  # answer, erase
    user_id: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[str] = mapped_column(Secret(str))
    at: Mapped[datetime]


class Member(Base):
    """A coordinator who did something in the group: bots cannot list a group's members, nor look up a username."""

    __tablename__ = "members"

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str] = mapped_column(Secret(str))
    username: Mapped[str] = mapped_column(Secret(str), default="")


class DeskEvent(Base):
    """What happened at the desk, for its figures. Holds nobody's words, and outlives an erased case without its id."""

    __tablename__ = "desk_events"

    id: Mapped[int] = mapped_column(AutoId, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(index=True)
    case_id: Mapped[str | None] = mapped_column(String(32), index=True)
    kind: Mapped[str] = mapped_column(String(16))  # handed_off, claimed, first_answer, answered, closed, …
    value: Mapped[int | None]  # seconds that the person waited for an answer; satisfaction: 1 to 5
    in_hours: Mapped[bool] = mapped_column(default=True)  # whether the wait began in working hours


class File(Base):
    """A file somebody sent: by Telegram's id, or as a path under the files folder."""

    __tablename__ = "files"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    turn: Mapped[str] = mapped_column(String(32), default="")
    name: Mapped[str] = mapped_column(Secret(str))
    mime: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(10))  # document, photo, voice, video, audio
    telegram_file_id: Mapped[str] = mapped_column(Secret(str), default="")
    path: Mapped[str] = mapped_column(String(200), default="")
    key: Mapped[str] = mapped_column(Secret(str), default="")  # of the file in our folder
    record: Mapped[str] = mapped_column(String(40), default="")
    sender: Mapped[str] = mapped_column(String(12), default="patient")  # patient, coordinator
    created_at: Mapped[datetime]


class Link(Base):
    """A one-time way to go on elsewhere, or to see what is kept; only the code's hash is kept."""

    __tablename__ = "links"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    purpose: Mapped[str] = mapped_column(String(8), default="join")  # join, data


class Receipt(Base):
    """That something was erased, and what became of it in the group. It does not say whose it was."""

    __tablename__ = "receipts"

    code: Mapped[str] = mapped_column(String(16), primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(12))  # person, coordinator
    in_group: Mapped[str] = mapped_column(String(8))  # none, deleting, waiting, deleted, left
    left_in_group: Mapped[int] = mapped_column(default=0)  # messages that Telegram does not let the bot delete


class Fact(Base):
    """Small facts that outlive a process: the bot's name, the group's id after a migration, the last update."""

    __tablename__ = "facts"

    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[str] = mapped_column(String(200))


class DataKey(Base):
    """A key that seals what belongs to one owner, wrapped by DATA_KEY. Destroyed, it leaves its random id."""

    __tablename__ = "data_keys"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(32), index=True)  # a case, "desk", or "system"
    wrapped: Mapped[bytes | None] = mapped_column(LargeBinary)
    wrapped_by: Mapped[str] = mapped_column(String(16))  # which DATA_KEY
    made_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]


# What names a row to what is sealed in it: values cannot be moved to another row, column or table.
ROWS: dict[type[Base], tuple[str, ...]] = {
    Case: ("id",),
    Inbox: ("id",),
    Message: ("conversation_id", "seq"),
    Button: ("id",),
    Outbox: ("mark",),
    Reminder: ("mark",),
    Note: ("mark",),
    Draft: ("id",),
    Member: ("user_id",),
    File: ("id",),
}
