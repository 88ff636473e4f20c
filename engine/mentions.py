"""Rasa component: the records and the people that a message names."""

from __future__ import annotations

from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from engine.component import UntrainedComponent
from engine.records import find_records
from engine.relations import find_relations

MOST = 40  # entities of a kind in one message


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class MentionExtractor(UntrainedComponent, EntityExtractorMixin):
    """Adds the entities `record`, with its state, and `relation`. It works by patterns and learns nothing."""

    def process(self, messages: list[Message]) -> list[Message]:
        """Add the entities to messages."""
        for message in messages:
            text = message.get(TEXT) or ""
            found = [{"entity": "record", **record._asdict()} for record in find_records(text)[:MOST]]
            found += [{"entity": "relation", **relation._asdict()} for relation in find_relations(text)[:MOST]]
            entities = message.get(ENTITIES, []) + [{**entity, "extractor": self.name} for entity in found]
            message.set(ENTITIES, entities, add_to_output=True)
        return messages
