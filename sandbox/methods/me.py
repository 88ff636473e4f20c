"""The bot itself: who it is, its commands, menu button, name and descriptions."""

import json
import re
from typing import Any

from sandbox.chats import Json
from sandbox.errors import bad_request
from sandbox.params import Params
from sandbox.registry import Call, method
from sandbox.sending import chat_of

COMMAND = re.compile(r"[a-z0-9_]{1,32}")
SCOPES = (
    "default",
    "all_private_chats",
    "all_group_chats",
    "all_chat_administrators",
    "chat",
    "chat_administrators",
    "chat_member",
)
MENU_BUTTONS = ("default", "commands", "web_app")
TEXTS = {"Name": ("name", 64), "Description": ("description", 512), "ShortDescription": ("short_description", 120)}


@method("getMe")
async def get_me(call: Call) -> Json:
    """The bot's User with what only getMe tells."""
    return call.world.bot.user() | {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_guest_queries": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": False,
        "allows_users_to_create_topics": False,
        "can_manage_bots": False,
    }


def scope_and_language(params: Params) -> str:
    """The key under which commands of a scope and a language are kept."""
    scope = params.object("scope") or {"type": "default"}
    if scope.get("type") not in SCOPES:
        raise bad_request("can't parse BotCommandScope: unsupported type specified")
    return json.dumps(["commands", scope, params.text("language_code")], sort_keys=True)


@method("setMyCommands")
async def set_my_commands(call: Call) -> bool:
    """Set the list of commands for a scope and a language."""
    commands = call.params.array("commands") or []
    if len(commands) > 100:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    checked: list[Json] = []
    for command in commands:
        if not isinstance(command, dict):
            raise bad_request("can't parse BotCommand: expected an Object")
        name, description = str(command.get("command", "")).removeprefix("/"), str(command.get("description", ""))
        if not COMMAND.fullmatch(name):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(description) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        checked.append({"command": name, "description": description})
    call.world.settings[scope_and_language(call.params)] = checked
    call.world.publish("commands")
    return True


@method("getMyCommands")
async def get_my_commands(call: Call) -> Any:
    """The list of commands of a scope and a language."""
    return call.world.settings.get(scope_and_language(call.params), [])


@method("deleteMyCommands")
async def delete_my_commands(call: Call) -> bool:
    """Remove the list of commands of a scope and a language."""
    call.world.settings.pop(scope_and_language(call.params), None)
    call.world.publish("commands")
    return True


@method("setChatMenuButton")
async def set_chat_menu_button(call: Call) -> bool:
    """Set the menu button of one private chat or of all."""
    button = call.params.object("menu_button") or {"type": "default"}
    if button.get("type") not in MENU_BUTTONS:
        raise bad_request("can't parse menu button: unsupported type specified")
    call.world.settings[f"menu {chat_of(call.world, call.params).id if call.params.has('chat_id') else 0}"] = button
    return True


@method("getChatMenuButton")
async def get_chat_menu_button(call: Call) -> Any:
    """The menu button of one private chat, or the one of all."""
    settings = call.world.settings
    chat = chat_of(call.world, call.params).id if call.params.has("chat_id") else 0
    return settings.get(f"menu {chat}") or settings.get("menu 0") or {"type": "commands"}


def enter(name: str, field: str, longest: int) -> None:
    """Enter the pair of methods that set and get one of the bot's texts."""

    @method(f"setMy{name}")
    async def set_text(call: Call) -> bool:
        text = call.params.text(field)
        if len(text) > longest:
            raise bad_request(f"{field} is too long")
        call.world.settings[f"{field} {call.params.text('language_code')}"] = text
        return True

    @method(f"getMy{name}")
    async def get_text(call: Call) -> Json:
        settings = call.world.settings
        fallback = call.world.bot.first_name if field == "name" else ""
        own = settings.get(f"{field} {call.params.text('language_code')}")
        return {field: own or settings.get(f"{field} ") or fallback}


for name, (field, longest) in TEXTS.items():
    enter(name, field, longest)
