"""Flood control, faults to order, and the client's view of them."""

import asyncio

import pytest
from telegram import InputMediaDocument
from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, RetryAfter, TimedOut

from sandbox.testing import GROUP_ID, MEI


async def test_the_21st_send_of_a_minute_into_a_group_waits(bot, ada, clock):
    topic = await bot.create_forum_topic(GROUP_ID, "counts too")
    sent = await bot.send_message(GROUP_ID, "x", message_thread_id=topic.message_thread_id)
    await sent.edit_text("edits count")
    clock.advance(15)
    for _ in range(17):
        await bot.send_message(GROUP_ID, "x")
    with pytest.raises(RetryAfter) as refusal:
        await sent.edit_text("one too many")
    assert refusal.value.retry_after.total_seconds() == 45
    # Private chats are not held up by a group.
    await bot.send_message(ada, "x")
    clock.advance(45)
    for _ in range(3):
        await bot.send_message(GROUP_ID, "x")
    with pytest.raises(RetryAfter):
        await bot.send_message(GROUP_ID, "x")


async def test_what_flood_control_refuses_has_no_effect(box, bot):
    await box.post("limits", group_per_minute=1)
    await bot.send_message(GROUP_ID, "goes")
    with pytest.raises(RetryAfter):
        await bot.send_message(GROUP_ID, "stays")
    assert [m["text"] for m in await box.messages(GROUP_ID)] == ["goes"]


async def test_30_a_second_over_all_chats(box, bot, ada, clock):
    for _ in range(30):
        await bot.send_message(ada, "x")
    with pytest.raises(RetryAfter) as refusal:
        await bot.send_message(ada, "x")
    assert refusal.value.retry_after.total_seconds() == 1
    clock.advance(1)
    await bot.send_message(ada, "x")


async def test_an_album_counts_its_items(box, bot):
    await box.post("limits", group_per_minute=3)
    document = (await bot.send_document(GROUP_ID, b"x")).document.file_id
    await bot.send_media_group(GROUP_ID, [InputMediaDocument(document)] * 2)
    with pytest.raises(RetryAfter):
        await bot.send_message(GROUP_ID, "x")


async def test_limits_can_be_lifted(box, bot):
    await box.post("limits", group_per_minute=None)
    for _ in range(25):
        await bot.send_message(GROUP_ID, "x")


@pytest.mark.parametrize(
    ("order", "error", "words"),
    [
        ({"code": 500}, NetworkError, "Internal Server Error"),
        ({"code": 502}, NetworkError, "Bad Gateway"),
        ({"code": 429, "retry_after": 17}, RetryAfter, "Retry in 0:00:17"),
        ({"code": 403, "description": "Forbidden: user is deactivated"}, Forbidden, "user is deactivated"),
        ({"code": 400, "description": "Bad Request: TOPIC_CLOSED"}, BadRequest, "Topic_closed"),
        ({"answer": "drop"}, NetworkError, "disconnected"),
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_ordered_fault_comes_once_before_or_after_the_effect(box, bot, ada, order, error, words, when):
    await box.post("faults", method="sendMessage", when=when, **order)
    with pytest.raises(error, match=words):
        await bot.send_message(ada, "first")
    await bot.send_message(ada, "second")
    texts = [m["text"] for m in await box.messages(ada)]
    assert texts == (["Hello", "second"] if when == "before" else ["Hello", "first", "second"])


async def test_a_connection_that_hangs_ends_when_the_client_gives_up(box, bot, ada):
    await box.post("faults", method="sendMessage", answer="hang", when="after")
    with pytest.raises(TimedOut):
        await bot.send_message(ada, "x", read_timeout=0.2)
    (call,) = await box.calls("sendMessage")
    assert call["answer"] == "hang"
    assert (await box.messages(ada))[-1]["text"] == "x"


async def test_a_delay_alone_only_delays(box, bot, ada):
    await box.post("faults", method="sendMessage", answer="normal", delay=0.3)
    with pytest.raises(TimedOut):
        await bot.send_message(ada, "slow", read_timeout=0.05)
    slow = await box.wait(ada, "slow")
    assert slow["text"] == "slow"


async def test_faults_are_met_by_the_named_method_chat_and_number_of_calls(box, bot, ada):
    await box.post("faults", method="sendMessage", chat=GROUP_ID, times=2, code=500)
    await bot.send_message(ada, "other chat")
    await bot.send_chat_action(GROUP_ID, "typing")
    for _ in range(2):
        with pytest.raises(NetworkError):
            await bot.send_message(GROUP_ID, "x")
    await bot.send_message(GROUP_ID, "x")
    assert (await box.get("state"))["faults"] == []


async def test_a_fault_for_all_methods_spares_polling(box, bot):
    await box.post("faults", code=500)
    assert await bot.get_updates() == ()
    with pytest.raises(NetworkError):
        await bot.get_me()


async def test_orders_can_be_taken_back(box, bot, ada):
    await box.post("faults", code=500, times=9)
    await box.clear_faults()
    await bot.send_message(ada, "x")


async def test_a_group_that_moved_says_where_to(box, bot):
    group = await box.post("groups", title="Old", type="group", members=[MEI])
    new = await box.post("migrate", chat=group["id"])
    with pytest.raises(ChatMigrated) as moved:
        await bot.send_message(group["id"], "x")
    assert moved.value.new_chat_id == new["id"]
    assert (await bot.send_message(new["id"], "x")).chat.type == "supergroup"
    told, arrived = await bot.get_updates()
    assert told.message.migrate_to_chat_id == new["id"]
    assert arrived.message.migrate_from_chat_id == group["id"]


async def test_the_log_of_calls_can_be_waited_for(box, bot, ada):
    waiting = asyncio.create_task(box.calls("sendMessage", timeout=10))
    await bot.send_message(ada, "noted")
    (call,) = await asyncio.wait_for(waiting, 10)
    assert (call["params"]["text"], call["status"], call["answer"]["result"]["text"]) == ("noted", 200, "noted")
    await bot.send_document(ada, b"secret", filename="a.txt")
    (call,) = await box.calls("sendDocument")
    assert call["params"]["document"]["size"] == 6
