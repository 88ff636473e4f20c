"""The table of Bot API methods: one decorator enters a function into it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from sandbox.params import Params
from sandbox.world import World


@dataclass(frozen=True)
class Call:
    """One call of the bot: what it asks, of which world, over which connection."""

    world: World
    params: Params
    request: Request


type Method = Callable[[Call], Awaitable[Any]]

METHODS: dict[str, tuple[str, Method]] = {}
"""Lower-case name -> (name as written in the Bot API, function): method names are case-insensitive there."""


def method(name: str) -> Callable[[Method], Method]:
    """Enter a function as the Bot API method `name`; it returns the `result`, or raises ApiError."""

    def enter(function: Method) -> Method:
        if name.lower() in METHODS:
            raise ValueError(f"method {name} is defined twice")
        METHODS[name.lower()] = (name, function)
        return function

    return enter
