"""Chats and their members."""

from typing import Any

from sandbox.chats import MEMBER_RIGHTS, Chat, Json, Member
from sandbox.errors import bad_request
from sandbox.registry import Call, method
from sandbox.sending import bot_in, chat_of, right

RESTRICT = "not enough rights to restrict/unrestrict chat member"


@method("getChat")
async def get_chat(call: Call) -> Json:
    """Everything about a chat."""
    chat = chat_of(call.world, call.params)
    if not chat.private:
        bot_in(call.world, chat)
    gifts = (
        "unlimited_gifts",
        "limited_gifts",
        "unique_gifts",
        "premium_subscription",
        "gifts_from_channels",
    )
    body = chat.brief() | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts, False),
    }
    if not chat.private:
        if chat.available_reactions is not None:
            body["available_reactions"] = chat.available_reactions
        body["permissions"] = {name: name != "can_change_info" for name in MEMBER_RIGHTS}
    pinned = chat.last_pinned()
    if pinned:
        body["pinned_message"] = pinned.full()
    return body


def member_of(call: Call, chat: Chat) -> Member:
    """The member that the call names; who never was in the chat counts as having left it."""
    if not call.params.has("user_id"):
        raise bad_request("invalid user_id specified")
    user_id = call.params.integer("user_id")
    if user_id != call.world.bot.id and user_id not in call.world.people:
        raise bad_request("invalid user_id specified")
    if chat.private:
        if user_id not in (chat.id, call.world.bot.id):
            raise bad_request("user not found")
        return Member(call.world.person(user_id))
    return chat.members.get(user_id) or Member(call.world.person(user_id), "left")


@method("getChatMember")
async def get_chat_member(call: Call) -> Json:
    """Someone's standing in a chat."""
    chat = chat_of(call.world, call.params)
    bot_in(call.world, chat)
    return member_of(call, chat).chat_member()


@method("getChatAdministrators")
async def get_chat_administrators(call: Call) -> list[Json]:
    """The administrators of a group who are no bots, and this bot."""
    chat = chat_of(call.world, call.params)
    if chat.private:
        raise bad_request("there are no administrators in the private chat")
    bot_in(call.world, chat)
    return [m.chat_member() for m in chat.members.values() if m.status in ("creator", "administrator")]


@method("getChatMemberCount")
async def get_chat_member_count(call: Call) -> int:
    """How many are in a chat."""
    chat = chat_of(call.world, call.params)
    bot_in(call.world, chat)
    return 2 if chat.private else sum(m.inside for m in chat.members.values())


@method("leaveChat")
async def leave_chat(call: Call) -> bool:
    """The bot leaves a group."""
    chat = chat_of(call.world, call.params)
    bot_in(call.world, chat)
    if chat.private:
        raise bad_request("chat member status can't be changed in private chats")
    call.world.set_member(chat, call.world.bot, "left", call.world.bot, {})
    return True


def change_member(call: Call, status: str, rights: dict[str, Any]) -> bool:
    """Give someone another standing, as an administrator who may restrict members can."""
    chat = chat_of(call.world, call.params)
    if chat.private:
        raise bad_request("chat member status can't be changed in private chats")
    right(call.world, chat, "can_restrict_members", RESTRICT)
    member = member_of(call, chat)
    if member.status in ("creator", "administrator"):
        raise bad_request("user is an administrator of the chat")
    call.world.set_member(chat, member.person, status, call.world.bot, rights)
    return True


@method("banChatMember")
async def ban_chat_member(call: Call) -> bool:
    """Remove someone for good."""
    return change_member(call, "kicked", {})


@method("unbanChatMember")
async def unban_chat_member(call: Call) -> bool:
    """Let someone banned come back."""
    return change_member(call, "left", {})


@method("restrictChatMember")
async def restrict_chat_member(call: Call) -> bool:
    """Set what someone may do."""
    permissions = call.params.object("permissions")
    if permissions is None:
        raise bad_request("permissions are not specified")
    return change_member(call, "restricted", permissions)
