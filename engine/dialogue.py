"""One turn of the dialogue: understand the message, let the rules pick the action, run it. Nothing is kept after it.

Rasa's own processor keeps a tracker for each conversation and replays it at every turn; here the tracker lives for one
turn, since the case (bot/progress.py) is the only copy of what is known (docs/decisions/0002-stateless-engine.md).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.core.lock_store import InMemoryLockStore
from rasa.core.nlg import TemplatedNaturalLanguageGenerator
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.events import ActionExecuted, Event, SessionStarted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from engine.actions import Actions

MAX_TEXT = 2_000  # characters; a longer message blocks everyone for as long as it takes to read
SLASHES = "/\N{FULLWIDTH SOLIDUS}\N{DIVISION SLASH}\N{FRACTION SLASH}\N{BIG SOLIDUS}"


class ModelMissing(Exception):
    """There is no model to load; the message says what to do."""


class Unknown(ValueError):
    """The caller named an intent that the domain does not know, or sent something that is not a message."""


@dataclass(frozen=True)
class Answer:
    """What came of a turn: what was said, as ids, and what the message was taken for."""

    says: list[dict[str, Any]]
    intent: dict[str, Any]


class Dialogue:
    """The loaded model. `turn` and `parse` may be called side by side; only the wait for an action overlaps."""

    def __init__(self, model: Path, actions: Actions) -> None:
        if not model.is_file():  # given a folder, Rasa would load the newest model in it, whichever that is
            raise ModelMissing(f"There is no model at {model}. Train it first: make train")
        self._processor = MessageProcessor(
            str(model),
            tracker_store=InMemoryTrackerStore(None),  # asked for by Rasa; nothing is ever put into it
            lock_store=InMemoryLockStore(),
            generator=TemplatedNaturalLanguageGenerator({}),
        )
        self._actions = actions
        self._domain = self._processor.domain
        self._reading = asyncio.Lock()  # the model's graph is not made to be run twice at once

    async def parse(self, text: str) -> dict[str, Any]:
        """What a text says: text, intent, ranking and entities."""
        parsed = await self._understood(text, {})
        return {
            "text": parsed["text"],
            "intent": parsed["intent"],
            "ranking": parsed.get("intent_ranking", []),
            "entities": parsed["entities"],
        }

    async def turn(
        self, case: str, turn: str, *, text: str = "", parse: dict[str, Any] | None = None, expects: str = ""
    ) -> Answer:
        """Answer one message, typed (`text`) or chosen (`parse`). Raises Unknown and engine.actions.ActionFailed."""
        metadata = {"turn": turn, "expects": expects}
        parsed = self._chosen(parse) if parse is not None else await self._understood(text, metadata)
        uttered = UserUttered(parsed["text"], parsed["intent"], parsed["entities"], parsed, metadata=metadata)
        events: list[Event] = [SessionStarted(), ActionExecuted(ACTION_LISTEN_NAME), uttered]
        tracker = DialogueStateTracker.from_events(case, events, slots=self._domain.slots, domain=self._domain)
        async with self._reading:
            prediction = self._processor._predict_next_with_tracker(tracker)
        action = self._domain.action_names_or_texts[prediction.max_confidence_index]
        says = [] if action == ACTION_LISTEN_NAME else await self._run(action, case, parsed, metadata)
        return Answer(says, {key: parsed["intent"].get(key) for key in ("name", "confidence")})

    async def _understood(self, text: str, metadata: dict[str, Any]) -> dict[str, Any]:
        # A typed "/intent{...}" would set intent and entities in Rasa; it is for the people's words to be read only.
        words = text[:MAX_TEXT].strip().lstrip(SLASHES + " \t")
        if not words:  # Rasa reads no message out of nothing
            return {"text": "", "intent": {"name": "nlu_fallback", "confidence": 1.0}, "entities": []}
        message = UserMessage(words, CollectingOutputChannel(), "reader", metadata=metadata)
        async with self._reading:
            parsed: dict[str, Any] = await self._processor.parse_message(message)
        return {**parsed, "text": words}

    def _chosen(self, parse: dict[str, Any]) -> dict[str, Any]:
        intent = parse.get("intent")
        if intent not in self._domain.intents:
            raise Unknown(f"The domain knows no intent {intent!r}.")
        entities = parse.get("entities") or []
        return {"text": "", "intent": {"name": intent, "confidence": 1.0}, "entities": entities, "intent_ranking": []}

    async def _run(
        self, action: str, case: str, parsed: dict[str, Any], metadata: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """A response of the domain says its id; anything else is the action server's."""
        if action in self._domain.responses:
            return [response["custom"] for response in self._domain.responses[action][:1]]
        return await self._actions.run(action, case, parsed, metadata)
