"""Rasa component: a message that answers a question for free words is that answer, unless it clearly steers away.

"Mario", "Portugal" or "can I still work during it?" are answers to what was asked. "delete everything" is not.
"""

from __future__ import annotations

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message

from engine.component import UntrainedComponent
from engine.danger import DANGERS

WORDS = "words"

# These are heard whatever was asked: "stop", "delete", "a person" work from every state (and so does an emergency).
STEERS = {
    f"control.{name}"
    for name in (
        "human", "stop", "delete_data", "restart", "undo", "skip", "dont_know", "why", "repeat", "simpler", "language",
    )
}  # fmt: skip
OWN_BUSINESS = ("faq.", "service.", "feelings.")
NO_STEERING = "safety.past_or_hypothetical"
SURE, FEWEST_WORDS = 0.75, 4


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class ExpectedWords(UntrainedComponent, IntentClassifier):
    """Makes the intent `words` when the turn's metadata says `expects: words`."""

    def process(self, messages: list[Message]) -> list[Message]:
        """Replace the intent where free words are expected; the ranking keeps what was read."""
        for message in messages:
            expects = (message.get("metadata") or {}).get("expects")
            intent = message.get(INTENT)
            if expects == WORDS and not steers_away(intent["name"], intent["confidence"], message.get(TEXT)):
                words = {"name": WORDS, "confidence": 1.0}
                message.set(INTENT, words, add_to_output=True)
                message.set(INTENT_RANKING_KEY, [words, *message.get(INTENT_RANKING_KEY, [])], add_to_output=True)
        return messages


def steers_away(intent: str, confidence: float, text: str) -> bool:
    """Whether the message is clearly something else than the words that were asked for."""
    if intent in DANGERS:  # how sure it must be, engine/danger.py has decided
        return True
    if intent in STEERS or (intent.startswith("safety.") and intent != NO_STEERING):
        return confidence >= SURE
    if intent.startswith(OWN_BUSINESS):
        return confidence >= SURE and len(text.split()) >= FEWEST_WORDS
    return False
