"""The action server: only for whoever knows the secret, within bounds, and silent about people's words."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from actions.server import LARGEST_CALL, create
from actions.turns import heard
from bot import database, journey
from bot.casework import Casework, Inbound
from bot.guide import Guide
from bot.log import Kind
from tests.bot.rules import decisions
from tests.keys import keys

SECRET = "shared"
PLANTED = "xylophonecancer"


@pytest.fixture
async def casework(tmp_path: Path) -> AsyncIterator[Casework]:
    """Casework on a fresh database."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'waypoint.db'}"
    await database.upgrade(url, keys())
    engine = database.connect(url)
    yield Casework(database.sessions(engine, keys()), Guide.load())
    await engine.dispose()


@pytest.fixture
async def http(casework: Casework) -> AsyncIterator[httpx.AsyncClient]:
    """A caller who knows the secret."""
    transport = httpx.ASGITransport(create(casework, SECRET), raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {SECRET}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://actions", headers=headers) as client:
        yield client


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the processes' own log would hold, whichever logger speaks."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Kind("%(levelname)s %(name)s %(message)s"))
    loggers = [logging.getLogger(name) for name in ("actions.server", "rasa_sdk", "rasa_sdk.executor", "bot")]
    for logger in loggers:
        logger.addHandler(handler)
    yield stream
    for logger in loggers:
        logger.removeHandler(handler)


def call(turn: str, text: str, intent: str, *entities: dict[str, Any], action: str = "") -> dict[str, Any]:
    """A call as the engine makes it: the tracker of one turn."""
    latest = {"text": text, "intent": {"name": intent, "confidence": 0.9}, "entities": list(entities)}
    events = [{"event": "user", "text": text, "parse_data": latest, "metadata": {"turn": turn}}]
    tracker = {"sender_id": "case", "slots": {}, "latest_message": latest, "events": events, "paused": False}
    tracker |= {"active_loop": {}, "latest_action_name": None, "followup_action": None, "latest_event_time": 0}
    return {"next_action": action or decisions()[intent], "sender_id": "case", "tracker": tracker, "domain": {}}


async def turn_of(casework: Casework, text: str) -> str:
    """A message that waits to be handled."""
    conversation = await casework.open_conversation("web", "1")
    return (await casework.receive(conversation, text[:60], Inbound("text", text=text))).turn


async def test_a_call_takes_the_turn_and_answers_with_what_was_said(
    http: httpx.AsyncClient, casework: Casework
) -> None:
    turn = await turn_of(casework, "is it normal")
    answer = await http.post("/webhook", json=call(turn, "is it normal", "faq.is_it_normal"))
    assert answer.status_code == 200
    said = [response["custom"]["say"] for response in answer.json()["responses"]]
    assert said == ["welcome.what", "faq.is_it_normal", "welcome.consent"]
    again = await http.post("/webhook", json=call(turn, "is it normal", "faq.is_it_normal"))
    assert [response["custom"]["say"] for response in again.json()["responses"]] == said


async def test_every_action_that_a_rule_names_is_there(http: httpx.AsyncClient, casework: Casework) -> None:
    assert set(decisions().values()) == set(journey.DECISIONS)
    for number, (intent, _) in enumerate(decisions().items()):
        turn = await turn_of(casework, f"message {number}")
        answer = await http.post("/webhook", json=call(turn, "words", intent))
        assert answer.status_code == 200, intent


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer wrong", "shared", "bearer shared", "Bearer sharedx", "Bearer \xfc"]
)
async def test_whoever_does_not_know_the_secret_is_refused(
    http: httpx.AsyncClient, casework: Casework, header: str
) -> None:
    turn = await turn_of(casework, "hello")
    body = json.dumps(call(turn, "hello", "control.greet"))
    answer = await http.post("/webhook", content=body, headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401
    pending = await casework.pending(turn)
    assert pending is not None
    assert not pending.done


async def test_anybody_may_ask_whether_it_is_up(http: httpx.AsyncClient) -> None:
    answer = await http.get("/health", headers={"Authorization": ""})
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_a_call_without_end_is_cut_off(http: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_CALL // 1000 + 2):
            yield b"x" * 1000

    assert (await http.post("/webhook", content=endless())).status_code == 413
    assert (await http.post("/webhook", content=b"x" * (LARGEST_CALL + 1))).status_code == 413


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"nonsense"])
async def test_what_is_no_json_is_refused(http: httpx.AsyncClient, body: bytes) -> None:
    assert (await http.post("/webhook", content=body)).status_code == 400


async def test_an_unknown_action_is_refused(http: httpx.AsyncClient, casework: Casework) -> None:
    turn = await turn_of(casework, "hello")
    answer = await http.post("/webhook", json=call(turn, "hello", "control.greet", action="action_unknown"))
    assert answer.status_code == 400


async def test_a_fault_is_answered_with_its_kind_and_leaves_no_words_in_the_log(
    http: httpx.AsyncClient, casework: Casework, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(working: journey.Turn) -> None:
        raise ValueError(f"cannot read {working.heard.text}")

    monkeypatch.setitem(journey.DECISIONS, "action_inform", breaks)
    turn = await turn_of(casework, PLANTED)
    answer = await http.post("/webhook", json=call(turn, PLANTED, "faq.is_it_normal"))
    assert (answer.status_code, answer.json()) == (500, {"error": "ValueError"})
    assert "an action failed" in log.getvalue()
    assert "ValueError at" in log.getvalue()
    assert PLANTED not in log.getvalue()


@pytest.mark.parametrize(
    "broken",
    [
        {"next_action": "action_inform"},
        {"next_action": "action_inform", "tracker": {"events": [], "sender_id": PLANTED}},
    ],
)
async def test_a_call_that_lacks_something_is_a_fault_without_words(
    http: httpx.AsyncClient, log: io.StringIO, broken: dict[str, Any]
) -> None:
    answer = await http.post("/webhook", json={**broken, "note": PLANTED})
    assert answer.status_code == 500
    assert PLANTED not in log.getvalue()
    assert PLANTED not in answer.text


async def test_a_turn_that_nobody_received_is_a_fault(http: httpx.AsyncClient, log: io.StringIO) -> None:
    answer = await http.post("/webhook", json=call("0" * 32, PLANTED, "control.greet"))
    assert (answer.status_code, answer.json()) == (500, {"error": "LookupError"})
    assert PLANTED not in log.getvalue()


# What an action reads out of the tracker.


def test_a_pressed_button_is_heard_by_what_it_carries() -> None:
    entities = [{"entity": "act", "value": "signal"}, {"entity": "answer", "value": "yes"}]
    found = heard({"text": "/press", "intent": {"name": "press"}, "entities": entities})
    assert found.pressed == {"act": "signal", "answer": "yes"}
    assert (found.text, found.typed) == ("", False)


def test_typed_words_are_heard_with_their_clauses() -> None:
    text = "it came back, and I have the ct on a cd"
    entities = [
        {"entity": "signal", "value": "recurrence_or_resistance", "start": 0, "end": 12, "polarity": "yes"},
        {"entity": "record", "value": "imaging", "start": 29, "end": 31, "state": "have"},
        {"entity": "relation", "value": "mother"},
        {"entity": "something_else", "value": "x"},
    ]
    found = heard({"text": text, "intent": {"name": "signals.none", "confidence": 0.5}, "entities": entities})
    assert [(mention.entity, mention.words) for mention in found.mentions] == [
        ("signal", "it came back"),
        ("record", "ct on a cd"),
        ("relation", ""),
    ]
    assert (found.text, found.typed, found.pressed) == (text, True, {})


def test_a_file_is_heard_with_its_caption() -> None:
    entities = [{"entity": "file", "value": "f1"}, {"entity": "caption", "value": "my scan"}]
    found = heard({"text": "", "intent": {"name": "file"}, "entities": entities})
    assert (found.text, [mention.value for mention in found.of("file")]) == ("my scan", ["f1"])


@pytest.mark.parametrize("latest", [{}, {"text": None, "intent": None, "entities": None, "intent_ranking": None}])
def test_nothing_at_all_is_heard_as_something_not_understood(latest: dict[str, Any]) -> None:
    found = heard(latest)
    assert (found.intent, found.text, found.mentions) == ("oos", "", ())


async def test_a_server_that_is_stopping_says_so_and_still_takes_turns(casework: Casework) -> None:
    transport = httpx.ASGITransport(create(casework, SECRET, lambda: True))
    async with httpx.AsyncClient(transport=transport, base_url="http://actions") as client:
        assert (await client.get("/health")).status_code == 503
        assert (
            await client.post("/webhook", headers={"Authorization": f"Bearer {SECRET}"}, json={})
        ).status_code != 503
