"""One person's talk with the journey, without a database: what they do, and which ids are said in answer.

Every saying is rendered for both roles and in every variant, so that an id the guide lacks, or arguments its entry
does not take, fail whichever test meets them; so do two sayings of one turn that may begin with the same sentence.
The document goes through its stored form after every turn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations
from typing import Any

from actions.turns import heard as hear
from bot import journey
from bot.guide import Guide
from bot.journey import Heard, Turn
from bot.journey.turn import Effect, FileView
from bot.progress import Progress, Step
from bot.render import Choice, Say, Voice, render
from tests.bot.rules import decisions

CODE = "WP-2345-6789"
_OPENINGS: dict[str, frozenset[str]] = {}  # what could be said once can be said again


def mention(entity: str, value: str, text: str = "", words: str = "", **more: str) -> dict[str, Any]:
    """An entity as the engine finds it in a text: `words` are the clause that says it."""
    start = text.index(words) if words else 0
    return {"entity": entity, "value": value, "start": start, "end": start + len(words), **more}


@dataclass(repr=False)
class Talk:
    """A talk. `said` are the ids of the last turn, `effects` all that casework was asked for."""

    guide: Guide
    now: datetime
    progress: Progress = field(default_factory=Progress)
    consent: str = "none"
    held: str = "talking"
    files: list[FileView] = field(default_factory=list)
    turn: Turn | None = None
    effects: list[Effect] = field(default_factory=list)
    shown: list[Choice] = field(default_factory=list)  # every button ever shown, newest last

    # What the person does.

    def start(self) -> list[str]:
        """`/start`."""
        return self.hear("start")

    def write(self, intent: str, text: str = "", *entities: dict[str, Any], ranking: tuple[str, ...] = ()) -> list[str]:
        """Type something that the engine takes for `intent`."""
        return self.hear(intent, text or "some words", entities, ranking)

    def hear(
        self, intent: str, text: str = "", entities: tuple[dict[str, Any], ...] = (), ranking: tuple[str, ...] = ()
    ) -> list[str]:
        """One turn, from what the engine understood to the ids that are said."""
        latest = {
            "text": text,
            "intent": {"name": intent, "confidence": 0.9},
            "entities": list(entities),
            "intent_ranking": [{"name": name, "confidence": 0.1} for name in ranking],
        }
        return self.take(hear(latest), decisions()[intent])

    def take(self, heard: Heard, decision: str) -> list[str]:
        """One turn of one decision."""
        turn = Turn(
            progress=self.progress,
            heard=heard,
            now=self.now,
            consent=self.consent,  # type: ignore[arg-type]
            held=self.held,  # type: ignore[arg-type]
            code=CODE,
            files=tuple(self.files),
        )
        journey.decide(turn, journey.DECISIONS[decision])
        return self.settle(turn)

    def alarm(self, tier: str) -> list[str]:
        """What the safety net recognised before the engine was asked."""
        turn = Turn(self.progress, Heard("safety"), self.now, self.consent, self.held, CODE)  # type: ignore[arg-type]
        journey.safety.alarm(turn, tier)
        return self.settle(turn)

    def settle(self, turn: Turn) -> list[str]:
        """What casework makes of a turn, as far as the journey can see it."""
        self.turn = turn
        self.progress = turn.progress
        for effect in turn.effects:
            if effect.name in ("agree", "decline"):
                self.consent = "agreed" if effect.name == "agree" else "declined"
            if effect.name == "decline":
                self.progress = Progress(step=self.progress.step, said=self.progress.said, seen_at=self.now)
            if effect.name == "withdraw":
                self.consent, self.progress = "declined", Progress(step=Step("open"))
            if effect.name == "hand_off":
                self.held = "waiting"
        self.effects += turn.effects
        for say in turn.says:
            self.progress.said[say.say] = self.progress.said.get(say.say, 0) + 1
            self.shown += say.choices
            openings(self.guide, say)
        for one, other in combinations(turn.says, 2):
            if one.say != other.say and (alike := openings(self.guide, one) & openings(self.guide, other)):
                raise AssertionError(f"{one.say} and {other.say} of one turn may both begin with {sorted(alike)}")
        self.progress = Progress.model_validate_json(self.progress.model_dump_json())
        return self.said

    def press(self, label: str, **carries: str) -> list[str]:
        """Press a button by the guide id of its label, the newest that carries `carries`."""
        return self.push(self.button(label, **carries))

    def push(self, choice: Choice) -> list[str]:
        """Press a button that was kept."""
        parse = dict(choice.parse)
        return self.hear(parse["intent"], "", tuple(parse["entities"]))

    def button(self, label: str, **carries: str) -> Choice:
        """A button that was shown at some time."""
        for choice in reversed(self.shown):
            held = {entity["entity"]: entity["value"] for entity in choice.parse["entities"]}
            if choice.label == label and carries.items() <= held.items():
                return choice
        raise AssertionError(f"no button {label} {carries} was ever shown")

    def send_file(self, name: str, mime: str = "application/pdf", caption: str = "", *records: str) -> list[str]:
        """Send a file; `records` are what the engine found in its caption."""
        view = FileView(f"file{len(self.files)}", name, mime, "document")
        self.files.append(view)
        entities: list[dict[str, Any]] = [{"entity": "file", "value": view.id}]
        entities += [{"entity": "record", "value": record, "state": None} for record in records]
        if caption:
            entities.append({"entity": "caption", "value": caption})
        return self.hear("file", "", tuple(entities))

    # Shortcuts to places.

    def agree(self, role: str = "self") -> Talk:
        """Past the welcome, for oneself (or for a mother)."""
        self.start()
        self.press("choice.agree")
        self.press(f"choice.{role}")
        if role == "carer":
            self.press("relation.mother")
        return self

    def at(self, step: str, about: str = "") -> Talk:
        """Agreed, and standing at a step as if its question had just been asked."""
        if self.consent != "agreed":
            self.agree()
        self.progress.step = Step(step, about)
        return self

    # What is seen.

    @property
    def says(self) -> list[Say]:
        """What was said in the last turn."""
        assert self.turn is not None
        return self.turn.says

    @property
    def said(self) -> list[str]:
        """The ids said in the last turn."""
        return [say.say for say in self.says]

    @property
    def step(self) -> Step:
        """The pending question."""
        return self.progress.step

    @property
    def labels(self) -> list[str]:
        """The labels of the buttons shown in the last turn."""
        return [choice.label for say in self.says for choice in say.choices]

    def asked(self, *names: str) -> bool:
        """Whether casework was asked for an effect."""
        return any(effect.name in names for effect in self.effects)

    def words(self) -> str:
        """The words of the last turn, to a person who is ill themselves."""
        blocks = [b for say in self.says for b in render(self.guide, say, Voice(), 0)]
        return "\n".join(str(b.get("text") or b.get("title") or "") for b in blocks)


def first_sentence(text: str) -> str:
    """What a text begins with: its first sentence, or its first line."""
    return re.split(r"(?<=[.!?:])\s|\n", text, maxsplit=1)[0]


def openings(guide: Guide, say: Say) -> frozenset[str]:
    """What a saying may begin with, in whichever variant. Raises GuideError when the guide cannot say it."""
    key = json.dumps(say.to_json(), sort_keys=True)
    if key not in _OPENINGS:
        _OPENINGS[key] = frozenset(first_sentence(text) for text in every_rendering(guide, say) if text)
    return _OPENINGS[key]


def every_rendering(guide: Guide, say: Say) -> Iterator[str]:
    """A saying's words for both roles and in every variant. Raises GuideError when the guide cannot say it."""
    entry = guide.entry(say.say)
    for role, variants in (("self", entry.variants), ("carer", entry.carer or entry.variants)):
        for variant in range(len(variants)):
            voice = Voice(guide.languages[0], role, "mother" if role == "carer" else None)  # type: ignore[arg-type]
            for block in render(guide, say, voice, variant):
                yield str(block.get("text", ""))
