"""Who is in a group, and what the bot may do there."""

import pytest
from telegram import ChatPermissions
from telegram.error import BadRequest, Forbidden

from sandbox.testing import ADA, BEN, GROUP_ID, LUIS, MEI, ControlError


async def test_the_standing_of_everybody_is_told(bot, ada):
    standings = {p: (await bot.get_chat_member(GROUP_ID, p)).status for p in (bot.id, MEI, LUIS, ADA)}
    assert standings == {bot.id: "administrator", MEI: "administrator", LUIS: "member", ADA: "left"}
    assert {m.user.id for m in await bot.get_chat_administrators(GROUP_ID)} == {bot.id, MEI}
    assert await bot.get_chat_member_count(GROUP_ID) == 3
    chat = await bot.get_chat(GROUP_ID)
    assert (chat.is_forum, chat.type, chat.title) == (True, "supergroup", "Coordinators (sample)")
    assert (await bot.get_chat(ada)).first_name == "Ada"
    with pytest.raises(BadRequest, match="Invalid user_id specified"):
        await bot.get_chat_member(GROUP_ID, 12345)


async def test_a_kicked_bot_is_told_and_refused(box, bot):
    await box.post("members", chat=GROUP_ID, person="bot", status="kicked")
    (update,) = await bot.get_updates()
    assert update.my_chat_member.new_chat_member.status == "kicked"
    with pytest.raises(Forbidden, match="bot was kicked from the supergroup chat"):
        await bot.send_message(GROUP_ID, "x")
    await box.say(MEI, "unheard", chat=GROUP_ID)
    assert len(await bot.get_updates()) == 1
    await box.post("members", chat=GROUP_ID, person="bot", status="left")
    with pytest.raises(Forbidden, match="bot is not a member of the supergroup chat"):
        await bot.get_chat(GROUP_ID)


async def test_a_bot_without_admin_rights_sees_only_what_concerns_it(box, bot):
    await box.post("members", chat=GROUP_ID, person="bot", status="member")
    own = await bot.send_message(GROUP_ID, "x")
    box.world.updates.drop()
    await box.say(MEI, "among us", chat=GROUP_ID)
    await box.say(MEI, "/status", chat=GROUP_ID)
    await box.say(MEI, "you there?", chat=GROUP_ID, reply_to=own.message_id)
    await box.say(MEI, "hey @waypoint_sandbox_bot", chat=GROUP_ID)
    assert [u.message.text for u in await bot.get_updates()] == ["/status", "you there?", "hey @waypoint_sandbox_bot"]


async def test_a_restricted_bot_cannot_write(box, bot):
    await box.post("members", chat=GROUP_ID, person="bot", status="restricted")
    with pytest.raises(BadRequest, match="Not enough rights to send text messages to the chat"):
        await bot.send_message(GROUP_ID, "x")
    assert (await bot.get_chat_member(GROUP_ID, bot.id)).status == "restricted"


async def test_joining_and_leaving_are_told_in_the_group(box, bot):
    await box.post("members", chat=GROUP_ID, person=BEN, status="member")
    await box.post("members", chat=GROUP_ID, person=BEN, status="left")
    joined, left = await bot.get_updates()
    assert joined.message.new_chat_members[0].id == BEN
    assert left.message.left_chat_member.id == BEN
    with pytest.raises(ControlError, match="not a member"):
        await box.say(BEN, "x", chat=GROUP_ID)


async def test_the_bot_bans_and_restricts_members_but_no_administrators(box, bot):
    await bot.restrict_chat_member(GROUP_ID, LUIS, ChatPermissions.no_permissions())
    with pytest.raises(ControlError, match="may not write"):
        await box.say(LUIS, "x", chat=GROUP_ID)
    await bot.ban_chat_member(GROUP_ID, LUIS)
    assert (await bot.get_chat_member(GROUP_ID, LUIS)).status == "kicked"
    await bot.unban_chat_member(GROUP_ID, LUIS)
    with pytest.raises(BadRequest, match="User is an administrator of the chat"):
        await bot.ban_chat_member(GROUP_ID, MEI)


async def test_the_bot_leaves(bot):
    await bot.leave_chat(GROUP_ID)
    with pytest.raises(Forbidden, match="bot is not a member"):
        await bot.send_message(GROUP_ID, "x")


async def test_people_and_groups_are_added(box, bot):
    person = await box.post("people", first_name="Noor", last_name="(sample)", language_code="ar")
    group = await box.post("groups", title="Second (sample)", members=[person["id"]], admins=[MEI])
    assert group["id"] < -1_000_000_000_000
    await box.say(person["id"], "hello", chat=group["id"])
    (update,) = await bot.get_updates()
    assert (update.message.from_user.language_code, update.message.chat.is_forum) == ("ar", True)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("messages", {"from": 1, "text": "x"}, "no such person"),
        ("messages", {"from": ADA}, "exactly one of text"),
        ("messages", {"from": ADA, "text": "x" * 4097}, "1 to 4096"),
        ("messages", {"from": ADA, "chat": BEN, "text": "x"}, "no such chat"),
        ("messages", {"from": MEI, "chat": GROUP_ID, "thread": 5, "text": "x"}, "no such topic"),
        ("messages", {"from": ADA, "document": {"content": "%"}}, "not base64"),
        ("presses", {"from": ADA, "message_id": 1, "data": "x"}, "no such message"),
        ("faults", {"answer": "explode"}, "error, drop, hang or normal"),
        ("members", {"chat": GROUP_ID, "person": ADA, "status": "owner"}, "one of creator"),
        ("people", {}, "1 to 64 characters"),
        ("clock", {"advance": -1}, "0 or more"),
    ],
)
async def test_the_control_api_says_what_is_wrong(box, path, body, words):
    with pytest.raises(ControlError, match=words):
        await box.post(path, **body)
