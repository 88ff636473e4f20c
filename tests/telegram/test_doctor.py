"""What is wrong with the bot or its group is named, with what to click; and nothing is said where all is well."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from telegram import Bot

from bot.channels.bot_api import client
from bot.doctor import Finding, examine, report
from bot.settings import Settings
from sandbox.testing import GROUP_ID, MEI, Sandbox


async def findings(bot: Bot | None, settings: Settings, *, attempt: bool = False) -> list[Finding]:
    """Everything that was found."""
    return [finding async for finding in examine(bot, settings, attempt=attempt)]


async def advice(bot: Bot | None, settings: Settings) -> list[str]:
    """What has to be done."""
    return [finding.advice for finding in await findings(bot, settings) if finding.advice]


@pytest.fixture
async def stranger(box: Sandbox) -> AsyncIterator[Bot]:
    """A bot with a token that Telegram does not know."""
    settings = Settings(telegram_bot_token="123:nobody", telegram_api_base=box.url)
    bot = client(settings)
    assert bot is not None
    yield bot
    await bot.request.shutdown()


async def test_nothing_has_to_be_done_where_all_is_well(bot: Bot, settings: Settings) -> None:
    assert await advice(bot, settings) == []
    assert await report(bot, settings)


async def test_a_topic_is_tried_only_when_asked_and_leaves_nothing(bot: Bot, settings: Settings, box: Sandbox) -> None:
    await findings(bot, settings)
    assert await box.calls("createForumTopic") == []
    tried = await findings(bot, settings, attempt=True)
    assert tried[-1] == Finding("A topic was opened, written into, and deleted")
    (call,) = await box.calls("deleteForumTopic")
    assert box.world.chats[GROUP_ID].topics[int(call["params"]["message_thread_id"])].deleted


async def test_without_a_token_it_says_where_to_get_one(settings: Settings) -> None:
    (one,) = await advice(None, settings)
    assert "@BotFather" in one
    assert not await report(None, settings)


async def test_a_token_that_telegram_does_not_know_is_named(stranger: Bot, settings: Settings) -> None:
    (one,) = await advice(stranger, settings)
    assert "TELEGRAM_BOT_TOKEN" in one


async def test_telegram_out_of_reach_is_named(settings: Settings) -> None:
    bot = client(Settings(telegram_bot_token="123:nobody", telegram_api_base="http://127.0.0.1:9"))
    assert bot is not None
    (one,) = await advice(bot, settings)
    assert "TELEGRAM_API_BASE" in one
    await bot.request.shutdown()


async def test_without_a_group_it_says_how_to_make_one(bot: Bot, settings: Settings) -> None:
    (one,) = await advice(bot, settings.model_copy(update={"coordinators_chat_id": None}))
    assert "COORDINATORS_CHAT_ID" in one


async def test_a_group_without_the_bot_is_named(bot: Bot, settings: Settings) -> None:
    (one,) = await advice(bot, settings.model_copy(update={"coordinators_chat_id": -100_999}))
    assert "@waypoint_sandbox_bot" in one


async def test_a_group_without_topics_is_named(bot: Bot, settings: Settings, box: Sandbox) -> None:
    box.world.chats[GROUP_ID].forum = False
    (one,) = await advice(bot, settings)
    assert "Topics, on" in one


async def test_reactions_that_the_group_does_not_allow_are_named(bot: Bot, settings: Settings, box: Sandbox) -> None:
    box.world.chats[GROUP_ID].available_reactions = [{"type": "emoji", "emoji": "👌"}]
    found = [finding for finding in await findings(bot, settings) if finding.advice]
    assert [(finding.what, finding.grave) for finding in found] == [
        ("The group does not allow the reactions ✍ 💔 👎", False)
    ]


async def test_a_bot_that_is_no_administrator_is_named(bot: Bot, settings: Settings, box: Sandbox) -> None:
    await box.post("members", chat=GROUP_ID, person="bot", status="member", by=MEI)
    (one,) = await advice(bot, settings)
    assert "Administrators" in one


async def test_a_right_that_is_missing_is_named(bot: Bot, settings: Settings, box: Sandbox) -> None:
    rights = {"can_manage_topics": False, "can_pin_messages": True}
    await box.post("members", chat=GROUP_ID, person="bot", status="administrator", rights=rights, by=MEI)
    found = [finding for finding in await findings(bot, settings) if finding.advice]
    assert [finding.what for finding in found] == ["The bot lacks: Manage topics"]
    assert not await report(bot, settings)


async def test_a_webhook_that_is_not_ours_is_named_and_does_not_stop_anything(bot: Bot, settings: Settings) -> None:
    await bot.set_webhook("http://127.0.0.1:9/hook")
    (one,) = await advice(bot, settings)
    assert "webhook" in one
    assert await report(bot, settings)
