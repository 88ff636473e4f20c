"""Commands as coordinators meet them in Telegram: menus, buttons, files, links, and who may do what."""

from __future__ import annotations

from typing import Any

import pytest
from telegram import Bot, BotCommandScopeChat, BotCommandScopeChatAdministrators

from bot.casework.commands import COMMANDS
from bot.channels.updates import offer_commands
from sandbox.testing import ADA, BEN, GROUP_ID, LUIS, MEI, Sandbox
from tests.telegram.conftest import Handed, Json, Waypoint, labels, until


async def general(waypoint: Waypoint) -> list[Json]:
    """What the bot said in General, apart from the board."""
    return [m for m in await board_and_posts(waypoint) if "Open cases" not in m["text"] and "No open" not in m["text"]]


async def board_and_posts(waypoint: Waypoint) -> list[Json]:
    """What the bot said in General."""
    found = await waypoint.box.messages(GROUP_ID)
    return [m for m in found if m["sandbox"]["from_bot"] and not m.get("message_thread_id") and "text" in m]


async def confirm(handed: Handed, who: int, say: str) -> None:
    """Press the newest button of this name in the topic."""
    label = handed.waypoint.casework.words(say)
    message = next(m for m in reversed(await handed.messages()) if [label] in labels(m) or label in str(labels(m)))
    await handed.waypoint.box.press(who, message, label=label)
    await handed.waypoint.settle()


async def test_the_group_has_a_menu_and_its_administrators_have_more(waypoint: Waypoint, bot: Bot) -> None:
    await offer_commands(bot, waypoint.casework, GROUP_ID)
    members = [c.command for c in await bot.get_my_commands(BotCommandScopeChat(GROUP_ID))]
    administrators = [c.command for c in await bot.get_my_commands(BotCommandScopeChatAdministrators(GROUP_ID))]
    assert members == [name for name, command in COMMANDS.items() if not command.administrators]
    assert administrators == [*COMMANDS]


async def test_the_menu_comes_when_the_bot_is_made_an_administrator(waypoint: Waypoint, box: Sandbox, bot: Bot) -> None:
    for status in ("member", "administrator"):
        await box.post("members", chat=GROUP_ID, person="bot", status=status, by=MEI)
    await waypoint.settle()
    await until(lambda: bool(box.world.settings), "the menu is offered")
    assert await bot.get_my_commands(BotCommandScopeChat(GROUP_ID))


async def test_an_answer_that_is_ready_is_sent_by_its_button_and_marked(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    await handed.write(LUIS, "/r no_advice")
    await waypoint.settle()
    before = len(await handed.heard())
    await confirm(handed, LUIS, "desk.preview_send")
    (heard,) = (await handed.heard())[before:]
    assert heard.startswith("Luis (sample)\n")
    preview = await handed.find("I cannot say which treatment is right")
    assert labels(preview) == []
    assert "👌" in str(preview["sandbox"]["reactions"])


async def test_an_answer_that_was_sent_by_a_button_can_be_taken_back(waypoint: Waypoint) -> None:
    handed = await waypoint.claimed()
    await handed.write(MEI, "/r no_advice")
    await waypoint.settle()
    await confirm(handed, MEI, "desk.preview_send")
    await handed.reply(MEI, await handed.find("I cannot say which treatment is right"), "/undo")
    await waypoint.settle()
    left = [m for m in await waypoint.box.messages(ADA) if not m["sandbox"]["deleted"]]
    assert not any("which treatment" in m.get("text", "") for m in left)


async def test_an_export_is_one_file_in_the_topic(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    await box.say(ADA, "He is so tired.")
    await waypoint.settle()
    await handed.write(MEI, "/export")
    await waypoint.settle()
    document = (await handed.messages())[-1]["document"]
    assert document["file_name"] == f"{handed.code}.txt"
    file = await waypoint.bot.get_file(document["file_id"])
    assert "He is so tired." in bytes(await file.download_as_bytearray()).decode()


async def test_what_is_found_is_a_link_to_its_topic(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    await box.say(LUIS, f"/find {handed.code}", chat=GROUP_ID)
    await waypoint.settle()
    (answer,) = await general(waypoint)
    (link,) = [e for e in answer["entities"] if e["type"] == "text_link"]
    assert link["url"].endswith(f"/{await handed.thread()}")
    assert answer["reply_to_message"]["text"].startswith("/find")


@pytest.mark.parametrize("fault", [{"code": 502}, {"code": 429, "retry_after": 30}, {"answer": "drop"}])
async def test_while_telegram_cannot_say_who_is_an_administrator_nothing_is_erased_and_that_is_told(
    waypoint: Waypoint, box: Sandbox, fault: dict[str, Any]
) -> None:
    handed = await waypoint.claimed()
    await waypoint.later(61)  # what Telegram said of Mei when she claimed the case does not hold any more
    await box.post("faults", method="getChatMember", **fault)
    await handed.write(MEI, "/erase")
    await waypoint.settle()
    assert await handed.find(waypoint.casework.words("desk.administrators_unknown"))
    await handed.write(MEI, "/erase")
    await waypoint.settle()
    await confirm(handed, MEI, "desk.erase_yes")
    assert (await handed.case()).code != handed.code


async def test_only_an_administrator_of_the_group_erases_and_all_of_it_goes(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    thread, code = await handed.thread(), handed.code
    await handed.write(LUIS, "/erase")
    await waypoint.settle()
    assert await handed.find(waypoint.casework.words("desk.administrators_only"))
    await handed.write(MEI, "/erase")
    await waypoint.settle()
    await confirm(handed, LUIS, "desk.erase_yes")
    assert (await handed.case()).code == code
    await confirm(handed, MEI, "desk.erase_yes")
    assert box.world.chats[GROUP_ID].topics[thread].deleted
    (receipt,) = await general(waypoint)
    assert code in receipt["text"]
    assert "DEL-" in receipt["text"]
    assert "DEL-" in (await handed.heard())[-1]


async def test_who_is_a_member_or_an_administrator_is_asked_once_a_minute(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()

    async def asked() -> int:
        await handed.write(LUIS, "/block")
        await waypoint.settle()
        return len([call for call in await box.calls("getChatMember") if int(call["params"]["user_id"]) == LUIS])

    assert await asked() == await asked() == 1
    await box.post("members", chat=GROUP_ID, person=LUIS, status="administrator", by=MEI)
    await waypoint.later(61)
    assert await asked() == 2
    assert (await handed.case()).blocked


async def test_the_cases_of_somebody_who_left_the_group_go_back(waypoint: Waypoint, box: Sandbox) -> None:
    ada, ben = await waypoint.claimed(ADA), await waypoint.claimed(BEN)
    await box.post("members", chat=GROUP_ID, person=MEI, status="left")
    await waypoint.settle()
    assert [(await handed.case()).state for handed in (ada, ben)] == ["waiting", "waiting"]
    (told,) = await general(waypoint)
    assert ada.code in told["text"]
    assert ben.code in told["text"]


async def test_a_rating_after_the_closing_leaves_the_topic_closed(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    await handed.write(MEI, "/close helped")
    await waypoint.settle()
    async with waypoint.casework.transaction() as session:
        case, _ = await waypoint._of(session, handed.conversation)
        await waypoint.casework.rated(session, case, 5)
    await waypoint.settle()
    assert waypoint.casework.words("desk.rated", stars=5) in await handed.texts()
    assert box.world.chats[GROUP_ID].topics[await handed.thread()].closed


async def test_a_closed_case_is_opened_again_by_its_button(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    await handed.write(MEI, "/close helped")
    await waypoint.settle()
    await box.press(LUIS, await handed.brief(), label=waypoint.casework.words("desk.button.reopen"))
    await waypoint.settle()
    assert (await handed.case()).holder_name == "Luis (sample)"
    assert not box.world.chats[GROUP_ID].topics[await handed.thread()].closed
