"""A case from the website whose person has gone: they read it when they come back, or on Telegram if they linked it."""

from __future__ import annotations

import pytest

from bot.casework import Inbound
from bot.casework.copies import ARRIVED
from sandbox.testing import ADA, MEI, Sandbox
from tests.bot.casework.people import Someone
from tests.bot.casework.test_links import code_of
from tests.telegram.conftest import Handed, Waypoint, upload
from tests.telegram.test_relay import marks, shown

DAY = 24 * 3600.0


@pytest.fixture
async def visitor(waypoint: Waypoint) -> Someone:
    """Somebody on the website who asked for a person."""
    visitor = await (await Someone.arrives(waypoint.casework)).hand_off()
    await waypoint.settle()
    return visitor


@pytest.fixture
async def handed(waypoint: Waypoint, visitor: Someone) -> Handed:
    """Their case, which Mei has taken after they closed the page."""
    handed = Handed(waypoint, ADA, visitor.conversation, await visitor.case())
    await waypoint.box.press(MEI, await handed.brief(), label=waypoint.casework.words("desk.button.claim"))
    await waypoint.settle()
    return handed


async def test_who_left_the_website_finds_every_word_in_order_when_they_come_back(
    waypoint: Waypoint, visitor: Someone, handed: Handed
) -> None:
    seen = (await visitor.events())[-1]["seq"]
    sent = []
    for text in ("Good morning.", "The slides are what we miss.", "Write whenever you can."):
        sent.append(await handed.reply(MEI, await handed.brief(), text))
        await waypoint.later(DAY)
    sent.append(await handed.reply(MEI, await handed.brief(), document=upload(b"%PDF fictional", "list.pdf")))
    await waypoint.settle()
    waypoint.start()  # even a restart in between loses nothing
    missed = [event for event in await visitor.events(seen) if event["role"] == "coordinator"]
    assert [block.get("text", block.get("name")) for event in missed for block in event["blocks"]] == [
        "Good morning.",
        "The slides are what we miss.",
        "Write whenever you can.",
        "list.pdf",
    ]
    assert [await marks(handed, message) for message in sent] == [[ARRIVED]] * 4


async def test_what_they_write_when_they_come_back_reaches_whoever_holds_the_case(
    waypoint: Waypoint, visitor: Someone, handed: Handed
) -> None:
    await handed.reply(MEI, await handed.brief(), "Are you there?")
    await waypoint.later(DAY)
    assert await waypoint.casework.relay(await visitor.send(Inbound("text", text="Sorry, I was at the hospital.")))
    await waypoint.settle()
    assert "Sorry, I was at the hospital." in (await handed.texts())[-1]


async def test_who_linked_it_gets_it_on_telegram_at_once_and_on_the_website_when_they_come_back(
    waypoint: Waypoint, box: Sandbox, visitor: Someone, handed: Handed
) -> None:
    await box.say(ADA, f"/start {await code_of(visitor)}")
    await waypoint.settle()
    ours = await handed.reply(MEI, await handed.brief(), "It can be done from home.")
    await waypoint.settle()
    heard = await handed.heard()
    assert [text for text in heard if "It can be done from home." in text] == heard[-1:]
    assert await shown(waypoint, visitor.conversation) == [["It can be done from home."]]
    assert await marks(handed, ours) == [ARRIVED]


async def test_what_was_written_while_they_were_on_the_way_to_telegram_is_there_before_them(
    waypoint: Waypoint, box: Sandbox, visitor: Someone, handed: Handed
) -> None:
    await handed.reply(MEI, await handed.brief(), "This was read on the website.")
    await waypoint.settle()
    await waypoint.later(60)
    code = await code_of(visitor)
    await waypoint.later(60)
    await handed.reply(MEI, await handed.brief(), "Please send the CT as well.")
    await waypoint.later(60)
    await box.say(ADA, f"/start {code}")
    await waypoint.settle()
    heard = await handed.heard()
    assert len([text for text in heard if "Please send the CT as well." in text]) == 1
    assert not [text for text in heard if "This was read on the website." in text]
    assert await shown(waypoint, visitor.conversation) == [
        ["This was read on the website."],
        ["Please send the CT as well."],
    ]
