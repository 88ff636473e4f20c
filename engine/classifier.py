"""Rasa component: the intent of a message, with a confidence that means what it says, and the signals it mentions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
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

from engine.clauses import pieces
from engine.danger import FOUND, find_danger
from engine.encoder import FINGERPRINT, encoder
from engine.examples import SIGNALS, TELLING, Telling, tellings
from engine.questions import find_question
from engine.signals import Weights, candidates, find_signals
from engine.told import Told
from engine.vote import Vote

RANKED = 10  # intents that the ranking names
NAME, WEIGHTS = "intents", "signals.json"


@DefaultV1Recipe.register(
    [DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR], is_trainable=True
)
class SentenceClassifier(GraphComponent, IntentClassifier):
    """Reads the whole message for its intent, and its clauses one by one for the guide's signals and for danger."""

    def __init__(
        self,
        model_storage: ModelStorage,
        resource: Resource,
        learned: tuple[Vote, Told, Weights] | None = None,
    ) -> None:
        self._model_storage = model_storage
        self._resource = resource
        self._learned = learned

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
            weights = Weights(**json.loads((folder / WEIGHTS).read_text(encoding="utf-8")))
            return cls(model_storage, resource, (Vote.load(folder, NAME), Told.load(folder), weights))

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """With another encoder or other messages it is another component: what was learned is not used again."""
        return FINGERPRINT + hashlib.sha256(TELLING.read_bytes()).hexdigest()

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from the examples."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        texts, intents = [e.get(TEXT) for e in examples], [str(e.get(INTENT)) for e in examples]
        views = encoder().vectors(texts)
        vote = Vote.fit(texts, intents, views)
        told = Told.fit(vote, texts, intents, views["last"])
        weights = weigh(vote, told, [message for message in tellings() if message.weighed])
        self._learned = vote, told, weights
        with self._model_storage.write_to(self._resource) as folder:
            vote.save(folder, NAME)
            told.save(folder)
            (folder / WEIGHTS).write_text(json.dumps(asdict(weights)), encoding="utf-8")
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Set intent and ranking. A message without words gets no intent, and so falls back."""
        for message in messages:
            intent: dict[str, Any] = {"name": None, "confidence": 0.0}
            ranking: list[dict[str, Any]] = []
            signals: list[dict[str, Any]] = []
            text = message.get(TEXT)
            if self._learned is not None and text:
                vote, told, weights = self._learned
                parts = pieces(text)
                read = vote.read(text, parts)
                scores = told.scores(read.rows)
                best = np.argsort(-read.whole)[:RANKED]
                ranking = [{"name": vote.labels[i], "confidence": float(read.whole[i])} for i in best]
                intent = dict(ranking[0])
                signals = [
                    {"entity": "signal", **signal._asdict(), "extractor": type(self).__name__}
                    for signal in find_signals(text, parts, vote.labels, read, scores, weights)
                ]
                if asked := find_question(text, parts, vote.labels, intent["name"], read.parts):
                    signals.append({**asked, "extractor": type(self).__name__})
                message.set(FOUND, find_danger(vote.labels, read.whole, read.parts))
            message.set(INTENT, intent, add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
            message.set(ENTITIES, message.get(ENTITIES, []) + signals, add_to_output=True)
        return messages


def weigh(vote: Vote, told: Told, messages: Sequence[Telling]) -> Weights:
    """How much each hint of a signal counts, in messages that neither of both has learned from."""
    seen = []
    for message in messages:
        parts = pieces(message.text)
        read = vote.read(message.text, parts)
        scores = told.scores(read.rows)
        for candidate in candidates(message.text, parts, vote.labels, read, scores):
            if candidate.value in SIGNALS:
                seen.append((candidate.value, candidate.hints, candidate.value in message.tells))
    return Weights.fit(seen)
