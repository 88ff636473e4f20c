"""Fixtures of casework's tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bot.casework import Casework
from bot.casework.base import Membership
from tests.bot.casework.people import Someone
from tests.bot.casework.topic import MEI, PERSONS, Topic

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


@pytest.fixture
async def waiting(someone: Someone) -> Someone:
    """Somebody whose case was handed over."""
    return await someone.hand_off()


@pytest.fixture
async def topic(waiting: Someone) -> Topic:
    """Their case's topic."""
    return await Topic.of(waiting)


@pytest.fixture
async def held(topic: Topic) -> Topic:
    """The same topic after Mei has taken the case."""
    await topic.press("claim")
    return topic


@pytest.fixture
async def closed(waiting: Someone, held: Topic) -> Someone:
    """The person after Mei has answered and closed."""
    await held.write("Hello Samira", reply_to=PERSONS)
    await held.press("close.helped")
    await waiting.news()
    return waiting


@pytest.fixture
def strict(casework: Casework) -> Casework:
    """A group in which Mei is an administrator, and nobody else."""

    async def membership(chat: int, user: int) -> Membership:
        return "administrator" if user == MEI[0] else "member"

    object.__setattr__(casework, "membership", membership)
    return casework
