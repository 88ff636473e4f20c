"""Rasa component: the intent of a message, with a confidence that means what it says, and the signals it mentions."""

from __future__ import annotations

from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from engine.clauses import Span, pieces
from engine.danger import FOUND, find_danger
from engine.encoder import FINGERPRINT, Vectors, encoder
from engine.signals import find_signals
from engine.vote import Vote

RANKED = 10  # intents that the ranking names
NAME = "intents"


@DefaultV1Recipe.register(
    [DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR], is_trainable=True
)
class SentenceClassifier(GraphComponent, IntentClassifier):
    """Reads the whole message for its intent, and its clauses one by one for the guide's signals and for danger."""

    def __init__(self, model_storage: ModelStorage, resource: Resource, vote: Vote | None = None) -> None:
        self._model_storage = model_storage
        self._resource = resource
        self._vote = vote

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceClassifier:
        """Make the untrained component. Raises EncoderError."""
        return cls(model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SentenceClassifier:
        """Read the trained component from the model. Raises EncoderError."""
        encoder()  # fail at the start, not in the first turn
        with model_storage.read_from(resource) as folder:
            return cls(model_storage, resource, Vote.read(folder, NAME))

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """With another encoder it is another component: what was learned with the old one is not used again."""
        return FINGERPRINT

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the examples."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        self._vote = Vote.fit([e.get(TEXT) for e in examples], [str(e.get(INTENT)) for e in examples])
        with self._model_storage.write_to(self._resource) as folder:
            self._vote.save(folder, NAME)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set intent and ranking. A message without words gets no intent, and so falls back."""
        for message in messages:
            intent: dict[str, Any] = {"name": None, "confidence": 0.0}
            ranking: list[dict[str, Any]] = []
            signals: list[dict[str, Any]] = []
            text = message.get(TEXT)
            if self._vote is not None and text:
                probabilities = self._vote.probabilities(text)
                best = np.argsort(-probabilities)[:RANKED]
                ranking = [{"name": self._vote.labels[i], "confidence": float(probabilities[i])} for i in best]
                intent = dict(ranking[0])
                parts = pieces(text)
                read = read_parts(self._vote, text, parts)
                signals = self._signals(self._vote, text, parts, read)
                message.set(FOUND, find_danger(self._vote.labels, probabilities, read))
            message.set(INTENT, intent, add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
            message.set(ENTITIES, message.get(ENTITIES, []) + signals, add_to_output=True)
        return messages

    def _signals(self, vote: Vote, text: str, parts: list[Span], read: Vectors) -> list[dict[str, Any]]:
        found = find_signals(text, parts, vote.labels, read)
        return [{"entity": "signal", **signal._asdict(), "extractor": type(self).__name__} for signal in found]


def read_parts(vote: Vote, text: str, parts: list[Span]) -> Vectors:
    """The probabilities of the labels for parts of a text, which is read once for all of them."""
    if not parts:
        return np.zeros((0, len(vote.labels)), np.float32)
    reading = encoder().read(text)
    own = np.stack([reading.vector(part.start, part.end) for part in parts])
    return vote.probabilities_of_parts(text, [part.text for part in parts], own)
