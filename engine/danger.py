"""Rasa component: an emergency or a wish to die, wherever in a message it stands, beats every other intent.

People bury it: "the reports are ready, only since yesterday he talks strange". So it counts in the whole message when
it is merely possible, and in each sentence and clause when it is likely: help that was offered in vain costs
a moment, help that was not offered may cost a life (docs/hazards.md, H1 and H5).
"""

from __future__ import annotations

from typing import Any

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY
from rasa.shared.nlu.training_data.message import Message

from engine.component import UntrainedComponent
from engine.encoder import Vectors

DANGERS = ("safety.emergency", "safety.self_harm")
# How likely the two must be together: in the whole message, and in a part of it. docs/decisions/0004-understanding.md
SURE, SURE_OF_PART = 0.20, 0.90
FOUND = "danger"  # where the classifier leaves what it found


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class DangerFirst(UntrainedComponent, IntentClassifier):
    """Stands after the fallback, so that not even "I am not sure what they mean" hides a danger."""

    def process(self, messages: list[Message]) -> list[Message]:
        """Put the danger that the classifier found before whatever else was understood."""
        for message in messages:
            found = message.get(FOUND)
            if found and message.get(INTENT)["name"] not in DANGERS:
                ranking = [ranked for ranked in message.get(INTENT_RANKING_KEY, []) if ranked["name"] != found["name"]]
                message.set(INTENT, found, add_to_output=True)
                message.set(INTENT_RANKING_KEY, [found, *ranking], add_to_output=True)
        return messages


def find_danger(labels: tuple[str, ...], whole: Vectors, parts: Vectors) -> dict[str, Any] | None:
    """The likelier danger as an intent, or None.

    `whole` are the probabilities of the labels in the message, `parts` a row of them for each of its parts.
    """
    columns = [labels.index(danger) for danger in DANGERS]
    in_whole, in_parts = whole[columns], parts[:, columns]
    likeliest = in_parts[in_parts.sum(axis=1).argmax()] if len(in_parts) else in_whole * 0
    if in_whole.sum() < SURE and likeliest.sum() < SURE_OF_PART:
        return None
    both = in_whole + likeliest
    return {"name": DANGERS[int(both.argmax())], "confidence": round(float(max(in_whole.sum(), likeliest.sum())), 4)}
