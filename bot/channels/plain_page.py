"""The chat as one plain page of HTML: what was said, and forms to answer. Pure; every word comes in as text."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

PATH = "/chat/plain"
NEWEST = "newest"
MAX_TEXT = 20_000
COMMAND = re.compile(r"/(start|link)\b")  # what the page itself says to the assistant, and nobody said
_LINK = re.compile(r"""\b(?:https://[^\s<>"']+|mailto:[^\s<>"'@]+@[^\s<>"'@]+|tel:\+?[\d().-]+)""", re.IGNORECASE)
_TRAILING = ".,;:!?)]}…"

Event = Mapping[str, Any]
Words = Callable[..., str]  # an id of the guide and its arguments -> the words


@dataclass(frozen=True)
class Form:
    """What the person has before them to answer with."""

    id: str  # of the message that they write next
    draft: str = ""  # words that could not be taken
    notice: str = ""


def chat(words: Words, events: Sequence[Event], standing: Mapping[str, Any], form: Form) -> str:
    """The conversation, and the forms to go on."""
    shown = [event for event in events if not _is_command(event)]
    withdrawn = {seq for event in events for block in event["blocks"] for seq in block.get("seqs", ())}
    newest = next((e["seq"] for e in reversed(shown) if any(b["type"] == "choices" for b in e["blocks"])), 0)
    said = {text for event in shown if event["seq"] > newest and event["role"] == "patient" for text in _texts(event)}
    cards = {b["id"]: e["seq"] for e in events for b in e["blocks"] if b["type"] == "checklist"}  # the newest state
    lines = [
        _event(words, event, form, said=said if event["seq"] == newest else None, cards=cards, last=event is shown[-1])
        for event in shown
        if event["seq"] not in withdrawn
    ]
    waits = bool(shown) and shown[-1]["role"] == "patient" and not standing["holder"]
    notice = form.notice or (words("plain.no_answer_yet") if waits else "")
    return "\n".join(
        (
            f'<h2 id="conversation">{safe(words("plain.conversation"))}</h2>',
            f'<ol aria-labelledby="conversation">{"".join(lines)}</ol>',
            _with_whom(words, standing),  # where one writes, and so always near
            f'<p class="notice" role="status">{safe(notice)}</p>' if notice else "",
            _answer(words, form),
            _beside(words, form),
        )
    )


def start(words: Words, telegram: str, notice: str = "") -> str:
    """What this is, whom one may ask, and a button to begin."""
    name = safe(words("plain.telegram", name=telegram))
    link = f'<a href="https://t.me/{safe(telegram)}" rel="noopener noreferrer">{name}</a>'
    return "\n".join(
        (
            f"<p>{safe(words('plain.lead'))}</p>",
            f'<p class="notice" role="status">{safe(notice)}</p>' if notice else "",
            f"<p>{safe(words('plain.what'))}</p><p>{safe(words('plain.person'))}</p><p>{safe(words('plain.how'))}</p>",
            f'<form method="post" action="{PATH}/start"><button>{safe(words("plain.start"))}</button></form>',
            f"<p>{link}</p>" if telegram else "",
            f'<p><a href="/">{safe(words("plain.home"))}</a></p>',
        )
    )


def ask_to_delete(words: Words) -> str:
    """The question before everything is deleted."""
    return (
        f'<p role="alert">{safe(words("plain.delete_sure"))}</p><div class="beside">'
        f'<form method="post" action="{PATH}/delete"><button>{safe(words("plain.delete_yes"))}</button></form>'
        f'<p><a href="{PATH}">{safe(words("plain.delete_no"))}</a></p></div>'
    )


def page(words: Words, body: str, lang: str = "en") -> str:
    """A page around a body, under the words that always stand above."""
    title = safe(words("plain.title"))
    return (
        f'<!doctype html>\n<html lang="{safe(lang)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="robots" content="noindex">\n'
        f'<title>{title}</title>\n<link rel="icon" href="/icon.svg" type="image/svg+xml">\n'
        '<link rel="stylesheet" href="/plain.css">\n</head>\n<body>\n<main>\n'
        f"<h1>{title}</h1>\n"
        f'<p class="emergency"><strong>{safe(words("plain.emergency"))}</strong> '
        f"{safe(words('plain.emergency_more'))}</p>\n{body}\n</main>\n</body>\n</html>\n"
    )


def blank() -> str:
    """A page that says nothing of where somebody was."""
    return '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>…</title>\n</head>\n</html>\n'


def safe(text: str) -> str:
    """Anybody's words as text, never as markup."""
    return html.escape(text)


def _with_whom(words: Words, standing: Mapping[str, Any]) -> str:
    holder, due = standing["holder"], standing["answer_by"]
    with_whom = words("plain.with_person", name=holder) if holder else words("plain.with_assistant")
    by = f" {safe(words('plain.due', at=_moment(due)))}" if due else ""
    return f'<p class="{"coordinator" if holder else "assistant"}">{safe(with_whom)}{by}</p>'


def _event(
    words: Words, event: Event, form: Form, *, said: set[str] | None, cards: Mapping[str, int], last: bool
) -> str:
    parts = [_block(words, block, event, form, said=said, cards=cards) for block in event["blocks"]]
    if not any(parts):
        return ""
    anchor = f' id="{NEWEST}"' if last else ""
    lang = f' lang="{safe(event["lang"])}"' if event["lang"] else ""
    head = f'<p class="speaker"><b>{safe(_speaker(words, event))}</b> {_time(event["at"])}</p>'
    return f'<li class="{event["role"]}"{anchor}{lang}>{head}{"".join(parts)}</li>\n'


def _speaker(words: Words, event: Event) -> str:
    if event["role"] == "coordinator":
        return words("plain.coordinator", name=event["name"]) if event["name"] else words("plain.a_coordinator")
    return words({"patient": "plain.you", "system": "plain.notice"}.get(event["role"], "plain.assistant"))


def _block(
    words: Words, block: Mapping[str, Any], event: Event, form: Form, *, said: set[str] | None, cards: Mapping[str, int]
) -> str:
    match block["type"]:
        case "text":
            return _paragraphs(block["text"], links=event["role"] != "patient")
        case "choices":
            labels = {choice["label"] for choice in block["choices"]}
            return _choices(words, block, form, used=said is None or bool(labels & said) or bool(block.get("used")))
        case "checklist" if cards[block["id"]] == event["seq"]:
            return _checklist(words, block)
        case "file":
            return _file(words, block)
        case "steps":  # the words beside it say the same
            return f'<progress max="{int(block["total"])}" value="{int(block["at"])}" aria-hidden="true"></progress>'
        case "qr":
            return _code(block)
    return ""


def _paragraphs(text: str, *, links: bool) -> str:
    made = (_linked(part) if links else safe(part) for part in re.split(r"\n{2,}", text) if part.strip())
    return "".join(f'<p dir="auto">{paragraph}</p>' for paragraph in made)


def _linked(text: str) -> str:
    """Text with its safe addresses as links."""
    made, end = [], 0
    for found in _LINK.finditer(text):
        address = found[0].rstrip(_TRAILING)
        made += [safe(text[end : found.start()]), f'<a href="{safe(address)}" rel="noopener noreferrer">']
        made.append(f"{safe(re.sub(r'^(?:mailto|tel):', '', address, flags=re.IGNORECASE))}</a>")
        end = found.start() + len(address)
    return "".join((*made, safe(text[end:])))


def _choices(words: Words, block: Mapping[str, Any], form: Form, *, used: bool) -> str:
    labels = [str(choice["label"]) for choice in block["choices"]]
    if used:
        return f'<p class="used">{safe(words("plain.chosen", labels=" · ".join(labels)))}</p>'
    buttons = (
        f'<button name="choice" value="{safe(str(choice["id"]))}" dir="auto">{safe(str(choice["label"]))}</button>'
        for choice in block["choices"]
    )
    label = safe(words("plain.choices"))
    group = f'<div class="choices" role="group" aria-label="{label}">{"".join(buttons)}</div>'
    return f"<form {_POST}>{_id(form)}{group}</form>"


def _checklist(words: Words, block: Mapping[str, Any]) -> str:
    items = (f"<li>{safe(item['label'])}: {safe(item['state_label'])}</li>" for item in block["items"])
    ready = safe(words("plain.ready", done=block["done"], total=block["total"]))
    return f'<div class="card"><p><b dir="auto">{safe(block["title"])}</b> {ready}</p><ul>{"".join(items)}</ul></div>'


def _file(words: Words, block: Mapping[str, Any]) -> str:
    name = safe(words("plain.file", name=block.get("name", "")))
    if not block.get("id"):
        return f'<p dir="auto">{name}</p>'
    return f'<p dir="auto"><a href="{PATH}/files/{safe(str(block["id"]))}">{name}</a></p>'


def _code(block: Mapping[str, Any]) -> str:
    """A phone's camera wants it dark on light, with room around it."""
    room = f"-4 -4 {block['size'] + 8} {block['size'] + 8}"
    drawn = f'<svg viewBox="{room}" role="img" aria-label="QR"><path d="{safe(block["path"])}"/></svg>'
    return f"<figure>{drawn}<figcaption>{safe(block['label'])}</figcaption></figure>"


_POST = f'method="post" action="{PATH}" enctype="multipart/form-data"'


def _answer(words: Words, form: Form) -> str:
    return (
        f'<form {_POST} class="answer">{_id(form)}'
        f'<label for="text">{safe(words("plain.write"))}</label>'
        f'<textarea id="text" name="text" rows="4" maxlength="{MAX_TEXT}" dir="auto">{safe(form.draft)}</textarea>'
        f'<label for="file">{safe(words("plain.attach"))}</label><input id="file" type="file" name="file">'
        f"<button>{safe(words('plain.send'))}</button></form>"
    )


def _beside(words: Words, form: Form) -> str:
    person = safe(words("plain.ask_person"))
    # An address that was not shown before, since a link to where one is only scrolls.
    look = f'<a href="{PATH}?look={safe(form.id)}#{NEWEST}">{safe(words("plain.look"))}</a>'
    return (
        f'<div class="beside"><p>{look}</p>'
        f'<form {_POST}>{_id(form)}<button name="text" value="{person}">{person}</button></form>'
        f'<form method="post" action="{PATH}/leave"><button>{safe(words("plain.leave"))}</button></form>'
        f'<p><a href="{PATH}/delete">{safe(words("plain.delete"))}</a></p></div>'
    )


def _id(form: Form) -> str:
    return f'<input type="hidden" name="id" value="{safe(form.id)}">'


def _is_command(event: Event) -> bool:
    return event["role"] == "patient" and any(map(COMMAND.match, _texts(event)))


def _texts(event: Event) -> list[str]:
    return [block["text"] for block in event["blocks"] if block["type"] == "text"]


def _time(at: str) -> str:
    return f'<time datetime="{safe(at)}">{safe(_moment(at))}</time>'


def _moment(at: str) -> str:
    """A moment by the world's clock: without JavaScript we do not know the person's own."""
    return f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
