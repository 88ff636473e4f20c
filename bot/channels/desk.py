"""The coordinators' group: a message in a topic, an edit, a reaction, a press, a topic closed -> DeskInbound. Pure."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from telegram import CallbackQuery, ChatMemberUpdated, Message, MessageReactionUpdated, ReactionTypeEmoji, User
from telegram.constants import ChatMemberStatus

from bot.casework import DeskInbound
from bot.channels.telegram import MAX_ALBUM, MAX_QUOTE, clean_text, file_of, note_of

MAX_TEXT = 4096
MAX_NAME = 100
MAX_DATA = 64
MAX_USERNAME = 40


def from_message(message: Message) -> DeskInbound | None:
    """What a coordinator wrote or sent; None for bots, channels and service messages."""
    writer = _writer(message)
    media = _media(message)
    text = message.text or message.caption or ""
    if writer is None or not (text or media):
        return None
    user_id, user_name = writer
    return DeskInbound(
        kind="message",
        chat_id=message.chat.id,
        thread_id=_topic(message),
        message_id=message.message_id,
        user_id=user_id,
        user_name=user_name,
        text=clean_text(text, MAX_TEXT),
        reply_to=_reply_to(message),
        media=media,
        album=(message.media_group_id or "")[:MAX_ALBUM],
        quote=clean_text(message.quote.text, MAX_QUOTE) if message.quote else "",
        forwarded=message.forward_origin is not None,
        at=_seconds(message.date),
        username=_username(message.from_user),
        mentioned=_mentioned(message),
    )


def from_edit(message: Message) -> DeskInbound | None:
    """A coordinator changed a message; None for what has no words, such as a live location that moves."""
    said = from_message(message) if message.text or message.caption else None
    return replace(said, kind="edit") if said is not None else None


def from_closing(message: Message) -> DeskInbound | None:
    """A coordinator closed a topic by hand; None for any other message, and when the bot itself closed it."""
    writer = _writer(message)
    if writer is None or message.forum_topic_closed is None:
        return None
    user_id, user_name = writer
    return DeskInbound(
        kind="closed",
        chat_id=message.chat.id,
        thread_id=_topic(message),
        message_id=message.message_id,
        user_id=user_id,
        user_name=user_name,
        at=_seconds(message.date),
    )


def from_reaction(change: MessageReactionUpdated) -> DeskInbound | None:
    """A coordinator gave a message an emoji that they had not given it yet; None when nobody human did."""
    given = [r.emoji for r in change.new_reaction if isinstance(r, ReactionTypeEmoji)]
    before = [r.emoji for r in change.old_reaction if isinstance(r, ReactionTypeEmoji)]
    new = [emoji for emoji in given if emoji not in before]
    user, group = change.user, change.actor_chat  # an administrator who stays anonymous reacts as the group
    if (
        not new
        or (user is None and (group is None or group.id != change.chat.id))
        or (user is not None and user.is_bot)
    ):
        return None
    return DeskInbound(
        kind="reaction",
        chat_id=change.chat.id,
        thread_id=0,  # Telegram does not tell in which topic it was
        message_id=change.message_id,
        user_id=user.id if user is not None else change.chat.id,
        user_name=clean_text(user.full_name if user is not None else "", MAX_NAME),
        data=new[0][:MAX_DATA],
        at=_seconds(change.date),
    )


def from_press(query: CallbackQuery) -> DeskInbound | None:
    """A coordinator pressed a button; None when the message with it is not told."""
    message = query.message
    if message is None:
        return None
    return DeskInbound(
        kind="press",
        chat_id=message.chat.id,
        thread_id=_topic(message) if isinstance(message, Message) else 0,
        message_id=message.message_id,
        user_id=query.from_user.id,
        user_name=clean_text(query.from_user.full_name, MAX_NAME),
        data=(query.data or "")[:MAX_DATA],
        callback_id=query.id[:MAX_DATA],
        username=_username(query.from_user),
    )


def from_leaving(change: ChatMemberUpdated) -> DeskInbound | None:
    """Somebody is in the group no more; None when they are, or when it is a bot."""
    user = change.new_chat_member.user
    if user.is_bot or change.new_chat_member.status not in (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED):
        return None
    return DeskInbound(
        kind="left",
        chat_id=change.chat.id,
        thread_id=0,
        message_id=0,
        user_id=user.id,
        user_name=clean_text(user.full_name, MAX_NAME),
        at=_seconds(change.date),
    )


def _username(user: User | None) -> str:
    return clean_text(user.username or "", MAX_USERNAME) if user is not None else ""


def _mentioned(message: Message) -> int:
    """Whom the words name who has no username: Telegram tells their id."""
    entities = message.entities or message.caption_entities or ()
    return next((entity.user.id for entity in entities if entity.user is not None), 0)


def _writer(message: Message) -> tuple[int, str] | None:
    """Who wrote it. An administrator who stays anonymous writes as the group itself, and is a human all the same."""
    if message.sender_chat is not None:
        if message.sender_chat.id != message.chat.id:
            return None
        return message.chat.id, clean_text(message.author_signature or message.chat.title or "", MAX_NAME)
    user = message.from_user
    return (user.id, clean_text(user.full_name, MAX_NAME)) if user is not None and not user.is_bot else None


def _topic(message: Message) -> int:
    """The forum topic of a message; 0 in General. Without the flag, the number only groups replies."""
    return (message.message_thread_id or 0) if message.is_topic_message else 0


def _reply_to(message: Message) -> int:
    """The message that was replied to. In a topic, what replies to nothing "replies" to the topic's creation."""
    target = message.reply_to_message
    if target is None or target.forum_topic_created or target.message_id == message.message_thread_id:
        return 0
    return target.message_id


def _media(message: Message) -> dict[str, Any] | None:
    """What else than text is in a message; a file id where it is a file, "" where it can only be copied."""
    file = file_of(message)
    if file is not None:
        values = asdict(file)
        return {
            "file_id": values.pop("telegram_file_id"),
            **{key: values[key] for key in ("name", "mime", "size", "kind")},
        }
    if message.effective_attachment is None:
        return None
    return {"file_id": "", "name": "", "mime": "", "size": 0, "kind": _kind(message), "said": _said(message)}


def _kind(message: Message) -> str:
    return "venue" if message.venue else note_of(message)


def _said(message: Message) -> dict[str, str]:
    """What can be said in words of what is no file: for whom it cannot be copied."""
    if (venue := message.venue) is not None:
        place = {"latitude": f"{venue.location.latitude:.5f}", "longitude": f"{venue.location.longitude:.5f}"}
        return {**place, "title": clean_text(venue.title, MAX_NAME), "address": clean_text(venue.address, MAX_QUOTE)}
    if (location := message.location) is not None:
        return {"latitude": f"{location.latitude:.5f}", "longitude": f"{location.longitude:.5f}"}
    if (contact := message.contact) is not None:
        name = " ".join(part for part in (contact.first_name, contact.last_name) if part)
        return {"name": clean_text(name, MAX_NAME), "number": clean_text(contact.phone_number, MAX_NAME)}
    if (sticker := message.sticker) is not None:
        return {"emoji": clean_text(sticker.emoji or "🙂", MAX_NAME)}
    return {}


def _seconds(moment: datetime) -> int:
    """A moment in seconds since 1970."""
    return int(moment.timestamp())
