"""The same calls to the sandbox and to lo-bot-api-emulator, an independent implementation run as its own program.

What the emulator answers must be in our answer too: same status, same keys with the same types, same words of refusal.
It answers less (no sender, no topics, no state), so our answers have more keys.
"""

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from starlette.middleware import Middleware

from sandbox.testing import ADA, running
from sandbox.world import World
from tests.sandbox.conftest import Checked

TOKEN = "1000001:sandbox"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d494844520000012c000000c8")
KEYBOARD = {"inline_keyboard": [[{"text": "Yes", "callback_data": "yes"}]]}
# `capabilities` is no field of the Bot API; `allowed_updates` is optional, and ours is there once it was set.
ITS_OWN = {"capabilities", "allowed_updates"}


@contextlib.asynccontextmanager
async def emulator() -> AsyncIterator[str]:
    """The emulator's address; it runs while the context lasts."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-c", "from lo_bot_api_emulator import main; main()",
        "--port", "0", "--allow-insecure-loopback-webhooks", "--enable-control",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(30):
            assert process.stdout
            while not (found := re.search(rb"http://[\d.]+:\d+", await process.stdout.readline())):
                assert process.returncode is None, "the emulator did not start"
        yield found.group().decode()
    finally:
        process.terminate()
        await process.communicate()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair() -> AsyncIterator[tuple[str, str]]:
    """Addresses of the sandbox and of the emulator."""
    world = World()
    world.limits.group_per_minute = world.limits.overall_per_second = None
    findings: list[str] = []
    checked = [Middleware(Checked, findings)]
    async with running(world, middleware=checked) as box, emulator() as address:
        await box.say(ADA, "Hello")
        await box.say(ADA, "again")
        async with httpx.AsyncClient() as http:
            for text in ("Hello", "again"):
                update = {
                    "message": {
                        "message_id": 1,
                        "date": 1_800_000_000,
                        "chat": {"id": ADA, "type": "private"},
                        "text": text,
                    }
                }
                await http.post(f"{address}/__fixture/updates", json={"token": TOKEN, "update": update})
        yield box.url, address
    assert not findings


async def both(pair, method, **request):
    """(ours, theirs): the JSON answers to one call."""
    async with httpx.AsyncClient(timeout=20) as http:
        answers = [await http.post(f"{url}/bot{TOKEN}/{method}", **request) for url in pair]
    for answer in answers:
        assert answer.status_code == answer.json().get("error_code", 200)
    return [answer.json() for answer in answers]


def agree(ours, theirs, path="result"):
    """Whether our answer has what theirs has, with the same types."""
    if isinstance(theirs, dict):
        assert isinstance(ours, dict), path
        for key in theirs.keys() - ITS_OWN:
            assert key in ours, f"{path}.{key} is missing"
            agree(ours[key], theirs[key], f"{path}.{key}")
    elif isinstance(theirs, list):
        assert isinstance(ours, list), path
        assert bool(ours) == bool(theirs), path
        for one, other in zip(ours, theirs, strict=False):
            agree(one, other, f"{path}[]")
    else:
        assert type(ours) is type(theirs), path


def json_call(**params):
    return {"json": params}


def upload(field, name, content, **params):
    return {"data": params, "files": {field: (name, content)}}


SUCCESSES = {
    "getMe": ("getMe", json_call()),
    "text": ("sendMessage", json_call(chat_id=ADA, text="x")),
    "text with keyboard": ("sendMessage", json_call(chat_id=ADA, text="x", reply_markup=KEYBOARD)),
    "text by form": ("sendMessage", {"data": {"chat_id": str(ADA), "text": "x"}}),
    "longest text": ("sendMessage", json_call(chat_id=ADA, text="x" * 4096)),
    "document": ("sendDocument", upload("document", "a.txt", b"x", chat_id=str(ADA), caption="c")),
    "photo": ("sendPhoto", upload("photo", "a.png", PNG, chat_id=str(ADA), caption="c")),
    "voice": ("sendVoice", upload("voice", "a.oga", b"OggS", chat_id=str(ADA))),
    "video": ("sendVideo", upload("video", "a.mp4", b"x", chat_id=str(ADA))),
    "chat action": ("sendChatAction", json_call(chat_id=ADA, action="typing")),
    "set commands": ("setMyCommands", json_call(commands=[{"command": "start", "description": "Begin"}])),
    "delete commands": ("deleteMyCommands", json_call()),
    "get commands": ("getMyCommands", json_call()),
    "menu button": ("setChatMenuButton", json_call(menu_button={"type": "commands"})),
    "webhook info": ("getWebhookInfo", json_call()),
    "delete webhook": ("deleteWebhook", json_call()),
    "updates": ("getUpdates", json_call(timeout=0)),
    "updates with a limit": ("getUpdates", json_call(limit=1)),
    "the last update": ("getUpdates", json_call(offset=-1)),
}

REFUSALS = {
    "empty text": ("sendMessage", json_call(chat_id=ADA, text=" ")),
    "no text": ("sendMessage", json_call(chat_id=ADA)),
    "text too long": ("sendMessage", json_call(chat_id=ADA, text="x" * 4097)),
    "text too long in UTF-16": ("sendMessage", json_call(chat_id=ADA, text="😀" * 2049)),
    "edit to empty text": ("editMessageText", json_call(chat_id=ADA, message_id=1, text="")),
    "edit to text too long": ("editMessageText", json_call(chat_id=ADA, message_id=1, text="x" * 4097)),
    "chat that is none": ("sendMessage", json_call(chat_id="nobody", text="x")),
    "wrong action": ("sendChatAction", json_call(chat_id=ADA, action="thinking")),
    "reply to nothing": ("sendMessage", json_call(chat_id=ADA, text="x", reply_parameters={"message_id": -5})),
}


@pytest.mark.parametrize("name", SUCCESSES)
@pytest.mark.asyncio(loop_scope="module")
async def test_answers_have_the_same_keys_and_types(pair, name):
    method, request = SUCCESSES[name]
    ours, theirs = await both(pair, method, **request)
    assert ours["ok"] is theirs["ok"] is True
    agree(ours["result"], theirs["result"])


async def each(pair, method, requests):
    """(ours, theirs): the results of one call that carries a number of each side's own."""
    async with httpx.AsyncClient(timeout=20) as http:
        answers = [
            (await http.post(f"{url}/bot{TOKEN}/{method}", json=request)).json()
            for url, request in zip(pair, requests, strict=True)
        ]
    assert all(answer["ok"] for answer in answers), answers
    return [answer["result"] for answer in answers]


@pytest.mark.asyncio(loop_scope="module")
async def test_edits_of_text_caption_and_keyboard_agree(pair):
    sent = await each(pair, "sendMessage", [{"chat_id": ADA, "text": "x"}] * 2)
    named = [{"chat_id": ADA, "message_id": message["message_id"]} for message in sent]
    agree(*await each(pair, "editMessageText", [n | {"text": "y", "reply_markup": KEYBOARD} for n in named]))
    other = {"inline_keyboard": [[{"text": "No", "callback_data": "no"}]]}
    agree(*await each(pair, "editMessageReplyMarkup", [n | {"reply_markup": other} for n in named]))
    deleted = await each(pair, "deleteMessage", named)
    assert deleted == [True, True]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_document_is_found_downloaded_and_sent_again_alike(pair):
    ours, theirs = await both(pair, "sendDocument", **upload("document", "a.txt", b"content", chat_id=str(ADA)))
    ids = [answer["result"]["document"]["file_id"] for answer in (ours, theirs)]
    files = await each(pair, "getFile", [{"file_id": file_id} for file_id in ids])
    agree(*files)
    async with httpx.AsyncClient() as http:
        paths = [f"{url}/file/bot{TOKEN}/{file['file_path']}" for url, file in zip(pair, files, strict=True)]
        assert [(await http.get(path)).content for path in paths] == [b"content", b"content"]
    agree(*await each(pair, "sendDocument", [{"chat_id": ADA, "document": file_id} for file_id in ids]))


@pytest.mark.asyncio(loop_scope="module")
async def test_albums_agree(pair):
    media = json.dumps(
        [{"type": "photo", "media": "attach://a", "caption": "c"}, {"type": "photo", "media": "attach://b"}]
    )
    request = {"data": {"chat_id": str(ADA), "media": media}, "files": {"a": ("a.png", PNG), "b": ("b.png", PNG)}}
    ours, theirs = await both(pair, "sendMediaGroup", **request)
    agree(ours["result"], theirs["result"])


@pytest.mark.asyncio(loop_scope="module")
async def test_polling_while_a_webhook_is_set_is_refused_alike(pair):
    await both(pair, "setWebhook", json={"url": "http://127.0.0.1:9/hook"})
    try:
        ours, theirs = await both(pair, "getUpdates", json={})
        assert ours["error_code"] == theirs["error_code"] == 409
        assert ours["description"].startswith("Conflict: ")
        assert theirs["description"].startswith("Conflict: ")
    finally:
        await both(pair, "deleteWebhook", json={})


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.asyncio(loop_scope="module")
async def test_refusals_are_worded_the_same(pair, name):
    method, request = REFUSALS[name]
    ours, theirs = await both(pair, method, **request)
    assert ours == theirs


@pytest.mark.asyncio(loop_scope="module")
async def test_an_unknown_method_is_not_found_and_named_besides(pair):
    ours, theirs = await both(pair, "sendNothing", json={})
    assert ours.pop("description") == theirs.pop("description") + ": the sandbox does not implement sendNothing"
    assert ours == theirs
