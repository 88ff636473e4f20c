"""Runs a model's graph in an order computed once.

Rasa's own runner plans the graph anew for every message, which takes longer than running it.
"""

from __future__ import annotations

from typing import Any

from rasa.engine.exceptions import GraphRunError
from rasa.engine.graph import ExecutionContext, GraphNode, GraphNodeHook, GraphSchema
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.storage import ModelStorage


class OrderedRunner(GraphRunner):
    """The nodes of a graph, each run after those that it needs."""

    def __init__(self, schema: GraphSchema, nodes: dict[str, GraphNode]) -> None:
        self._schema = schema
        self._nodes = nodes
        self._orders: dict[tuple[str, ...], list[str]] = {}

    @classmethod
    def create(
        cls,
        graph_schema: GraphSchema,
        model_storage: ModelStorage,
        execution_context: ExecutionContext,
        hooks: list[GraphNodeHook] | None = None,
    ) -> OrderedRunner:
        """Load every node of the graph."""
        return cls(
            graph_schema,
            {
                name: GraphNode.from_schema_node(name, node, model_storage, execution_context, hooks)
                for name, node in graph_schema.nodes.items()
            },
        )

    def run(self, inputs: dict[str, Any] | None = None, targets: list[str] | None = None) -> dict[str, Any]:
        """What the target nodes give for the inputs. Raises GraphRunError when an input is missing."""
        wanted = tuple(targets or self._schema.target_names)
        if wanted not in self._orders:
            self._orders[wanted] = self._order(wanted)
        given = {name: (name, value) for name, value in (inputs or {}).items()}
        for name in self._orders[wanted]:
            needs = self._schema.nodes[name].needs.values()
            given[name] = self._nodes[name](*[given.get(need, need) for need in needs])
        return {name: given[name][1] for name in wanted}

    def _order(self, targets: tuple[str, ...]) -> list[str]:
        order: list[str] = []
        path: list[str] = []

        def visit(name: str) -> None:
            if name in order or name not in self._schema.nodes:  # an input, such as the message, is no node
                return
            if name in path:
                raise GraphRunError(f"The model's graph goes round in a circle at {name}.")
            path.append(name)
            for need in self._schema.nodes[name].needs.values():
                visit(need)
            path.pop()
            order.append(name)

        for target in targets:
            visit(target)
        return order
