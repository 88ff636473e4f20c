"""Without a tracker the same action is picked, turn by turn, as by Rasa's own processor with its whole history.

The same model is loaded twice: by `Dialogue`, and by a stock Agent with a tracker store, which sees every earlier turn
of the conversation, its sessions and pauses. Both call one action server, which writes down what it is asked for.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.utils.endpoints import EndpointConfig

from engine.actions import Actions
from engine.dialogue import Dialogue
from engine.tests.test_server import ROOT, Action

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Rasa's own, which is frozen
MODEL = ROOT / "models/waypoint.tar.gz"

# Conversations as people have them: text that is typed, or (intent, entities) of what is pressed.
# "words" beside a text: the pending question waits for free words.
Said = Any
CONVERSATIONS: dict[str, list[Said]] = {
    "the main job": [
        ("start", []),
        "hello, who are you",
        ("press", [{"entity": "act", "value": "agree"}]),
        "its for my mother",
        "they want surgery on monday and the other hospital says chemo first",
        "yes",
        "no, nobody explained it",
        "not sure",
        "how long does all this take?",
        "we have the CT but the pathology is still at the old hospital",
        "ok",
        ("press", [{"entity": "act", "value": "send"}]),
    ],
    "detours, and back": [
        ("start", []),
        "will my doctor be offended?",
        "what?",
        "say it simpler",
        "why do you ask",
        "go back",
        "skip",
        "later",
        "what does it cost",
        "weather tomorrow in lisbon",
        "asdf qwer",
        "asdf qwer",
        "a human please",
    ],
    "alarms in between": [
        "which records do I need",
        "since yesterday he can hardly breathe and is confused",
        "ok we called",
        "I dont want to live any more",
        "which records do I need",
    ],
    "free words": [
        ("what should we ask?", "words"),
        ("can I still work during it?", "words"),
        ("stop", "words"),
        ("Maria", "words"),
        ("delete everything about me", "words"),
    ],
    "files and buttons": [
        ("file", [{"entity": "file", "value": "f1"}, {"entity": "record", "value": "ct"}]),
        "that was the scan",
        ("press", [{"entity": "act", "value": "records"}]),
        ("control.yes", []),
        ("control.undo", []),
        ("control.restart", []),
        ("start", []),
        "thanks",
    ],
    "fifty turns": [
        text
        for _ in range(10)
        for text in ("yes", "no", "does it delay the treatment?", "the biopsy report is missing", "asdf")
    ],
}


@pytest.fixture(scope="module")
def actions_url() -> Iterator[str]:
    """Where the action server answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Action)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One for all, since both keep their connections to the action server."""
    new = asyncio.new_event_loop()
    yield new
    new.close()


@pytest.fixture(scope="module")
def dialogue(actions_url: str) -> Dialogue:
    """Ours."""
    return Dialogue(MODEL, Actions(actions_url, "secret"))


@pytest.fixture(scope="module")
def stock(actions_url: str) -> Agent:
    """Rasa's, with all that it keeps of a conversation."""
    agent = Agent.load(MODEL, action_endpoint=EndpointConfig(f"{actions_url}/webhook"))
    agent.tracker_store = InMemoryTrackerStore(agent.domain)
    return agent


def parse_of(said: Said) -> tuple[str, dict[str, Any] | None, dict[str, Any]]:
    """Text, what was chosen in its place, and the metadata of the message."""
    if isinstance(said, str):
        return said, None, {}
    first, second = said
    if second == "words":
        return first, None, {"expects": "words"}
    return "", {"intent": first, "entities": second}, {}


async def ours(dialogue: Dialogue, case: str, said: Said) -> list[str]:
    """Which actions one turn runs."""
    Action.calls.clear()
    text, parse, metadata = parse_of(said)
    await dialogue.turn(case, "t", text=text, parse=parse, expects=metadata.get("expects", ""))
    return [call["next_action"] for call in Action.calls]


async def theirs(agent: Agent, case: str, said: Said) -> list[str]:
    """The same of a stock processor, which keeps its tracker."""
    Action.calls.clear()
    text, parse, metadata = parse_of(said)
    chosen = parse and {
        "text": "",
        "intent": {"name": parse["intent"], "confidence": 1.0},
        "entities": parse["entities"],
        "intent_ranking": [],
    }
    await agent.handle_message(UserMessage(text, sender_id=case, parse_data=chosen, metadata=metadata))
    return [call["next_action"] for call in Action.calls]


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_the_same_actions_are_run_turn_by_turn_as_with_the_whole_history(
    name: str, loop: asyncio.AbstractEventLoop, dialogue: Dialogue, stock: Agent
) -> None:
    async def converse() -> tuple[list[list[str]], list[list[str]]]:
        said = CONVERSATIONS[name]
        return [await ours(dialogue, name, each) for each in said], [await theirs(stock, name, each) for each in said]

    without, with_history = loop.run_until_complete(converse())
    assert without == with_history
    assert any(without)
