"""Patients on Telegram: a message, an edit or a pressed button of a private chat -> Inbound. Pure."""

from __future__ import annotations

import re
from typing import Any

from telegram import CallbackQuery, Message, User

from bot.casework import FileRef, Inbound
from bot.channels.web_files import clean_name

CHOICE_PREFIX = "c:"
MAX_TEXT = 4096  # Telegram's apps cut longer texts into several messages
MAX_CAPTION = 4096  # 1,024, and more for those who pay
MAX_QUOTE = 200
MAX_ALBUM = 40
_CHOICE = re.compile(r"[A-Za-z0-9_-]{1,62}")
_START = re.compile(r"/start(?:@\w+)?(?:\s+(?P<payload>\S+))?\s*", re.DOTALL)
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")


def address(message: Message) -> str:
    """Where answers to this message go: the id of the private chat."""
    return str(message.chat.id)


def language(user: User | None) -> str:
    """The language of somebody's app, without the region ("pt-br" is "pt"); English when it is not told."""
    return ((user.language_code if user else None) or "en").partition("-")[0].lower()[:12]


def from_message(message: Message) -> Inbound | None:
    """What a person wrote or sent; None for a service message, in which nobody says anything."""
    raw = _raw(message)
    reply_to = str(message.reply_to_message.message_id) if message.reply_to_message else ""
    if message.text:
        text = clean_text(message.text, MAX_TEXT)
        if start := _START.fullmatch(text):
            payload = start["payload"] or ""
            return Inbound("start", start=payload if _PAYLOAD.fullmatch(payload) else "", raw=raw)
        return Inbound("text", text=text, reply_to=reply_to, raw=raw)
    if file := file_of(message):
        caption = clean_text(message.caption or "", MAX_CAPTION)
        return Inbound("file", text=caption, files=(file,), reply_to=reply_to, raw=raw)
    if message.effective_attachment is None:
        return None
    return Inbound("other", note=note_of(message), reply_to=reply_to, raw=raw)


def from_edit(message: Message) -> Inbound | None:
    """New words in the place of old ones: whoever holds the case must see them. None when no words are in it.

    Telegram also calls it an edit when a live location moves.
    """
    text = clean_text(message.text or message.caption or "", MAX_TEXT)
    return Inbound("other", note="edited", text=text, raw=_raw(message)) if text else None


def from_press(query: CallbackQuery) -> Inbound | None:
    """A pressed button; None when it is not one of ours."""
    data = query.data or ""
    choice = data.removeprefix(CHOICE_PREFIX)
    if query.message is None or choice == data or not _CHOICE.fullmatch(choice):
        return None
    raw = {"chat_id": query.message.chat.id, "message_id": query.message.message_id}
    return Inbound("choice", choice=choice, raw=raw)


def file_of(message: Message) -> FileRef | None:
    """The file in a message, the largest size of a photo; None when it holds none that can be kept as a record."""
    if message.photo:
        photo = max(reversed(message.photo), key=lambda size: size.width * size.height)
        return FileRef("photo.jpg", "image/jpeg", photo.file_size or 0, "photo", photo.file_id)
    if message.animation:  # a moving picture of the app's collection; Telegram calls it a document too
        return None
    if (document := message.document) is not None:
        return _file("document", document, "document", "application/octet-stream")
    if (video := message.video) is not None:
        return _file("video", video, "video.mp4", "video/mp4")
    if (audio := message.audio) is not None:
        return _file("audio", audio, "audio.mp3", "audio/mpeg")
    if (voice := message.voice) is not None:
        return FileRef("voice.ogg", _mime(voice.mime_type, "audio/ogg"), voice.file_size or 0, "voice", voice.file_id)
    if (note := message.video_note) is not None:
        return FileRef("video.mp4", "video/mp4", note.file_size or 0, "video_note", note.file_id)
    return None


def note_of(message: Message) -> str:
    """Which kind of thing it is that is neither text nor a file, of those that the assistant has words for."""
    if message.sticker:
        return "sticker"
    if message.location or message.venue:
        return "location"
    return "contact" if message.contact else "other"


def clean_text(text: str, limit: int) -> str:
    """Words of bounded length, without what a database or the wire refuses: NUL, and halves of characters."""
    return text.replace("\x00", "").encode(errors="ignore").decode()[:limit]


def _file(kind: str, media: object, name: str, mime: str) -> FileRef:
    given: str = getattr(media, "file_name", None) or ""
    return FileRef(
        name=clean_name(given) if given else name,
        mime=_mime(getattr(media, "mime_type", None), mime),
        size=getattr(media, "file_size", None) or 0,
        kind=kind,
        telegram_file_id=str(getattr(media, "file_id", "")),
    )


def _mime(given: str | None, otherwise: str) -> str:
    """The type that the sender's app named: their claim, so only its form is looked at."""
    return given if given and re.fullmatch(r"[\w.+-]{1,60}/[\w.+-]{1,60}", given, re.ASCII) else otherwise


def _raw(message: Message) -> dict[str, Any]:
    """Where Telegram keeps the original, so that it can be copied; its album; what it replies to, in short."""
    raw: dict[str, Any] = {"chat_id": message.chat.id, "message_id": message.message_id}
    if message.media_group_id:
        raw["album"] = message.media_group_id[:MAX_ALBUM]
    target = message.reply_to_message
    if quoted := (message.quote.text if message.quote else "") or (target and (target.text or target.caption)):
        raw["quoted"] = clean_text(quoted, MAX_QUOTE)
    return raw
