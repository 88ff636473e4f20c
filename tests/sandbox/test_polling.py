"""Updates by polling: confirmed by offset, given again until then, one poller at a time."""

import asyncio

import pytest
from telegram import Bot
from telegram.error import Conflict

from sandbox.testing import ADA, BEN, GROUP_ID, MEI


async def test_an_update_comes_again_until_it_is_confirmed(box, bot):
    await box.say(ADA, "one")
    await box.say(ADA, "two")
    first = await bot.get_updates(timeout=1)
    again = await bot.get_updates(timeout=1)
    assert [u.message.text for u in first] == [u.message.text for u in again] == ["one", "two"]
    rest = await bot.get_updates(offset=first[0].update_id + 1, timeout=1)
    assert [u.message.text for u in rest] == ["two"]
    assert await bot.get_updates(offset=first[1].update_id + 1, timeout=0) == ()
    assert await bot.get_updates(timeout=0) == ()


async def test_a_limit_gives_the_oldest_first(box, bot):
    for text in ("one", "two", "three"):
        await box.say(ADA, text)
    assert [u.message.text for u in await bot.get_updates(limit=2)] == ["one", "two"]


async def test_a_negative_offset_keeps_only_the_last(box, bot):
    for text in ("one", "two", "three"):
        await box.say(ADA, text)
    assert [u.message.text for u in await bot.get_updates(offset=-1)] == ["three"]
    assert [u.message.text for u in await bot.get_updates()] == ["three"]


async def test_a_long_poll_returns_as_soon_as_something_happens(box, bot):
    waiting = asyncio.create_task(bot.get_updates(timeout=30))
    await box.say(ADA, "here I am")
    (update,) = await asyncio.wait_for(waiting, 10)
    assert update.message.text == "here I am"


async def test_a_later_poller_ends_the_earlier_one(box, bot):
    earlier = asyncio.create_task(bot.get_updates(timeout=30))
    await waiting_poll(box)
    later = asyncio.create_task(bot.get_updates(timeout=30))
    with pytest.raises(Conflict, match="terminated by other getUpdates request"):
        await asyncio.wait_for(earlier, 10)
    await box.say(ADA, "for the later one")
    assert (await asyncio.wait_for(later, 10))[0].message.text == "for the later one"


async def waiting_poll(box):
    """Return when a getUpdates call holds the queue."""
    poll = box.world.updates.poll
    assert await box.world.bell.until(lambda: box.world.updates.poll > poll or None, 10)


async def test_polling_is_refused_while_a_webhook_is_set(bot):
    await bot.set_webhook("http://127.0.0.1:9/hook")
    with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    assert await bot.get_updates() == ()


async def test_only_allowed_kinds_are_queued(box, bot):
    await bot.get_updates(allowed_updates=["callback_query"])
    await box.say(ADA, "unseen")
    assert await bot.get_updates() == ()
    assert (await bot.get_webhook_info()).allowed_updates == ("callback_query",)
    await bot.get_updates(allowed_updates=[])
    await box.say(ADA, "seen")
    assert [u.message.text for u in await bot.get_updates()] == ["seen"]


async def test_member_changes_and_reactions_come_only_when_asked_for(box, bot):
    sent = await box.say(MEI, "hello", chat=GROUP_ID)
    box.world.updates.drop()

    async def change():
        await box.post("reactions", **{"from": MEI, "chat": GROUP_ID, "message_id": sent["message_id"], "emoji": "👍"})
        await box.post("members", chat=GROUP_ID, person=BEN, status="member")
        await box.post("members", chat=GROUP_ID, person=BEN, status="left")

    await change()
    kinds = [set(u.to_dict()) - {"update_id"} for u in await bot.get_updates()]
    assert kinds == [{"message"}, {"message"}]
    box.world.updates.drop()
    await bot.get_updates(allowed_updates=["message_reaction", "chat_member"])
    await change()
    reaction, joined, left = await bot.get_updates()
    assert reaction.message_reaction.old_reaction[0].emoji == "👍"
    assert joined.chat_member.new_chat_member.status == "member"
    assert left.chat_member.new_chat_member.status == "left"


async def test_updates_are_kept_for_a_day(box, bot, clock):
    await box.say(ADA, "old")
    clock.advance(23 * 3600)
    await box.say(ADA, "new")
    assert len(await bot.get_updates()) == 2
    clock.advance(2 * 3600)
    assert [u.message.text for u in await bot.get_updates()] == ["new"]


async def test_an_update_that_was_fetched_but_lost_on_the_way_comes_again(box, bot):
    await box.say(ADA, "do not lose me")
    await box.post("faults", method="getUpdates", answer="drop", when="after")
    with pytest.raises(Exception, match="disconnected"):
        await bot.get_updates()
    assert [u.message.text for u in await bot.get_updates()] == ["do not lose me"]


async def test_numbers_go_on_over_a_reset(box, bot):
    await box.say(ADA, "before")
    before = (await bot.get_updates())[0]
    await box.post("reset")
    assert await bot.get_updates() == ()
    await box.say(ADA, "after")
    after = (await bot.get_updates(offset=before.update_id + 1))[0]
    assert after.message.text == "after"
    assert after.message.message_id > before.message.message_id


async def test_a_wrong_token_and_a_wrong_method_are_refused(box, api):
    assert await api("getMe", token="1000001:other") == {
        "ok": False,
        "error_code": 401,
        "description": "Unauthorized",
    }
    assert (await api("getMe", token="nonsense"))["error_code"] == 404
    missing = await api("sendPoll", chat_id=ADA)
    assert missing["error_code"] == 404
    assert "sendPoll" in missing["description"]
    assert (await api("GETME"))["result"]["id"] == 1000001


async def test_the_bot_says_what_it_can(bot: Bot):
    me = await bot.get_me()
    assert (me.can_join_groups, me.can_read_all_group_messages, me.supports_inline_queries) == (True, False, False)
    assert me.username == "waypoint_sandbox_bot"
