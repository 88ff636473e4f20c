"""Nonsense gets a refusal, never a broken answer: every method and every control call, with values of every shape."""

import random

import httpx
import pytest

from sandbox import control
from sandbox.app import create_app
from sandbox.bot_api import METHODS as OURS
from sandbox.clock import Clock
from sandbox.params import Params
from sandbox.people import say
from sandbox.world import ADA, GROUP_ID, MEI, World
from tests.sandbox.spec import METHODS, answer_problems

TRIES = 30
NONSENSE = [
    None, "", " ", "x", "-1", "1e9", "[", "{}", "[{}]", "<b", "http://[", "http://x:y", "😀" * 50,
    -1, 0, 1, 7, 2**70, 1.5, True, [], {}, [1], [None], [[]], [{}], [[{}]], [101, 102],
    {"type": "emoji"}, [{"type": "emoji", "emoji": []}], {"message_id": []}, {"message_id": 101},
    {"inline_keyboard": [[{"text": 1}]]}, {"inline_keyboard": [[{"text": "x", "url": "http://["}]]},
    {"inline_keyboard": [[{"text": "x", "callback_data": "d"}]]}, {"keyboard": [[None]]}, {"inline_keyboard": 1},
    [{"type": "photo", "media": "x"}, {"type": "photo", "media": []}], {"type": "photo", "media": "attach://x"},
    [{"type": "bold", "offset": 0, "length": 9}], [{"command": 1, "description": None}], {"type": "chat"},
    {"content": 5}, {"size": "many"}, {"latitude": "nan", "longitude": []}, {"phone_number": {}, "first_name": []},
]  # fmt: skip
SENSE = {
    "chat_id": [ADA, GROUP_ID, str(GROUP_ID)],
    "from_chat_id": [ADA, GROUP_ID],
    "chat": [ADA, GROUP_ID],
    "from": [ADA, MEI],
    "person": [ADA, "bot"],
    "message_id": [101, 102, 103],
    "user_id": [ADA, MEI],
    "text": ["hello"],
    "url": [""],
    "timeout": [0],
    "wait": [0],
    "delay": [0],
    "parse_mode": ["HTML"],
}
CONTROL_FIELDS = {
    "messages": "from chat text photo document location contact sticker caption thread reply_to media_group",
    "edits": "from chat message_id text caption",
    "deletions": "from chat message_id",
    "reactions": "from chat message_id emoji",
    "presses": "from chat message_id data label force wait",
    "topics/{verb}": "from chat thread name",
    "people": "first_name last_name username language_code hides_forwards",
    "groups": "title members admins forum type",
    "members": "chat person status rights by",
    "blocks": "person blocked",
    "migrate": "chat",
    "limits": "group_per_minute overall_per_second",
    "clock": "advance frozen",
    "faults": "method times answer when code description retry_after delay chat",
    "wait": "chat contains after since thread timeout kind",
    "calls": "method after timeout",
    "chats/{chat}/messages": "thread after since",
}


def world() -> World:
    clock = Clock(lambda: 1_800_000_000.0)
    clock.freeze(True)
    world = World(clock)
    world.limits.group_per_minute = world.limits.overall_per_second = None
    say(world, Params({"from": ADA, "text": "one"}))
    world.post(world.chats[ADA], world.bot, {"text": "two"})
    world.create_topic(world.chats[GROUP_ID], world.bot, "Topic", 7322096)
    return world


def shaped(dice: random.Random, fields: list[str]) -> dict:
    """Some of the fields, with sense or nonsense in them."""
    values = {}
    for name in fields:
        choice = dice.random()
        if name in SENSE and choice < 0.6:
            values[name] = dice.choice(SENSE[name])
        elif choice < 0.8:
            values[name] = dice.choice(NONSENSE)
    return values


@pytest.mark.parametrize("name", sorted(name for name, _ in OURS.values()))
async def test_a_method_answers_nonsense_as_described(name):
    dice = random.Random(name)  # noqa: S311 (no secret)
    current = world()
    transport = httpx.ASGITransport(create_app(current))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
        for _ in range(TRIES):
            call = shaped(dice, list(METHODS[name]["fields"]))
            if name == "getUpdates":
                call["timeout"] = 0
            response = await http.post(f"/bot{current.token}/{name}", json=call)
            assert answer_problems(name, response.status_code, response.json()) == [], call


@pytest.mark.parametrize("path", CONTROL_FIELDS)
async def test_the_control_api_answers_nonsense_with_a_reason(path):
    dice = random.Random(path)  # noqa: S311 (no secret)
    current = world()
    transport = httpx.ASGITransport(create_app(current))
    fields = CONTROL_FIELDS[path].split()
    get = path in ("wait", "calls") or path.startswith("chats/")
    target = path.replace("{verb}", dice.choice(["create", "edit", "close"])).replace("{chat}", str(GROUP_ID))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
        for _ in range(TRIES * 3):
            body = {name: v for name, v in shaped(dice, fields).items() if not (v == 7 and name in ("wait", "timeout"))}
            body |= {name: 0 for name in ("wait", "timeout", "delay") if name in fields}
            if get:
                query = {name: str(value) for name, value in body.items()}
                response = await http.get(f"/sandbox/{target}", params=query)
            else:
                response = await http.post(f"/sandbox/{target}", json=body)
            assert response.status_code == 200 or response.json()["error"], body


def test_every_control_call_that_takes_a_body_is_tried():
    taking = {route.path.removeprefix("/sandbox/") for route in control.routes if "POST" in route.methods}
    assert taking - CONTROL_FIELDS.keys() == {"reset"}
