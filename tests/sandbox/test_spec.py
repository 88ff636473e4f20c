"""The check of answers can fail, and the table of methods names methods of the Bot API."""

import copy

import pytest

from sandbox.bot_api import METHODS as OURS
from tests.sandbox.spec import METHODS, answer_problems

GOOD = {
    "ok": True,
    "result": {
        "message_id": 1,
        "date": 1_800_000_000,
        "chat": {"id": 5, "type": "private"},
        "from": {"id": 5, "is_bot": False, "first_name": "Ada"},
        "text": "Hello",
        "entities": [{"type": "bold", "offset": 0, "length": 5}],
    },
}


def test_a_right_answer_passes():
    assert answer_problems("sendMessage", 200, GOOD) == []


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("message_id",), "1", "no Integer"),
        (("message_id",), True, "no Integer"),
        (("date",), 1_800_000_000_000, "no date in seconds"),
        (("chat", "id"), 5.5, "no Integer"),
        (("from", "is_bot"), 0, "no Boolean"),
        (("entities",), {}, "no array"),
        (("entities", 0, "offset"), "0", "no Integer"),
        (("unheard_of",), 1, "no field of Message"),
    ],
)
def test_a_wrong_answer_is_found(path, value, complaint):
    body = copy.deepcopy(GOOD)
    place = body["result"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert [p for p in answer_problems("sendMessage", 200, body) if complaint in p]


def test_a_missing_field_is_found():
    body = copy.deepcopy(GOOD)
    del body["result"]["chat"]
    assert answer_problems("sendMessage", 200, body) == ["sendMessage.result.chat: missing in Message"]


def test_an_answer_that_contradicts_its_status_is_found():
    assert answer_problems("sendMessage", 400, GOOD)
    refusal = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": "5"}}
    assert answer_problems("sendMessage", 429, refusal) == ['sendMessage.parameters.retry_after: "5" is no Integer']


def test_every_method_of_the_sandbox_is_one_of_the_bot_api():
    assert {name for name, _ in OURS.values()} <= METHODS.keys()
