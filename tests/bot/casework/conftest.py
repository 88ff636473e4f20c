"""Fixtures of casework's tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bot.casework import Casework
from tests.bot.casework.people import Someone

Arrives = Callable[..., Awaitable[Someone]]


@pytest.fixture
def arrives(casework: Casework) -> Arrives:
    """Opens conversations: `await arrives("telegram", "42")`."""

    async def open_conversation(channel: str = "web", address: str = "") -> Someone:
        return await Someone.arrives(casework, channel, address)

    return open_conversation


@pytest.fixture
async def someone(casework: Casework) -> Someone:
    """Somebody at the website."""
    return await Someone.arrives(casework)
