"""Rasa component: the intent of a message, with a confidence that means what it says, and the signals it mentions."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import ENTITIES, FEATURE_TYPE_SENTENCE, INTENT, INTENT_RANKING_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from engine.encoder import Vectors
from engine.features import features
from engine.linear import LinearModel, calibrate, held_out
from engine.signals import find_signals

RANKED = 10  # intents that the ranking names

logger = logging.getLogger(__name__)


@DefaultV1Recipe.register(
    [DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR], is_trainable=True
)
class SentenceClassifier(GraphComponent, IntentClassifier):
    """Reads the whole message for its intent, and its clauses one by one for the guide's signals."""

    def __init__(self, model_storage: ModelStorage, resource: Resource, model: LinearModel | None = None) -> None:
        self._model_storage = model_storage
        self._resource = resource
        self._model = model

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceClassifier:
        """Make the untrained component."""
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
        """Read the trained component from the model."""
        with model_storage.read_from(resource) as folder:
            return cls(model_storage, resource, LinearModel.read(folder))

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the examples. Confidences are calibrated on examples that were held out."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        vectors = np.vstack([_vector(example) for example in examples])
        intents = [str(example.get(INTENT)) for example in examples]
        check = next(held_out(vectors, intents))  # a fifth is enough to calibrate on
        held = [intents[row] for row in check.rows]
        right = np.array(check.labels)[check.scores.argmax(axis=1)] == np.array(held)
        logger.info("Of a fifth of the examples, held out, the intent was found for %.1f %%", 100 * right.mean())
        temperature = calibrate(check.labels, check.scores, held)
        self._model = replace(LinearModel.fit(vectors, intents), temperature=temperature)
        with self._model_storage.write_to(self._resource) as folder:
            self._model.save(folder)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set intent and ranking. A message without words gets no intent, and so falls back."""
        for message in messages:
            intent: dict[str, Any] = {"name": None, "confidence": 0.0}
            ranking: list[dict[str, Any]] = []
            signals: list[dict[str, Any]] = []
            if self._model is not None and message.features:
                probabilities = self._model.probabilities(_vector(message))[0]
                best = np.argsort(-probabilities)[:RANKED]
                ranking = [{"name": self._model.labels[i], "confidence": float(probabilities[i])} for i in best]
                intent = dict(ranking[0])
                signals = self._signals(self._model, message.get(TEXT))
            message.set(INTENT, intent, add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
            message.set(ENTITIES, message.get(ENTITIES, []) + signals, add_to_output=True)
        return messages

    def _signals(self, model: LinearModel, text: str) -> list[dict[str, Any]]:
        found = find_signals(text, model.labels, lambda texts: model.probabilities(features(texts)))
        return [{"entity": "signal", **signal._asdict(), "extractor": type(self).__name__} for signal in found]


def _vector(message: Message) -> Vectors:
    vectors = [
        feature.features
        for feature in message.features
        if feature.attribute == TEXT and feature.type == FEATURE_TYPE_SENTENCE and feature.is_dense()
    ]
    return np.hstack(vectors)
