"""The board in General: one message, pinned, edited in place, with a link to every open case."""

from __future__ import annotations

from bot.channels.topics import SPARE_FOR_CARDS, SPARE_FOR_WORDS
from sandbox.testing import ADA, BEN, GROUP_ID, MEI, Sandbox
from tests.telegram.conftest import Json, Waypoint

GATHERED = 6  # seconds after which the board is brought up to date


async def general(box: Sandbox) -> list[Json]:
    """What stands in General."""
    found = await box.messages(GROUP_ID, thread=0)
    return [message for message in found if not message["sandbox"]["deleted"] and "text" in message]


async def test_the_board_is_one_pinned_message_that_is_edited(waypoint: Waypoint, box: Sandbox) -> None:
    first = await waypoint.hand_off()
    await waypoint.later(GATHERED)
    [board] = await general(box)
    assert first.code in board["text"]
    assert board["sandbox"]["pinned"]
    second = await waypoint.hand_off(BEN)
    await waypoint.later(GATHERED)
    [after] = await general(box)
    assert after["message_id"] == board["message_id"]
    assert first.code in after["text"]
    assert second.code in after["text"]


async def test_each_line_links_to_the_topic(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.hand_off()
    await waypoint.later(GATHERED)
    [board] = await general(box)
    links = [entity["url"] for entity in board["entities"] if entity["type"] == "text_link"]
    assert links == [f"https://t.me/c/{str(GROUP_ID).removeprefix('-100')}/{await handed.thread()}"]


async def test_a_board_that_somebody_deleted_is_posted_anew(waypoint: Waypoint, box: Sandbox) -> None:
    await waypoint.hand_off()
    await waypoint.later(GATHERED)
    [board] = await general(box)
    await waypoint.bot.delete_message(GROUP_ID, board["message_id"])
    second = await waypoint.hand_off(BEN)
    await waypoint.later(GATHERED)
    [anew] = await general(box)
    assert anew["message_id"] != board["message_id"]
    assert second.code in anew["text"]


async def test_the_board_leaves_the_groups_minute_to_words_and_cards(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.hand_off()
    limit = waypoint.settings.group_sends_per_minute
    for number in range(limit - SPARE_FOR_WORDS - SPARE_FOR_CARDS):
        await waypoint.post(handed.conversation, f"note {number}")
    await waypoint.settle()
    await waypoint.later(GATHERED)
    assert await general(box) == []
    await waypoint.later(60)
    assert len(await general(box)) == 1


async def test_a_name_on_the_board_calls_nobody_and_breaks_nothing(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed(ADA)
    await waypoint.change_cases(holder_name="<b>@everyone & co")
    await handed.write(MEI, "a note")
    await waypoint.later(GATHERED)
    [board] = await general(box)
    assert "everyone & co" in board["text"]
    assert not [entity for entity in board["entities"] if entity["type"] in ("mention", "bot_command")]


async def test_once_a_week_the_figures_are_shown_as_a_picture_when_the_desk_opens(
    waypoint: Waypoint, box: Sandbox
) -> None:
    await waypoint.watcher.run_once()  # the week in which the desk is first used has nothing to show yet
    await waypoint.claimed()
    for days in (7, 0):
        waypoint.clock.advance(days * 24 * 3600 - (3600 if days else 0))
        await waypoint.watcher.run_once()
        await waypoint.settle()
    (picture,) = [m for m in await box.messages(GROUP_ID) if "photo" in m]
    assert picture["caption"].startswith(waypoint.casework.words("desk.week_caption"))
    assert waypoint.casework.words("desk.stats_now", waiting=0, claimed=1, closed=0, late=0) in picture["caption"]
    assert picture["photo"][-1]["width"] == 1200


async def test_a_week_without_a_case_has_no_picture(waypoint: Waypoint, box: Sandbox) -> None:
    for _ in range(3):
        await waypoint.watcher.run_once()
        await waypoint.later(7 * 24 * 3600)
    assert not [m for m in await box.messages(GROUP_ID) if "photo" in m]
