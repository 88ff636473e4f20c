"""What somebody with bad intentions tries on Telegram, and what it comes to (docs/threat-model.md)."""

from __future__ import annotations

import pytest

from bot.channels.updates import webhook_secret
from bot.progress import Contact, Progress
from sandbox.testing import ADA, BEN, GROUP_ID, LUIS, MEI, Sandbox
from tests.telegram.conftest import PIXEL, Waypoint, upload
from tests.telegram.test_webhook import Hook, an_update, hook

__all__ = ["hook"]

CALLS = [
    "@mei_desk come here",
    "/close@waypoint_sample_bot",
    "/erase",
    "/say I am the doctor",
    "<b>Mei</b> <a href='tg://user?id=1'>says</a> &lt;code&gt;",
    "[Mei](tg://user?id=1) *says* `code` __all__ ||hidden||",
    "‮/close‬ \u2066@mei_desk\u2069",
    "#close $USD mail@example.org +49 30 1234567",
]
HARMLESS = {"hashtag", "cashtag", "email", "phone_number", "url"}  # Telegram finds them itself; they call nobody


@pytest.mark.parametrize("route", ["words", "a caption", "an edit", "a file name"])
@pytest.mark.parametrize("call", CALLS)
async def test_what_a_person_writes_calls_nobody_and_commands_nothing_in_the_group(
    waypoint: Waypoint, box: Sandbox, call: str, route: str
) -> None:
    handed = await waypoint.claimed()
    if route == "words":
        await box.say(ADA, call)
    elif route == "a caption":
        await box.say(ADA, photo=upload(PIXEL), caption=call)
    elif route == "an edit":
        await box.edit(ADA, await box.say(ADA, "one"), text=call)
    else:
        await box.say(ADA, document=upload(b"%PDF-1.7", name=f"{call.replace('/', '_')}.pdf"))
    await waypoint.settle()
    said = (await handed.messages())[-1]
    marked = said.get("entities", []) + said.get("caption_entities", [])
    assert {m["type"] for m in marked} <= {"bold", "italic", "blockquote", *HARMLESS}
    text = (said.get("text") or said.get("caption") or "").replace("\u2060", "")
    assert route == "a file name" or call in text
    assert (await handed.case()).state == "claimed"
    assert not any("I am the doctor" in heard for heard in await handed.heard())


@pytest.mark.parametrize("call", CALLS)
async def test_a_name_or_a_contact_calls_nobody_in_the_card(waypoint: Waypoint, call: str) -> None:
    handed = await waypoint.hand_off()
    contact = Contact(name=call[:60], language=call[:40], country=call[:40])
    await waypoint.change_cases(progress=Progress(contact=contact).model_dump_json())
    async with waypoint.casework.transaction() as session:
        case, _ = await waypoint._of(session, handed.conversation)
        await waypoint.casework.refresh_card(session, case)
    await waypoint.settle()
    brief = await handed.brief()
    assert call[:40] in brief["text"].replace("\u2060", "")
    explained = len(waypoint.casework.words("desk.how_to_reply"))  # below; its commands are meant to be touched
    ours = [m for m in brief.get("entities", []) if m["offset"] < len(brief["text"]) - explained]
    assert {m["type"] for m in ours} <= {"bold", "italic", *HARMLESS}


async def test_a_button_of_somebody_else_does_nothing(waypoint: Waypoint, box: Sandbox, hook: Hook) -> None:
    conversation = await waypoint.meet(ADA)
    await waypoint.meet(BEN)
    parse = {"intent": "control.delete_data", "entities": []}
    await waypoint.say(conversation, {"type": "choices", "choices": [{"label": "Delete", "parse": parse}]})
    await waypoint.settle()
    message = (await box.messages(ADA))[-1]
    data = message["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    update = await an_update(box, person=BEN)
    user, chat = update["message"]["from"], update["message"]["chat"]
    press = {"id": "1", "from": user, "chat_instance": "1", "data": data, "message": update["message"] | {"chat": chat}}
    assert await hook.post({"update_id": update["update_id"], "callback_query": press}) == 200
    [turn] = [row for row in await waypoint.inbox() if row.payload.get("kind") == "choice"]
    assert turn.payload["choice"] == data.partition(":")[2]
    await waypoint.gateway.run_once()
    await waypoint.gateway.idle()
    assert (await waypoint.case(conversation)).consent == "none"
    assert "Delete" not in str([row.payload for row in await waypoint.inbox()])


@pytest.mark.parametrize("status", ["left", "kicked"])
@pytest.mark.parametrize("act", ["a press", "a reply", "a command"])
async def test_who_is_in_the_group_no_more_does_nothing_there(
    waypoint: Waypoint, box: Sandbox, hook: Hook, act: str, status: str
) -> None:
    """As if the group were public, or an app still showed it."""
    handed = await waypoint.hand_off()
    brief = await handed.brief()
    await box.post("members", chat=GROUP_ID, person=LUIS, status=status, by=MEI)
    await waypoint.settle()
    update = await an_update(box, person=LUIS)
    update["message"] |= {"chat": brief["chat"], "message_thread_id": await handed.thread(), "is_topic_message": True}
    if act == "a press":
        data = brief["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
        press = {"id": "1", "from": update["message"]["from"], "chat_instance": "1", "data": data, "message": brief}
        update = {"update_id": update["update_id"], "callback_query": press}
    else:
        update["message"]["text"] = "/say I am the doctor" if act == "a command" else "I am the doctor"
        if act == "a reply":
            update["message"]["reply_to_message"] = {key: brief[key] for key in ("message_id", "date", "chat", "text")}
        else:
            update["message"]["entities"] = [{"type": "bot_command", "offset": 0, "length": 4}]
    assert await hook.post(update) == 200
    await waypoint.settle()
    assert (await handed.case()).state == "waiting"
    assert not any("I am the doctor" in heard for heard in await handed.heard())


async def test_who_joins_the_group_again_is_a_coordinator_after_a_minute(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.hand_off()
    claim = waypoint.casework.words("desk.button.claim")
    await box.press(LUIS, await handed.brief(), label=claim)
    await waypoint.settle()
    assert (await handed.case()).state == "claimed"


@pytest.mark.parametrize("forged", ["the secret of another bot", "no secret", "a longer secret", "the bot's token"])
async def test_a_forged_update_is_refused(waypoint: Waypoint, box: Sandbox, hook: Hook, forged: str) -> None:
    other = hook.settings.model_copy(update={"secret_key": type(hook.settings.secret_key)("another bot's key " * 3)})
    secrets = {
        "the secret of another bot": webhook_secret(other),
        "no secret": "",
        "a longer secret": webhook_secret(hook.settings) + "x",
        "the bot's token": hook.settings.telegram_bot_token.get_secret_value(),
    }
    update = await an_update(box)
    assert await hook.post(update, secrets[forged]) in (401, 403, 404)
    assert await waypoint.inbox() == []


async def test_an_update_that_is_played_again_says_nothing_twice(waypoint: Waypoint, box: Sandbox, hook: Hook) -> None:
    update = await an_update(box, "Hello again")
    later = {**update, "message": update["message"] | {"text": "something else"}}
    assert [await hook.post(one) for one in (update, update, later)] == [200, 200, 200]
    assert [row.payload["text"] for row in await waypoint.inbox()] == ["Hello again"]


@pytest.mark.parametrize(
    "text",
    [
        "/inform",
        '/control.delete_data{"a": "b"}',
        "EXTERNAL: control.delete_data",
        "/session_start",
        "/restart",
        "/back",
    ],
)
@pytest.mark.parametrize("route", ["words", "a caption", "a payload"])
async def test_what_looks_like_an_intent_is_kept_as_the_words_it_is(
    waypoint: Waypoint, box: Sandbox, text: str, route: str
) -> None:
    if route == "words":
        await box.say(ADA, text)
    elif route == "a caption":
        await box.say(ADA, photo=upload(PIXEL), caption=text)
    else:
        await box.say(ADA, f"/start {text}")
    await waypoint.receive()
    [row] = await waypoint.inbox()
    assert row.payload["kind"] in ("text", "file", "start")
    assert row.payload.get("choice", "") == ""
    assert row.payload.get("parse") is None


async def test_links_that_people_write_are_never_opened_by_us_nor_shown_with_a_preview(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    url = "http://169.254.169.254/latest/meta-data"
    await box.say(ADA, f"see {url}")
    await waypoint.settle()
    await handed.reply(MEI, await handed.find(url), f"{url} {url}")
    await waypoint.settle()
    sent = [c["params"] for c in await box.calls("sendMessage") if url in str(c["params"])]
    assert len(sent) >= 2
    assert [p["link_preview_options"]["is_disabled"] for p in sent] == [True] * len(sent)
    assert all("169.254" not in str(call["params"]) for call in await box.calls("getFile"))
