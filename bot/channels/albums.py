"""Albums: several pictures or files that stand as one, on both sides. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from telegram import InputMediaAudio, InputMediaDocument, InputMediaPhoto, InputMediaVideo
from telegram.constants import ParseMode

type Part = Mapping[str, Any]  # file, kind, text, relayed
type Media = InputMediaAudio | InputMediaDocument | InputMediaPhoto | InputMediaVideo

_KINDS: dict[str, type[Media]] = {
    "photo": InputMediaPhoto,
    "video": InputMediaVideo,
    "document": InputMediaDocument,
    "audio": InputMediaAudio,
}


def media_of(parts: Sequence[Part], caption: Callable[[int, str], str]) -> list[Media]:
    """The parts as Telegram takes them; `caption` gives the HTML under the part at a place, from its words."""
    return [
        _KINDS[part["kind"]](part["file"], caption=caption(place, str(part["text"])), parse_mode=ParseMode.HTML)
        for place, part in enumerate(parts)
    ]


def is_album(parts: Sequence[Part]) -> bool:
    """Whether Telegram takes these parts together: more than one, all with a file of a kind that albums have."""
    return len(parts) > 1 and all(part["file"] and part["kind"] in _KINDS for part in parts)
