"""Rasa component: where the pending question asks for free words (a name, a country), the message is the answer.

Somebody may be called "May" or come from "Stop"; so in such a place only clear steering is taken for steering.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message

# They steer from everywhere, in one turn (the guide's rule 8), as safety does.
STEERING = frozenset(
    f"control.{name}"
    for name in ("human", "stop", "delete_data", "restart", "undo", "skip", "dont_know", "why", "repeat", "simpler", "language")
)
ASKING = ("faq.", "service.", "feelings.")
SURE_STEERING = 0.6
SURE_ASKING = 0.75
WORDS_OF_A_QUESTION = 4


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class ExpectedWords(GraphComponent):
    """Turns the intent into `words` when free words are expected and nothing else is clearly meant."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ExpectedWords:
        """Make the component."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Change the intent of messages whose metadata says that words are expected."""
        for message in messages:
            expects = (message.get(METADATA) or {}).get("expects")
            if expects == "words" and not _steers(message.get(INTENT) or {}, message.get(TEXT) or ""):
                message.set(INTENT, {"name": "words", "confidence": 1.0}, add_to_output=True)
        return messages


def _steers(intent: dict[str, Any], text: str) -> bool:
    name, confidence = str(intent.get("name")), float(intent.get("confidence") or 0.0)
    if name.startswith("safety.") and name != "safety.past_or_hypothetical":
        return confidence >= SURE_STEERING or name in ("safety.emergency", "safety.self_harm")
    if name in STEERING:
        return confidence >= SURE_STEERING
    return name.startswith(ASKING) and confidence >= SURE_ASKING and len(text.split()) >= WORDS_OF_A_QUESTION
