"""The safety net: red flags and self-harm in a person's words, recognised before anything else, without the engine.

It is a tripwire, never a triage: it only says "act now", there is no all-clear, and no number is judged. Patterns
(data/safety/red_flags.yml, each with its source) pair a symptom with its being present; what is past, denied, asked
about or only imagined is told apart. What is worded too mildly for patterns is left to two classifiers: a small one
here (bot/tripwire.py), which speaks up when it is very sure, or when the engine is away; and the engine's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from bot.tripwire import Danger, tripwire
from bot.wording import plain

Tier = Literal["emergency.now", "emergency.team", "self_harm.now", "self_harm.wish", "self_harm.third_party"]

FLAGS = Path(__file__).resolve().parent.parent / "data" / "safety" / "red_flags.yml"
LIMIT = 20_000  # characters of one text
# Of the tripwire (docs/decisions/0004-understanding.md): from where on it speaks by itself, also while the engine is
# away, and from where on it lets a pattern speak. What it doubts is left to the engine, which reads whole sentences.
SURE, WARY, DOUBTFUL = 0.9, 0.4, 0.15
BEFORE = 40  # characters before a hit in which a denial counts
_CLAUSE = re.compile(r"[.!?;\n]+|,? but |,? however |,? though ")


@dataclass(frozen=True)
class Flag:
    """One red flag: what it is, how urgent, who says so, and the words that raise it."""

    name: str
    tier: Tier
    source: str
    pattern: re.Pattern[str]


def _load() -> tuple[tuple[Flag, ...], dict[str, re.Pattern[str]]]:
    stored = yaml.safe_load(FLAGS.read_text(encoding="utf-8"))
    flags = tuple(Flag(f["flag"], f["tier"], f["source"], re.compile(f["pattern"])) for f in stored["flags"])
    return flags, {name: re.compile(pattern) for name, pattern in stored["excuses"].items()}


RED_FLAGS, _EXCUSES = _load()
# What a classifier finds is answered with the words for the milder tier: they name the emergency number, too.
_TIER_OF: dict[Danger, Tier] = {"emergency": "emergency.team", "self_harm": "self_harm.wish"}


def screen(text: str, *, wary: bool = False) -> Tier | None:
    """The alarm that a text raises, or None, which is never an all-clear.

    Takes any text of a person (typed, a caption, words to a coordinator), at most its first 20,000 characters.
    `wary`: nobody looks after us, since the engine is away; so less is enough.
    """
    words = plain(text[:LIMIT])
    likely = tripwire().likely(words)
    danger = max(likely, key=lambda each: likely[each])
    flag = _raised(words)
    if flag and (wary or likely[danger] >= DOUBTFUL):
        return flag.tier
    return _TIER_OF[danger] if likely[danger] >= (WARY if wary else SURE) else None


def _raised(words: str) -> Flag | None:
    """The first red flag whose pattern stands in a clause that does not excuse it."""
    clauses = [_EXCUSES["idiom"].sub(" ", clause) for clause in _CLAUSE.split(words) if clause.strip()]
    for flag in RED_FLAGS:
        for clause in clauses:
            hit = flag.pattern.search(clause)
            if hit and not _excused(flag, clause, hit.start()):
                return flag
    return None


def read(intent: str) -> Tier | None:
    """The alarm of a message that the engine read as `intent`, or None."""
    return next((tier for danger, tier in _TIER_OF.items() if intent == f"safety.{danger}"), None)


def _excused(flag: Flag, clause: str, start: int) -> bool:
    """Whether the words around a hit say that it is not so, not now, or only asked about."""
    if _EXCUSES["denied"].search(clause[max(0, start - BEFORE) : start]):
        return True
    if flag.tier.startswith("self_harm"):
        return bool(_EXCUSES["denied_self_harm"].search(clause))
    return bool(_EXCUSES["past"].search(clause) or _EXCUSES["imagined_or_asked"].search(clause))
