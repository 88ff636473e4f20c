"""Fixtures of the journey's tests."""

from __future__ import annotations

import pytest

from bot.guide import Guide
from tests.bot.conftest import MONDAY
from tests.bot.journey.talk import Talk


@pytest.fixture
def talk(guide: Guide) -> Talk:
    """Somebody who has not written yet."""
    return Talk(guide, MONDAY)


@pytest.fixture
def agreed(talk: Talk) -> Talk:
    """Somebody who has agreed, asks for themselves, and was shown the three steps."""
    return talk.agree()
