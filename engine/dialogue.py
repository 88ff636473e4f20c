"""One turn of the dialogue: understand the message, let the rules pick the action, run it. Nothing is kept after it.

Rasa's own processor keeps a tracker for each conversation and replays it at every turn; here the tracker lives for one
turn, since the case (bot/progress.py) is the only copy of what is known (docs/decisions/0002-stateless-engine.md).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa.core.channels.channel import UserMessage
from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
from rasa.engine.loader import load_predict_graph_runner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.shared.core.constants import ACTION_LISTEN_NAME, DEFAULT_INTENTS
from rasa.shared.core.events import ActionExecuted, Event, SessionStarted, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from engine.actions import Actions
from engine.runner import OrderedRunner
from engine.timing import Timing

MAX_TEXT = 2_000  # characters; a longer message blocks everyone for as long as it takes to read
MOST_ENTITIES, LONGEST_NAME = 50, 100  # of structured data
# At the start of a message, after anything that shows no ink, a slash would read as a command: /restart{"a":1}.
SLASHES = "/\N{FULLWIDTH SOLIDUS}\N{DIVISION SLASH}\N{FRACTION SLASH}\N{BIG SOLIDUS}"
NO_INK = "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"


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
        with tempfile.TemporaryDirectory(prefix="waypoint-model-") as folder:
            metadata, runner = load_predict_graph_runner(Path(folder), model, LocalModelStorage, OrderedRunner)
        if metadata.core_target is None:
            raise ModelMissing(f"The model at {model} has no rules. Train it again: make train")
        self._runner = runner
        self._rules = metadata.core_target
        # The graph's last node parses "/intent{...}" out of typed text; what stands before it only reads.
        self._reader = metadata.predict_schema.nodes[metadata.nlu_target].needs["messages"]
        self._domain = metadata.domain
        self._intents = set(self._domain.intents) - set(DEFAULT_INTENTS)
        self._actions = actions
        self._picked: dict[tuple[str, frozenset[str]], str] = {}

    async def parse(self, text: str) -> dict[str, Any]:
        """What a text says: text, intent, ranking and entities."""
        parsed = self._understood(text, {})
        return {
            "text": parsed["text"],
            "intent": parsed["intent"],
            "ranking": parsed.get("intent_ranking", []),
            "entities": parsed["entities"],
        }

    async def turn(
        self,
        case: str,
        turn: str,
        *,
        text: str = "",
        parse: dict[str, Any] | None = None,
        expects: str = "",
        timing: Timing | None = None,
    ) -> Answer:
        """Answer one message, typed (`text`) or chosen (`parse`), and note in `timing` how long its parts took.

        Raises Unknown and engine.actions.ActionFailed.
        """
        timing = timing or Timing()
        metadata = {"turn": turn, "expects": expects}
        with timing.part("understanding"):
            parsed = self._chosen(parse) if parse is not None else self._understood(text, metadata)
            uttered = UserUttered(parsed["text"], parsed["intent"], parsed["entities"], parsed, metadata=metadata)
            action = self._pick(case, uttered)
        with timing.part("actions"):
            says = [] if action == ACTION_LISTEN_NAME else await self._run(action, case, parsed, metadata)
        return Answer(says, {key: parsed["intent"].get(key) for key in ("name", "confidence")})

    def _pick(self, case: str, uttered: UserUttered) -> str:
        """The action that the rules name. All that they see of a turn is its intent and the kinds of its entities, so
        the answer is kept by these: asking every rule anew takes longer than all else but the reading.
        """
        kinds = {str(entity.get("entity")) for entity in uttered.entities}
        seen = str(uttered.intent_name), frozenset(kinds.intersection(self._domain.entities))
        if seen not in self._picked:
            events: list[Event] = [SessionStarted(), ActionExecuted(ACTION_LISTEN_NAME), uttered]
            tracker = DialogueStateTracker.from_events(case, events, slots=self._domain.slots, domain=self._domain)
            prediction = self._runner.run({PLACEHOLDER_TRACKER: tracker}, [self._rules])[self._rules]
            self._picked[seen] = self._domain.action_names_or_texts[prediction.max_confidence_index]
        return self._picked[seen]

    def _understood(self, text: str, metadata: dict[str, Any]) -> dict[str, Any]:
        words = neutralised(text[:MAX_TEXT])
        if not words:  # Rasa reads no message out of nothing
            return {"text": "", "intent": {"name": "nlu_fallback", "confidence": 1.0}, "entities": []}
        message = UserMessage(words, metadata=metadata)
        read = self._runner.run({PLACEHOLDER_MESSAGE: [message]}, [self._reader])[self._reader][0]
        found = {key: read.get(key, []) for key in ("intent", "intent_ranking", "entities")}
        return {"text": words, **found}

    def _chosen(self, parse: dict[str, Any]) -> dict[str, Any]:
        intent = parse.get("intent")
        if not isinstance(intent, str) or intent not in self._intents:
            raise Unknown("`parse` names an intent that the domain does not know.")
        entities = parse.get("entities") or []
        if not isinstance(entities, list) or len(entities) > MOST_ENTITIES or not all(map(_is_entity, entities)):
            raise Unknown(f"`entities` are at most {MOST_ENTITIES} objects with `entity` and `value`.")
        return {"text": "", "intent": {"name": intent, "confidence": 1.0}, "entities": entities, "intent_ranking": []}

    async def _run(
        self, action: str, case: str, parsed: dict[str, Any], metadata: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """A response of the domain says its id; anything else is the action server's."""
        if action in self._domain.responses:
            return [response["custom"] for response in self._domain.responses[action][:1]]
        return await self._actions.run(action, case, parsed, metadata)


def neutralised(text: str) -> str:
    """The text without what Rasa would take for a command: slashes at its start, and what hides them.

    >>> neutralised(' /restart{"a":1}')
    'restart{"a":1}'
    """
    start = 0
    while start < len(text) and (text[start].isspace() or text[start] in SLASHES + NO_INK):
        start += 1
    return text[start:].rstrip()


def _is_entity(entity: Any) -> bool:
    if not isinstance(entity, dict) or "value" not in entity:
        return False
    name, values = entity.get("entity"), [value for key, value in entity.items() if key != "entity"]
    return (
        isinstance(name, str)
        and 0 < len(name) <= LONGEST_NAME
        and all(len(key) <= LONGEST_NAME for key in entity)
        and all(value is None or isinstance(value, (str, int, float)) for value in values)
        and all(len(value) <= MAX_TEXT for value in values if isinstance(value, str))
    )
