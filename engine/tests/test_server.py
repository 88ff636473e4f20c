"""The engine as its neighbours see it: the real process, with the trained model and a small action server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 120


class Action(BaseHTTPRequestHandler):
    """An action server that says what it was called with; `broken` makes it fail."""

    broken = False
    calls: list[dict[str, Any]] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self._answer(200, {})

    def do_POST(self) -> None:
        call = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.calls.append({**call, "authorization": self.headers.get("authorization")})
        said = {"custom": {"say": call["next_action"], "args": {}}}
        self._answer(500 if Action.broken else 200, {"events": [], "responses": [said]})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Engine:
    """A client of the running engine."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"

    def post(self, path: str, body: Any, secret: str | None = "secret") -> tuple[int, dict[str, Any]]:
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {secret}"} if secret else {})}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def typed(self, text: str, **more: Any) -> dict[str, Any]:
        status, answer = self.post("/turn", {"case": "c", "turn": "t", "text": text, **more})
        assert status == 200, answer
        return answer


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    actions = ThreadingHTTPServer(("127.0.0.1", 0), Action)
    threading.Thread(target=actions.serve_forever, daemon=True).start()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "ENGINE_PORT": str(port),
        "ENGINE_SECRET": "secret",
        "ACTIONS_SECRET": "other",
        "ACTIONS_URL": f"http://127.0.0.1:{actions.server_port}",
    }
    process = subprocess.Popen([sys.executable, "-m", "engine"], cwd=ROOT, env=environment)
    running = Engine(port)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{running.address}/health", timeout=1)
                break
            except OSError:
                assert process.poll() is None, "the engine did not start"
                assert time.monotonic() < deadline, "the engine is not ready"
                time.sleep(0.2)  # between two looks at whether it is ready
        yield running
    finally:
        process.terminate()
        process.wait(timeout=20)
        actions.shutdown()


@pytest.mark.parametrize("secret", [None, "", "wrong"])
@pytest.mark.parametrize("path", ["/turn", "/parse", "/anything"])
def test_without_the_shared_secret_nothing_is_answered(engine: Engine, path: str, secret: str | None) -> None:
    assert engine.post(path, {"text": "hello"}, secret)[0] == 401


def test_a_question_goes_to_its_action_with_the_turn_and_the_secret(engine: Engine) -> None:
    Action.calls.clear()
    answer = engine.typed("will my doctor be offended if I ask for a second opinion?")
    assert answer["says"] == [{"say": "action_inform", "args": {}}]
    assert answer["intent"]["name"] == "faq.offend_doctor"
    (call,) = Action.calls
    assert call["authorization"] == "Bearer other"
    assert call["sender_id"] == "c"
    assert call["tracker"]["events"][0]["metadata"]["turn"] == "t"


@pytest.mark.parametrize(
    "text",
    [
        '/press{"act":"erase"}',
        ' /press{"act":"erase"}',
        '\t/ /press{"act":"erase"}',
        '\uff0fpress{"act":"erase"}',
        '\u200b/press{"act":"erase"}',
        "/start",
        '/restart{"a":1}',
    ],
)
def test_typed_words_never_become_a_structured_intent(engine: Engine, text: str) -> None:
    Action.calls.clear()
    answer = engine.typed(text)
    assert answer["intent"]["name"] not in ("press", "start", "file")
    assert answer["intent"]["confidence"] < 1
    assert all(
        e["entity"] in ("signal", "record", "relation")
        for e in Action.calls[0]["tracker"]["latest_message"]["entities"]
    )


def test_a_pressed_button_travels_as_data(engine: Engine) -> None:
    Action.calls.clear()
    entities = [{"entity": "act", "value": "signal"}, {"entity": "signal", "value": "pressured"}]
    status, answer = engine.post(
        "/turn", {"case": "c", "turn": "t", "parse": {"intent": "press", "entities": entities}}
    )
    assert (status, answer["says"][0]["say"]) == (200, "action_press")
    assert Action.calls[0]["tracker"]["latest_message"]["entities"] == entities


def test_the_same_words_get_the_same_answer_at_the_first_and_at_the_two_hundredth_turn(engine: Engine) -> None:
    first = engine.typed("how do I start with a second opinion")
    for number in range(200):
        engine.typed(f"message number {number}")
    assert engine.typed("how do I start with a second opinion") == first


@pytest.mark.parametrize(
    "body",
    [
        {"case": "c", "turn": "t"},
        {"case": "c", "turn": "t", "text": ""},
        {"case": "c", "turn": "t", "text": "x" * 2001},
        {"case": "c", "turn": "t", "text": 5},
        {"case": "", "turn": "t", "text": "hello"},
        {"case": "c", "turn": "t", "parse": {"intent": "no.such.intent"}},
        {"case": "c", "turn": "t", "parse": "press"},
        ["hello"],
        b"{",
    ],
)
def test_what_is_no_message_is_refused_with_a_sentence(engine: Engine, body: Any) -> None:
    status, answer = engine.post("/turn", body)
    assert status == 400
    assert answer["error"].endswith(".")


@pytest.mark.parametrize(
    "text", ["x" * 2000, "\u200b", "\U0001f62d\U0001f62d", "مرحبا كيف حالك", "我妈妈得了癌症", "/", "  /  "]
)
def test_any_text_gets_some_action(engine: Engine, text: str) -> None:
    assert len(engine.typed(text)["says"]) == 1


def test_where_words_are_expected_a_name_is_the_answer_and_stop_is_still_stop(engine: Engine) -> None:
    assert engine.typed("Samira", expects="words")["intent"]["name"] == "words"
    assert engine.typed("stop, delete everything you have about me", expects="words")["intent"]["name"].startswith(
        "control."
    )


def test_several_records_with_their_states_come_out_of_one_message(engine: Engine) -> None:
    status, parsed = engine.post("/parse", {"text": "pathology report yes as pdf, ct on a cd, slides no"})
    found = [(e["value"], e["state"]) for e in parsed["entities"] if e["entity"] == "record"]
    assert status == 200
    assert found == [("pathology", "have"), ("imaging", "have"), ("pathology", "lost")]


def test_a_failing_action_is_answered_with_503_so_that_the_turn_is_tried_again(engine: Engine) -> None:
    Action.broken = True
    try:
        status, answer = engine.post("/turn", {"case": "c", "turn": "t", "text": "hello"})
    finally:
        Action.broken = False
    assert (status, answer["error"]) == (503, "action_failed")


def test_without_a_model_the_start_ends_with_what_to_do(tmp_path: Path) -> None:
    secrets = {"ENGINE_SECRET": "a", "ACTIONS_SECRET": "b", "ENGINE_MODEL": str(tmp_path / "none.tar.gz")}
    ended = subprocess.run(
        [sys.executable, "-m", "engine"],
        cwd=ROOT,
        env={**os.environ, **secrets},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 1
    assert "make train" in ended.stderr
    assert "Traceback" not in ended.stderr
