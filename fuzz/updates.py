"""Telegram's updates: every type of the Bot API, filled with values that hurt."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from fuzz.values import JSON, NUMBERS, SHORT, TEXT

SPEC = Path(__file__).parent.parent / "tests" / "sandbox" / "bot-api-10.0.json"
PEOPLE = range(1_000, 1_020)
DEPTH = 3  # of an update; deeper, only what is required is there
LIKELY = {
    "message": 8,
    "edited_message": 3,
    "callback_query": 5,
    "my_chat_member": 1,
    "chat_member": 1,
    "message_reaction": 2,
}


@cache
def types() -> dict[str, Any]:
    """The types of the Bot API."""
    found: dict[str, Any] = json.loads(SPEC.read_text(encoding="utf-8"))["types"]
    return found


def of_type(name: str, depth: int, group: int) -> SearchStrategy[Any]:
    """Values of a type."""
    if name.startswith("Array of "):
        return st.lists(of_type(name.removeprefix("Array of "), depth, group), max_size=2)
    simple = {"Integer": NUMBERS, "Float": st.floats(allow_nan=False), "Boolean": st.booleans(), "String": TEXT}.get(
        name
    )
    if simple is not None:
        return simple
    if name == "Chat":
        private = st.sampled_from(PEOPLE).map(lambda who: {"id": who, "type": "private", "first_name": "Ada (sample)"})
        return st.one_of(private, st.just({"id": group, "type": "supergroup", "title": "Desk", "is_forum": True}))
    if name == "User":
        return st.builds(
            lambda who, said: {"id": who, "is_bot": False, "first_name": said}, st.sampled_from(PEOPLE), SHORT
        )
    kind = types()[name]
    if kind.get("subtypes"):
        return st.deferred(lambda: st.one_of([of_type(each, depth, group) for each in kind["subtypes"]]))
    return st.deferred(lambda: _object(name, depth, group))


@cache
def _object(name: str, depth: int, group: int) -> SearchStrategy[dict[str, Any]]:
    fields = types()[name]["fields"]

    def field(key: str, wanted: dict[str, Any]) -> SearchStrategy[Any]:
        if key == "date":
            return st.integers(1_700_000_000, 1_900_000_000)
        if key in ("type", "status", "source") and wanted["types"] == ["String"]:
            return SHORT
        return st.one_of([of_type(each, depth - 1, group) for each in wanted["types"]])

    required = {key: field(key, wanted) for key, wanted in fields.items() if wanted["required"]}
    optional = {key: field(key, wanted) for key, wanted in fields.items() if not wanted["required"] and depth > 0}
    few = st.lists(st.sampled_from(sorted(optional)), max_size=4, unique=True) if optional else st.just([])

    def with_some(keys: list[str]) -> SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries({**required, **{key: optional[key] for key in keys}})

    return few.flatmap(with_some)


def updates(group: int) -> SearchStrategy[Any]:
    """Updates as Telegram would send them, and some that are none."""
    kinds = [kind for kind, times in LIKELY.items() for _ in range(times)]
    named = st.sampled_from(kinds).flatmap(
        lambda kind: st.fixed_dictionaries({kind: of_type(types()["Update"]["fields"][kind]["types"][0], DEPTH, group)})
    )
    said = st.builds(
        lambda who, words: {
            "message": {
                "message_id": 1,
                "date": 1_800_000_000,
                "chat": {"id": who, "type": "private", "first_name": "Ada (sample)"},
                "from": {"id": who, "is_bot": False, "first_name": "Ada (sample)"},
                "text": words,
            }
        },
        st.sampled_from(PEOPLE),
        TEXT,
    )
    return st.one_of(named, said, JSON)
