"""Rasa component: the intent of a message, with a confidence that means what it says."""

from __future__ import annotations

import logging
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

from engine.encoder import Vectors, encoder
from engine.linear import LinearModel, calibrate, held_out_scores
from engine.signals import find_signals

RANKED = 10  # intents that the ranking names

logger = logging.getLogger(__name__)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class SentenceClassifier(GraphComponent, IntentClassifier):
    """Multinomial logistic regression on the sentence vector."""

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
        intents = [example.get(INTENT) for example in examples]
        order, scores = held_out_scores(vectors, intents)
        right = np.array(order)[scores.argmax(axis=1)] == np.array(intents)
        fitted = LinearModel.fit(vectors, intents)
        temperature = calibrate(order, scores, intents)
        self._model = LinearModel(fitted.labels, fitted.mean, fitted.weights, fitted.bias, temperature)
        logger.info("Held-out examples whose intent was found: %.1f %%", 100 * right.mean())
        with self._model_storage.write_to(self._resource) as folder:
            self._model.save(folder)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set intent and ranking. A message without words gets no intent, and so falls back."""
        for message in messages:
            intent: dict[str, Any] = {"name": None, "confidence": 0.0}
            ranking: list[dict[str, Any]] = []
            if self._model is not None and message.features:
                probabilities = self._model.probabilities(_vector(message))[0]
                best = np.argsort(-probabilities)[:RANKED]
                ranking = [{"name": self._model.labels[i], "confidence": float(probabilities[i])} for i in best]
                intent = dict(ranking[0])
                message.set(ENTITIES, message.get(ENTITIES, []) + self._signals(message.get(TEXT)), add_to_output=True)
            message.set(INTENT, intent, add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
        return messages


    def _signals(self, text: str) -> list[dict[str, Any]]:
        """Every signal that the text mentions, clause by clause, as entities."""
        model = self._model
        assert model is not None

        def read(texts: list[str]) -> Vectors:
            return model.probabilities(encoder().encode(texts))

        return [{"entity": "signal", **signal._asdict()} for signal in find_signals(text, model.labels, read)]


def _vector(message: Message) -> Vectors:
    vectors = [
        feature.features
        for feature in message.features
        if feature.attribute == TEXT and feature.type == FEATURE_TYPE_SENTENCE and feature.is_dense()
    ]
    return np.hstack(vectors)
