"""`python -m bot.doctor`: whether the bot and the coordinators' group are set up, and if not, what to click.

It reads the same settings as the assistant and changes nothing, unless it is asked to try a topic (`--try`): then it
opens one in the group, writes into it, and deletes it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from telegram import Bot, ChatFullInfo
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import BadRequest, Forbidden, InvalidToken, TelegramError

from bot.casework.copies import ARRIVED, CORRECTED, FAILED
from bot.casework.corrections import DISLIKE
from bot.channels.bot_api import client, reason
from bot.settings import Settings, SettingsError, load

RIGHTS = {
    "can_manage_topics": "Manage topics",
    "can_pin_messages": "Pin messages",
}
MARKS = (ARRIVED, CORRECTED, FAILED, DISLIKE)
PENDING = 100  # updates that wait: more than that, and somebody waits for an answer


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `advice` says what to do, and is empty when all is well; `grave`: nothing works."""

    what: str
    advice: str = ""
    grave: bool = True


async def examine(bot: Bot | None, settings: Settings, *, attempt: bool = False) -> AsyncIterator[Finding]:
    """Look at everything, one thing after the other, up to the first without which the next cannot be looked at."""
    if bot is None:
        yield Finding(
            "No token",
            "In Telegram, write /newbot to @BotFather, and set TELEGRAM_BOT_TOKEN, or put the token into a file and "
            "set TELEGRAM_BOT_TOKEN_FILE to its path.",
        )
        return
    try:
        me = await bot.get_me()
    except InvalidToken:
        yield Finding(
            "Telegram does not know the token",
            "Write /mybots to @BotFather, choose the bot, API Token, and set TELEGRAM_BOT_TOKEN to what it shows.",
        )
        return
    except TelegramError as error:
        yield Finding(
            f"Telegram cannot be reached ({reason(error)})",
            f"See whether this machine may reach {settings.telegram_api_base}. With a Bot API server of your own, set "
            "TELEGRAM_API_BASE to its address.",
        )
        return
    yield Finding(f"The token is of @{me.username}")
    async for finding in _updates(bot, settings):
        yield finding
    if settings.coordinators_chat_id is None:
        yield Finding(
            "No group",
            "Make a group, add the bot, start Waypoint, write anything into the group, and set COORDINATORS_CHAT_ID to "
            "the number that the log then says.",
        )
        return
    try:
        group = await bot.get_chat(settings.coordinators_chat_id)
    except (BadRequest, Forbidden) as error:
        yield Finding(
            f"The bot is not in the group {settings.coordinators_chat_id} ({reason(error)})",
            f"Open the group, its name, Add, @{me.username}. If the group's number is another one, set "
            "COORDINATORS_CHAT_ID to that: it begins with -100.",
        )
        return
    async for finding in _group(bot, me.id, group):
        yield finding
    if attempt and group.is_forum:
        yield await _topic(bot, group.id)


async def _updates(bot: Bot, settings: Settings) -> AsyncIterator[Finding]:
    """How updates come, and whether they do."""
    hook = await bot.get_webhook_info()
    wanted = settings.telegram_webhook_url
    if wanted and not hook.url:
        yield Finding("The webhook is not set yet", "Start Waypoint: it sets it.", grave=False)
    elif wanted and hook.last_error_message:
        yield Finding(
            f"Telegram cannot deliver to the webhook: {hook.last_error_message}",
            "The address has to be reachable from the internet over HTTPS on port 443, 80, 88 or 8443, with a "
            "certificate that is not self-signed.",
        )
    elif hook.url and not wanted:
        yield Finding(
            "Updates go to a webhook that is not configured here",
            "If another program uses this bot, give Waypoint one of its own. If not, start Waypoint: it takes the "
            "webhook away.",
            grave=False,
        )
    else:
        yield Finding("Updates come by webhook" if wanted else "Updates are asked for")
    if hook.pending_update_count > PENDING:
        yield Finding(
            f"{hook.pending_update_count} updates wait", "Start Waypoint: they are answered in order.", grave=False
        )


async def _group(bot: Bot, me: int, group: ChatFullInfo) -> AsyncIterator[Finding]:
    """Whether the group has topics, and the bot its rights."""
    if group.type == ChatType.PRIVATE or group.type == ChatType.CHANNEL:
        yield Finding(f"{group.id} is no group", "Set COORDINATORS_CHAT_ID to the number of a group.")
        return
    yield Finding(f"The group is “{group.title}”")
    if group.is_forum:
        yield Finding("It has topics")
    else:
        yield Finding(
            "It has no topics",
            "Open the group, its name, Edit, Topics, on. If its number changes by that, Waypoint notices by itself.",
        )
    member = await bot.get_chat_member(group.id, me)
    if member.status != ChatMemberStatus.ADMINISTRATOR:
        yield Finding(
            "The bot is no administrator, so it does not see what coordinators write",
            f"Open the group, its name, Edit, Administrators, Add, the bot; switch on: {', '.join(RIGHTS.values())}.",
        )
    else:
        yield Finding("The bot is an administrator, so it reads the group whatever its privacy mode says")
        missing = [name for right, name in RIGHTS.items() if not getattr(member, right, False)]
        if missing:
            yield Finding(
                f"The bot lacks: {', '.join(missing)}",
                "Open the group, its name, Edit, Administrators, the bot; switch them on.",
                grave="Manage topics" in missing,
            )
        else:
            yield Finding("It may manage topics and pin messages")
    if lacking := await _reactions_missing(bot, group.id):
        yield Finding(
            f"The group does not allow the reactions {' '.join(lacking)}",
            "Without them nothing shows whether words arrived. Open the group, its name, Edit, Reactions, All.",
            grave=False,
        )


async def _reactions_missing(bot: Bot, group: int) -> list[str]:
    """Our marks that a group does not allow. Asked for as plain data: the library reads "all" as it reads "none"."""
    found: Any = await bot.request.post(f"{bot.base_url}/getChat?chat_id={group}")
    if "available_reactions" not in found:
        return []
    allowed = {reaction.get("emoji") for reaction in found["available_reactions"]}
    return [mark for mark in MARKS if mark not in allowed]


async def _topic(bot: Bot, group: int) -> Finding:
    """Open a topic, write into it, delete it."""
    try:
        topic = await bot.create_forum_topic(group, "Waypoint: a trial")
        await bot.send_message(group, "It works.", message_thread_id=topic.message_thread_id)
        await bot.delete_forum_topic(group, topic.message_thread_id)
    except TelegramError as error:
        return Finding(f"A topic could not be tried: {reason(error)}", "Mend what is said above, and try again.")
    return Finding("A topic was opened, written into, and deleted")


async def report(bot: Bot | None, settings: Settings, *, attempt: bool = False) -> bool:
    """Print what was found, one thing a line. Returns whether the assistant can work."""
    works = True
    async for finding in examine(bot, settings, attempt=attempt):
        print(f"  {'✓' if not finding.advice else '✗' if finding.grave else '!'} {finding.what}", flush=True)
        if finding.advice:
            print(f"      {finding.advice}")
            works = works and not finding.grave
    if not settings.hours.known:
        print(
            "  ! No working hours: nobody is told when a coordinator is there\n      Set DESK_HOURS and DESK_TIMEZONE."
        )
    print("\nAll is well." if works else "\nSomething has to be done: see the lines with ✗. docs/connect.md shows how.")
    return works


async def _run(settings: Settings, *, attempt: bool) -> bool:
    bot = client(settings)
    try:
        return await report(bot, settings, attempt=attempt)
    except TelegramError as error:
        print(f"  ✗ Telegram went away while it was asked ({reason(error)})\n      Try again.")
        return False
    finally:
        if bot is not None:
            await bot.request.shutdown()  # `shutdown` of a bot that was never initialized does nothing


def main() -> int:
    """Examine, and say by the exit status whether the assistant can work."""
    parser = argparse.ArgumentParser(description="See whether the bot and the coordinators' group are set up.")
    parser.add_argument("--try", dest="attempt", action="store_true", help="open a topic, write into it, delete it")
    options = parser.parse_args()
    try:
        return 0 if asyncio.run(_run(load(), attempt=options.attempt)) else 1
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
