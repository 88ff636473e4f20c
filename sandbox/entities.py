"""Formatted text: parse_mode HTML, explicit entities, and the links and commands found in plain text.

Offsets and lengths are UTF-16 code units. The refusals are those of the Bot API's own parser (TDLib, parse_html),
which counts the place of an error in UTF-8 bytes.
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sandbox.errors import bad_request
from sandbox.params import Params

MAX_TEXT = 4096
MAX_CAPTION = 1024

TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "blockquote": "blockquote",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
}
EXPLICIT = {*TAGS.values(), "text_mention", "expandable_blockquote"}
NAMED_CHARACTERS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
CHARACTER = re.compile(r"&(?:#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))|([A-Za-z]+));?")
SPACE = " \t\n\r\0\v"

FOUND_IN_TEXT = (
    ("bot_command", re.compile(r"(?<![\w/@<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])")),
    ("email", re.compile(r"(?<![\w.@])[\w.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}(?!\w)")),
    ("url", re.compile(r"(?i)(?<![\w@])https?://[^\s<>\"]*[^\s<>\".,;:!?)\]}']")),
    (
        "url",
        re.compile(
            r"(?i)(?<![\w@./])(?:[a-z0-9-]+\.)+(?:com|org|net|int|info|edu|gov|io|me|eu|uk|de|fr|es|it|in)"
            r"(?:/[^\s<>\"]*[^\s<>\".,;:!?)\]}'])?(?![\w@])"
        ),
    ),
    ("mention", re.compile(r"(?<!\w)@[A-Za-z][A-Za-z0-9_]{3,31}(?!\w)")),
    ("hashtag", re.compile(r"(?<![\w#&])#(?!\d+\b)\w+")),
    ("phone_number", re.compile(r"(?<![\w+])\+\d[\d ()-]{6,17}\d(?!\w)")),
)


@dataclass(frozen=True)
class Formatted:
    """Text with its entities."""

    text: str
    entities: list[dict[str, Any]]

    def content(self, caption: bool = False) -> dict[str, Any]:
        """The fields of a message that hold it."""
        names = ("caption", "caption_entities") if caption else ("text", "entities")
        if not self.text:
            return {}
        return {names[0]: self.text} | ({names[1]: self.entities} if self.entities else {})


def utf16(text: str) -> int:
    """The length of text in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def formatted(params: Params, name: str = "text") -> Formatted:
    """The text (name="text") or caption (name="caption") of a call, checked for length.

    Raises 400 for markup that does not parse, and for text over 4,096 or a caption over 1,024 UTF-16 units.
    """
    entities_name = "entities" if name == "text" else "caption_entities"
    raw, mode = params.text(name), params.text("parse_mode").lower()
    explicit = params.array(entities_name)
    if mode == "html":
        result = trimmed(*parse_html(raw))
    elif mode in ("markdown", "markdownv2"):
        raise bad_request(f"parse_mode {params.text('parse_mode')} is not implemented by the sandbox; use HTML")
    elif mode:
        raise bad_request("unsupported parse_mode")
    else:
        result = trimmed(raw, checked(explicit or [], raw))
    result = Formatted(result.text, with_found(result.text, result.entities))
    if name == "text" and utf16(result.text) > MAX_TEXT:
        raise bad_request("message is too long")
    if name == "caption" and utf16(result.text) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    return result


def parse_html(markup: str) -> tuple[str, list[dict[str, Any]]]:
    """HTML as the Bot API understands it -> text and entities. Raises 400 "can't parse entities: …"."""
    out: list[str] = []
    length = 0
    open_tags: list[tuple[str, dict[str, str], int, int]] = []
    entities: list[dict[str, Any]] = []
    at = 0
    while at < len(markup):
        char = markup[at]
        if char == "&":
            decoded, at = decode_character(markup, at)
            out.append(decoded)
            length += utf16(decoded)
        elif char != "<":
            out.append(char)
            length += utf16(char)
            at += 1
        elif not markup.startswith("/", at + 1):
            name, attributes, at = start_tag(markup, at)
            open_tags.append((name, attributes, length, len(out)))
        else:
            begin = at
            if not open_tags:
                raise unparsable("Unexpected end tag at", markup, begin)
            end_name, at = end_tag(markup, at)
            name, attributes, start, first = open_tags.pop()
            if end_name and end_name != name:
                raise unparsable(
                    "Unmatched end tag at", markup, begin, f', expected "</{name}>", found "</{end_name}>"'
                )
            if length > start:
                close(entities, name, attributes, start, length - start, "".join(out[first:]))
    if open_tags:
        raise bad_request(f"can't parse entities: Can't find end tag corresponding to start tag \"{open_tags[-1][0]}\"")
    for entity in entities:
        if entity["type"] == "code":
            entity.pop("language", None)
    return "".join(out), entities


def unparsable(what: str, markup: str, at: int, more: str = "") -> Exception:
    """The refusal of markup, with the place counted in UTF-8 bytes."""
    return bad_request(f"can't parse entities: {what} byte offset {len(markup[:at].encode())}{more}")


def decode_character(text: str, at: int) -> tuple[str, int]:
    """The character that a reference such as &lt; stands for; a reference that is none stands for itself."""
    match = CHARACTER.match(text, at)
    if match:
        hexadecimal, decimal, name = match.groups()
        if name:
            if name in NAMED_CHARACTERS:
                return NAMED_CHARACTERS[name], match.end()
        else:
            code = int(hexadecimal, 16) if hexadecimal else int(decimal)
            if 0 < code < 0x10FFFF and not 0xD800 <= code <= 0xDFFF:
                return chr(code), match.end()
    return "&", at + 1


def start_tag(markup: str, begin: int) -> tuple[str, dict[str, str], int]:
    """Read `<name attribute="value" …>`: its name, its attributes and where the text goes on."""
    at = begin + 1
    while at < len(markup) and markup[at] not in SPACE + ">":
        at += 1
    if at == len(markup):
        raise unparsable("Unclosed start tag at", markup, begin)
    name = markup[begin + 1 : at].lower()
    if name not in TAGS:
        raise unparsable(f'Unsupported start tag "{name}" at', markup, begin)
    attributes: dict[str, str] = {}
    while True:
        at = skip_space(markup, at)
        if markup[at : at + 1] == ">":
            break
        first = at
        while at < len(markup) and markup[at] not in SPACE + "=>":
            at += 1
        attribute = markup[first:at].lower()
        if not attribute:
            raise unparsable(f'Empty attribute name in the tag "{name}" at', markup, begin)
        at = skip_space(markup, at)
        if markup[at : at + 1] != "=":
            if attribute == "expandable" and name == "blockquote" and at < len(markup):
                attributes[attribute] = ""
                continue
            raise unparsable(
                f'Expected equal sign in declaration of an attribute of the tag "{name}" at', markup, begin
            )
        at = skip_space(markup, at + 1)
        if at == len(markup):
            raise unparsable(f'Unclosed start tag "{name}" at', markup, begin)
        attributes[attribute], at = attribute_value(markup, at)
        if at == len(markup):
            raise unparsable("Unclosed start tag at", markup, begin)
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise unparsable('Tag "span" must have class "tg-spoiler" at', markup, begin)
    return name, attributes, at + 1


def attribute_value(markup: str, at: int) -> tuple[str, int]:
    """Read a quoted value, or a bare one of letters, digits, full stops and hyphens."""
    first = at
    quote = markup[at]
    if quote not in "'\"":
        while at < len(markup) and (markup[at].isascii() and (markup[at].isalnum() or markup[at] in ".-")):
            at += 1
        if at < len(markup) and markup[at] not in SPACE + ">":
            raise unparsable("Unexpected end of name token at", markup, first)
        return markup[first:at].lower(), at
    value: list[str] = []
    at += 1
    while at < len(markup) and markup[at] != quote:
        if markup[at] == "&":
            decoded, at = decode_character(markup, at)
            value.append(decoded)
        else:
            value.append(markup[at])
            at += 1
    return "".join(value), min(at + 1, len(markup))


def end_tag(markup: str, begin: int) -> tuple[str, int]:
    """Read `</name>`: its name and where the text goes on."""
    at = begin + 2
    while at < len(markup) and markup[at] not in SPACE + ">":
        at += 1
    name = markup[begin + 2 : at].lower()
    at = skip_space(markup, at)
    if markup[at : at + 1] != ">":
        raise unparsable("Unclosed end tag at", markup, begin)
    return name, at + 1


def skip_space(text: str, at: int) -> int:
    """The place of the next character that is no space."""
    while at < len(text) and text[at] in SPACE:
        at += 1
    return at


def close(
    entities: list[dict[str, Any]], name: str, attributes: dict[str, str], offset: int, length: int, inner: str
) -> None:
    """Append the entity of a closed tag; <pre><code class="language-…"> makes one entity with a language."""
    kind = TAGS[name]
    entity: dict[str, Any] = {"type": kind, "offset": offset, "length": length}
    if kind == "blockquote" and "expandable" in attributes:
        entity["type"] = "expandable_blockquote"
    elif kind == "custom_emoji":
        if not attributes.get("emoji-id", "").isdigit():
            raise bad_request("can't parse entities: Invalid custom emoji identifier specified")
        entity["custom_emoji_id"] = attributes["emoji-id"]
    elif kind == "text_link":
        url = link(attributes.get("href") or inner)
        if not url:
            return
        entity["url"] = url
    elif kind == "code" and attributes.get("class", "").startswith("language-"):
        entity["language"] = attributes["class"].removeprefix("language-")
    elif kind == "pre" and entities and is_code_with_language(entities[-1], offset, length):
        entities[-1]["type"] = "pre"
        return
    entities.append(entity)


def link(url: str) -> str:
    """The address of a link as Telegram keeps it; "" for one that it drops, leaving plain text."""
    try:
        parts = urlsplit(url if "://" in url or url.startswith(("tg:", "tel:", "mailto:")) else f"http://{url}")
    except ValueError:
        return ""
    if parts.scheme == "tg":
        return url
    if parts.scheme not in ("http", "https") or "." not in parts.netloc:
        return ""
    return parts.geturl() if parts.path else f"{parts.geturl()}/"


def is_code_with_language(entity: dict[str, Any], offset: int, length: int) -> bool:
    """Whether an entity is <code class="language-…"> over exactly this stretch."""
    return bool(entity["type"] == "code" and "language" in entity) and (
        entity["offset"] == offset and entity["length"] == length
    )


def checked(entities: list[Any], text: str) -> list[dict[str, Any]]:
    """Explicit entities of a call, those that a bot may set; 400 for what is no entity."""
    kept = []
    for entity in entities:
        if not isinstance(entity, dict) or not isinstance(entity.get("type"), str):
            raise bad_request("can't parse MessageEntity: Object expected as MessageEntity")
        offset, length = entity.get("offset"), entity.get("length")
        if not isinstance(offset, int) or not isinstance(length, int) or offset < 0 or length < 0:
            raise bad_request("can't parse MessageEntity: Field must be a non-negative number")
        if offset + length > utf16(text):
            raise bad_request(f"entity beginning at UTF-16 offset {offset} ends after the end of the text")
        if entity["type"] in EXPLICIT and length:
            kept.append(dict(entity))
    return kept


def trimmed(text: str, entities: list[dict[str, Any]]) -> Formatted:
    """Text without the white space around it, entities moved and cut to fit."""
    lead = utf16(text[: len(text) - len(text.lstrip())])
    core = text.strip()
    total = utf16(core)
    kept = []
    for entity in entities:
        start = max(entity["offset"] - lead, 0)
        stop = min(entity["offset"] + entity["length"] - lead, total)
        if stop > start:
            kept.append(entity | {"offset": start, "length": stop - start})
    return Formatted(core, kept)


def with_found(text: str, entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entities plus the commands, addresses, mentions… found in the text, in the order of the Bot API."""
    taken = [
        (e["offset"], e["offset"] + e["length"]) for e in entities if e["type"] in ("code", "pre", "text_link", "url")
    ]
    found = []
    for kind, pattern in FOUND_IN_TEXT:
        for match in pattern.finditer(text):
            start, length = utf16(text[: match.start()]), utf16(match.group())
            if all(start + length <= first or start >= last for first, last in taken):
                taken.append((start, start + length))
                found.append({"type": kind, "offset": start, "length": length})
    return sorted(entities + found, key=lambda e: (e["offset"], -e["length"]))
