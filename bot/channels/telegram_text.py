"""Blocks as Telegram shows them: HTML text in parts that are short enough, and a keyboard of sensible rows. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.channels.telegram import CHOICE_PREFIX

LIMIT = 4096  # of one message, in UTF-16 units, the stricter of the two countings in use
MARKS = {
    "have": "✅",
    "partly": "◐",
    "asked": "⏳",
    "lost": "✗",
    "not_done": "▫",
    "not_for_me": "▫",
    "dont_know": "?",
}
UNKNOWN = "○"
BAR_LENGTH = 10
# How long the labels of a row may be, by the number of buttons in it: what a small phone shows uncut.
ROW_LABELS = {1: 64, 2: 16, 3: 9}

_MENTION = re.compile(r"(?<!\w)@(?=\w)")
_COMMAND = re.compile(r"(?<![\w/@<>])/(?=\w)")
_JOINER = "\u2060"  # invisible, and no part of a name or command


def text_of(blocks: Iterable[Mapping[str, Any]]) -> str:
    """The words of a message, a paragraph a block; what its buttons say is not among them."""
    paragraphs = []
    for block in blocks:
        match block["type"]:
            case "text":
                paragraphs.append(str(block["text"]))
            case "checklist":
                paragraphs.append(_checklist(block))
            case "file":
                paragraphs.append(f"📎 {block['name']}")
    return "\n\n".join(paragraphs)


def keyboard(blocks: Iterable[Mapping[str, Any]]) -> InlineKeyboardMarkup | None:
    """The choices of a message as buttons, or None."""
    buttons = [
        (choice["label"], f"{CHOICE_PREFIX}{choice['id']}")
        for block in blocks
        if block["type"] == "choices"
        for choice in block["choices"]
    ]
    return buttons_in_rows(buttons)


def buttons_in_rows(buttons: Sequence[tuple[str, str]]) -> InlineKeyboardMarkup | None:
    """(label, data) of buttons as a keyboard: short labels two or three in a row, long ones alone."""
    rows: list[list[InlineKeyboardButton]] = []
    for label, data in buttons:
        button = InlineKeyboardButton(label, callback_data=data)
        row = [*rows[-1], button] if rows else [button]
        if rows and len(row) in ROW_LABELS and all(len(each.text) <= ROW_LABELS[len(row)] for each in row):
            rows[-1] = row
        else:
            rows.append([button])
    return InlineKeyboardMarkup(rows) if rows else None


def parts(text: str, limit: int = LIMIT) -> list[str]:
    """Cut a text into messages: between paragraphs where there are any, else lines, else words."""
    cut_off, rest = [], text.strip()
    while units(rest) > limit:
        head = _within(rest, limit)
        at = next((place for gap in ("\n\n", "\n", " ") if (place := head.rfind(gap)) >= len(head) // 2), len(head))
        cut_off.append(head[:at].rstrip())
        rest = rest[at:].lstrip()
    return [*cut_off, rest]


def escaped(text: str) -> str:
    """Words of anybody as HTML that shows just them."""
    return html.escape(text, quote=False)


def named(name: str, text: str) -> str:
    """Words under the bold name of whoever says them, as HTML."""
    return f"<b>{escaped(name)}</b>\n{escaped(text)}" if text else f"<b>{escaped(name)}</b>"


def quiet(text: str) -> str:
    """The same to the eye, but an @name in it calls nobody, and a /command is none that can be touched."""
    return _COMMAND.sub(f"/{_JOINER}", _MENTION.sub(f"@{_JOINER}", text))


def units(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text) + sum(1 for char in text if ord(char) > 0xFFFF)


def _within(text: str, limit: int) -> str:
    """The longest beginning that has at most `limit` units."""
    head = text[:limit]
    while (over := units(head) - limit) > 0:
        head = head[: len(head) - (over + 1) // 2]
    return head


def _checklist(block: Mapping[str, Any]) -> str:
    done, total = int(block["done"]), max(int(block["total"]), 1)
    filled = round(BAR_LENGTH * done / total)
    lines = [str(block["title"]), f"{'▰' * filled}{'▱' * (BAR_LENGTH - filled)} {done}/{total}", ""]
    for item in block["items"]:
        state = f" · {item['state_label']}" if item["state"] else ""
        lines.append(f"{MARKS.get(item['state'], UNKNOWN)} {item['label']}{state}")
    return "\n".join(lines)
