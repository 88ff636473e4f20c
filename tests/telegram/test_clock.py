"""The desk's clock as coordinators and a person see it: alerts in the topic and in General, the case free again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.model import Reminder
from bot.settings import Settings
from sandbox.testing import ADA, GROUP_ID, LUIS, MEI, Sandbox
from tests.telegram.conftest import Handed, Waypoint, labels

HOUR, DAY = 3600.0, 24 * 3600.0
MONDAY_MORNING = datetime(2027, 1, 18, 9, 0, tzinfo=UTC).timestamp()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A desk with working hours."""
    return settings.model_copy(update={"desk_hours": "Mon-Fri 08:00-20:00", "desk_timezone": "UTC"})


@pytest.fixture
async def handed(waypoint: Waypoint, box: Sandbox) -> Handed:
    """A case that Mei has taken on a Monday morning, with words that nobody has answered."""
    waypoint.clock.advance(MONDAY_MORNING - waypoint.clock.now())
    handed = await waypoint.claimed()
    await box.say(ADA, "When will you call me?")
    await waypoint.settle()
    return handed


async def passes(waypoint: Waypoint, seconds: float) -> int:
    """Time passes, somebody looks at the clock, and what that gives goes out. Returns how many alerts it gave."""
    waypoint.clock.advance(seconds)
    given = await waypoint.watcher.run_once()
    await waypoint.settle()
    return given


async def in_general(box: Sandbox, text: str) -> bool:
    """Whether General holds these words."""
    return any(text in message.get("text", "") for message in await box.messages(GROUP_ID, thread=0))


async def test_words_that_stay_unanswered_go_to_the_holder_then_to_all_then_the_case_is_free(
    waypoint: Waypoint, box: Sandbox, handed: Handed
) -> None:
    name, since = "Mei (sample)", "Mon 18 Jan 09:00 UTC"
    words, code = waypoint.casework.words, handed.code
    assert await passes(waypoint, 4 * HOUR - 1) == 0
    assert await passes(waypoint, 1) == 1
    assert await handed.find(words("desk.late_holder", name=name, since=since))
    assert await passes(waypoint, 4 * HOUR) == 1
    assert await in_general(box, words("desk.late_all", code=code, name=name, since=since))
    assert await passes(waypoint, DAY) == 1
    assert await in_general(box, words("desk.late_returned", code=code, name=name, since=since))
    assert labels(await handed.brief())[0] == [words("desk.button.claim")]
    assert (await handed.heard())[-1] == words("away.late")
    await box.press(LUIS, await handed.brief(), label=words("desk.button.claim"))
    await handed.reply(LUIS, await handed.find("When will you call me?"), "I am sorry. I call you at noon.")
    await waypoint.settle()
    assert (await handed.heard())[-1] == "Luis (sample)\nI am sorry. I call you at noon."
    assert await passes(waypoint, DAY) == 0


async def test_who_writes_at_night_is_told_once_when_somebody_is_there(
    waypoint: Waypoint, box: Sandbox, handed: Handed
) -> None:
    waypoint.clock.advance(12 * HOUR)
    for text in ("It hurts.", "Is anybody there?"):
        await box.say(ADA, text)
        await waypoint.settle()
        assert await handed.find(text)
    told = [text for text in await handed.heard() if "Tuesday 19 January, 08:00 (time zone UTC)" in text]
    assert len(told) == 1
    assert (await handed.heard())[-1] == told[0]


async def test_a_reminder_comes_into_the_topic(waypoint: Waypoint, handed: Handed) -> None:
    async with waypoint.casework.transaction() as session:
        case = (await handed.case()).id
        session.add(Reminder(case_id=case, due_at=waypoint.now(), text="call the family", by_name="Mei (sample)"))
    assert await passes(waypoint, 0) == 1
    assert await passes(waypoint, 60) == 0
    text = waypoint.casework.words("desk.reminder", name="Mei (sample)", text="call the family")
    assert (await handed.texts()).count(text) == 1


async def test_after_a_restart_an_alert_is_not_given_twice(waypoint: Waypoint, handed: Handed) -> None:
    assert await passes(waypoint, 4 * HOUR) == 1
    waypoint.start()
    assert await passes(waypoint, 60) == 0
    assert (await handed.case()).holder_id == MEI
