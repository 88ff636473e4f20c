"""From (id, arguments) to blocks: pure. Channels turn blocks into Telegram or web; nothing here knows either."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot import qr
from bot.guide import Guide

Block = dict[str, Any]
IN_HAND = ("have", "partly")  # states of a record that count as gathered


@dataclass(frozen=True)
class Choice:
    """A button: the guide id of its label, and what pressing it means to the engine (intent and entities)."""

    label: str
    parse: Mapping[str, Any]
    args: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"label": self.label, "parse": dict(self.parse), "args": dict(self.args)}


@dataclass(frozen=True)
class Card:
    """The live checklist: each record with its state, "" when it is not known."""

    kind: Literal["checklist"]
    states: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"kind": self.kind, "states": dict(self.states)}


@dataclass(frozen=True)
class Code:
    """An address as a picture for a phone's camera: the guide id of where it leads, and the address."""

    label: str
    url: str

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"label": self.label, "url": self.url}


@dataclass(frozen=True)
class Say:
    """Something to say: a guide id, its arguments, the choices offered under it, a card beside it, and codes."""

    say: str
    args: Mapping[str, Any] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    card: Card | None = None
    codes: tuple[Code, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain data, the way it crosses to the engine and into the database."""
        return {
            "say": self.say,
            "args": dict(self.args),
            "choices": [choice.to_json() for choice in self.choices],
            "card": self.card.to_json() if self.card else None,
            "codes": [code.to_json() for code in self.codes],
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Say:
        """Out of plain data. Raises KeyError when it is not a saying."""
        card = data.get("card")
        return Say(
            data["say"],
            data.get("args") or {},
            tuple(Choice(c["label"], c["parse"], c.get("args") or {}) for c in data.get("choices") or ()),
            Card(card["kind"], card["states"]) if card else None,
            tuple(Code(c["label"], c["url"]) for c in data.get("codes") or ()),
        )


@dataclass(frozen=True)
class Voice:
    """To whom it is said: the language, and whether the person is ill themselves or cares for a relation."""

    lang: str = "en"
    role: Literal["self", "carer"] = "self"
    relation: str | None = None


def render(guide: Guide, say: Say, voice: Voice, variant: int) -> list[Block]:
    """The blocks of one message. `variant` counts how often it was said before, so that wordings take turns.

    Raises GuideError for an id that the guide lacks, or arguments that its entry does not take.
    """
    text = speak(guide, say.say, say.args, voice, variant)
    blocks = [_checklist(guide, say.card, voice, text) if say.card else {"type": "text", "text": text}]
    if {"n", "total"} <= say.args.keys():  # one question of several
        blocks.append({"type": "steps", "at": say.args["n"], "total": say.args["total"]})
    blocks += [qr.block(_capital(speak(guide, code.label, {}, voice)), code.url) for code in say.codes]
    if say.choices:
        choices = [
            {"label": _capital(speak(guide, choice.label, choice.args, voice)), "parse": dict(choice.parse)}
            for choice in say.choices
        ]
        blocks.append({"type": "choices", "choices": choices})
    return blocks


def speak(guide: Guide, say: str, args: Mapping[str, Any], voice: Voice, variant: int = 0) -> str:
    """The words of one entry. People's own words among the arguments are never taken for placeholders.

    An argument is words or a number; a list, which becomes lines; or {"say": id, "args": {...}}, another entry.
    """
    spoken = {name: _value(guide, value, voice) for name, value in args.items()}
    return guide.entry(say, voice.lang).text(voice.role, variant, {**_person(guide, voice), **spoken})


def _value(guide: Guide, value: Any, voice: Voice) -> str:
    if isinstance(value, Mapping):
        return speak(guide, value["say"], value.get("args") or {}, voice)
    if isinstance(value, list | tuple):
        items = (
            _value(guide, item, voice).replace("\n", "\n  ") for item in value
        )  # a list in a list stands further in
        return "\n".join(f"• {item}" for item in items)
    return str(value)


def _person(guide: Guide, voice: Voice) -> dict[str, str]:
    """{person} and {persons} ("you" and "your", or "your brother" and "your brother's"), also to begin a sentence."""

    def words(say: str, **args: str) -> str:
        return guide.entry(say, voice.lang).text("self", 0, args)

    if voice.role == "carer":
        relation = words(f"relation.{voice.relation or 'relative'}")
        person, persons = words("person.carer", relation=relation), words("persons.carer", relation=relation)
    else:
        person, persons = words("person.self"), words("persons.self")
    return {"person": person, "persons": persons, "Person": _capital(person), "Persons": _capital(persons)}


def _capital(words: str) -> str:
    """Names stand in the guide as they stand inside a sentence; on a button or in the checklist they begin one."""
    return words[:1].upper() + words[1:]


def _checklist(guide: Guide, card: Card, voice: Voice, title: str) -> Block:
    items = [
        {
            "id": record,
            "label": _capital(speak(guide, f"records.{record}.name", {}, voice)),
            "state": state,
            "state_label": _capital(speak(guide, f"state.{state or 'unknown'}", {}, voice)),
        }
        for record, state in card.states.items()
    ]
    done = sum(1 for state in card.states.values() if state in IN_HAND)
    return {"type": "checklist", "id": "records", "title": title, "done": done, "total": len(items), "items": items}
