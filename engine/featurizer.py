"""Rasa component: the features of the whole message."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from engine.encoder import FINGERPRINT, encoder
from engine.features import features


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class SentenceFeaturizer(GraphComponent):
    """Adds one dense sentence feature to each message. It learns nothing."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceFeaturizer:
        """Make the component. Raises EncoderError."""
        encoder()  # fail at the start, not in the first turn
        return cls()

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Other model files are another component: what was computed with the old ones is not used again."""
        return FINGERPRINT

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the feature to messages."""
        messages = [message for message in messages if message.get(TEXT)]
        for message, vector in zip(messages, features([m.get(TEXT) for m in messages]), strict=True):
            message.add_features(Features(vector[None, :], FEATURE_TYPE_SENTENCE, TEXT, type(self).__name__))
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Add the feature to the examples."""
        self.process(training_data.training_examples)
        return training_data
