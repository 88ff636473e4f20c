"""Splitting a message into what can be said at once: sentences, clauses and the items of a list, with their places."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

FEWEST_WORDS = 2  # of a piece
MOST_PIECES = 60  # of one message

# A full stop ends a sentence unless it stands in a number, an address or a short form.
_SENTENCE = re.compile(
    r"(?<!\bdr)(?<!\bst)(?<!\bvs)(?<!\be\.g)(?<!\bi\.e)[.!?…]+(?=\s|$)|[;\n\r]+|[。！？]", re.IGNORECASE
)
_CLAUSE = re.compile(
    r",?\s+(?:but|however|although|though|whereas|while|because|coz|cuz|since|except(?:\s+for)?|and\s+then|and\s+also|also|"
    r"and\s+(?=(?:i|we|he|she|they|it|my|our|his|her|the|nobody|no\s+one|now|so)\b)|so\s+(?=\w)|plus|yet\s+(?=\w))\s+|"
    r"\s+[-–—]+\s+|,\s+|\s*[()]\s*|:\s+",
    re.IGNORECASE,
)


class Span(NamedTuple):
    """A piece of a text and where it stands: text[start:end]."""

    start: int
    end: int
    text: str


@lru_cache(256)
def plain(text: str) -> str:
    """The text in lower case with plain quotes and spaces, every character still in its place."""
    low = text.lower()
    if len(low) != len(text):  # a capital İ is two in lower case
        low = "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)
    return low.translate(_PLAIN)


_PLAIN = {
    ord(odd): plain
    for plain, odds in {"'": "’‘`´ʼ", '"': "“”«»", " ": "\t\u00a0\u202f", "-": "‐‑"}.items()
    for odd in odds
}


def sentences(text: str) -> list[Span]:
    """The sentences of a text."""
    return _split(_SENTENCE, Span(0, len(text), text))


def clauses(sentence: Span) -> list[Span]:
    """The clauses of a sentence: what stands between commas and joining words."""
    return _split(_CLAUSE, sentence)


def pieces(text: str) -> list[Span]:
    """What a text may say by itself: each sentence, each clause, and each clause with the next."""
    found: list[Span] = []
    for sentence in sentences(text):
        parts = clauses(sentence)
        spans = [sentence, *parts] if len(parts) > 1 else [sentence]
        if len(parts) > 2:
            spans += [Span(a.start, b.end, text[a.start : b.end]) for a, b in pairwise(parts)]
        found += [span for span in spans if len(span.text.split()) >= FEWEST_WORDS]
    return found[:MOST_PIECES]


def _split(pattern: re.Pattern[str], whole: Span) -> list[Span]:
    spans, start = [], 0
    for match in [*pattern.finditer(whole.text), None]:
        piece = whole.text[start : match.start() if match else len(whole.text)]
        stripped = piece.strip()
        if stripped:
            place = whole.start + start + piece.index(stripped)
            spans.append(Span(place, place + len(stripped), stripped))
        if match:
            start = match.end()
    return spans
