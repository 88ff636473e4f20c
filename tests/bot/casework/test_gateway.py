"""The gateway: the safety net first, then a human who holds the case, then the engine; nothing is lost on the way.

The engine is a small peer that speaks its protocol: it looks words up in a table and takes the turn through casework,
as the engine's actions do. What the real one understands is tested with it.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from actions.turns import heard
from bot import store
from bot.casework import Casework, DeskInbound, FileRef, Inbound
from bot.casework.inbound import COMMANDS
from bot.casework.turns import LAST_FAULT
from bot.engine import Engine
from bot.gateway import Gateway
from bot.model import Inbox
from bot.wake import Wake
from tests.bot.casework.conftest import Arrives
from tests.bot.casework.people import Someone, outbox
from tests.bot.casework.test_turns import link_code
from tests.bot.casework.topic import GROUP, MEI, TOPIC, Topic
from tests.bot.conftest import Clock, locked
from tests.bot.rules import decisions, intents

SECRET = "shared"
DEADLINE = 30.0
MEANT = {
    "hello": "control.greet",
    "yes": "control.yes",
    "no": "control.no",
    "is it normal": "faq.is_it_normal",
    "a person please": "control.human",
    "delete my data": "control.delete_data",
    "the reports are here, only he is so different since noon": "safety.emergency",  # no pattern finds this
}
MILD = next(text for text, intent in MEANT.items() if intent == "safety.emergency")


@pytest.fixture
def template(migrated_sqlite: Path) -> tuple[str, Path]:
    """One kind of database: what differs between the two is casework's, and is tested there."""
    return "sqlite", migrated_sqlite


@dataclass
class Peer:
    """A peer that speaks the engine's protocol. `away` answers 503, and `calls` are the bodies it was sent."""

    casework: Casework
    away: bool = False
    seems_well: bool = False
    calls: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def app(self) -> Starlette:
        """The routes of the engine that the gateway uses."""
        return Starlette(
            routes=[
                Route("/turn", self.turn, methods=["POST"]),
                Route("/parse", self.parse, methods=["POST"]),
                Route("/ready", self.ready),
            ]
        )

    async def turn(self, request: Request) -> Response:
        """Take a turn."""
        body = await request.json()
        assert request.headers["authorization"] == f"Bearer {SECRET}"
        self.calls.append(body)
        if self.away:
            return JSONResponse({"error": "action_failed"}, status_code=503)
        parse = body.get("parse") or {"intent": MEANT.get(body.get("text", ""), "oos"), "entities": []}
        if body.get("expects") == "words" and "parse" not in body:
            parse = {"intent": "words", "entities": []}
        if parse["intent"] not in intents():
            return JSONResponse({"error": "unknown intent"}, status_code=400)
        latest = {"text": body.get("text", ""), "intent": {"name": parse["intent"]}, "entities": parse["entities"]}
        says = await self.casework.take_turn(body["turn"], heard(latest), decisions()[parse["intent"]])
        return JSONResponse({"turn": body["turn"], "says": [say.to_json() for say in says]})

    async def ready(self, request: Request) -> Response:
        """Whether it is there."""
        return Response(status_code=503 if self.away and not self.seems_well else 200)

    async def parse(self, request: Request) -> Response:
        """Read a caption, or words to a coordinator."""
        text = (await request.json())["text"]
        records = [{"entity": "record", "value": "imaging", "state": None}] if "scan" in text else []
        intent = {"name": MEANT.get(text, "oos"), "confidence": 1.0}
        return JSONResponse({"intent": intent, "entities": records, "ranking": []})


@pytest.fixture
async def peer(casework: Casework) -> AsyncIterator[Peer]:
    """The peer, listening."""
    peer = Peer(casework)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    peer.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(peer.app(), log_config=None, lifespan="off", timeout_graceful_shutdown=2))
    serving = asyncio.create_task(server.serve([listening]))
    await until(lambda: server.started)
    yield peer
    server.should_exit = True
    await serving


@pytest.fixture
async def gateway(casework: Casework, peer: Peer) -> AsyncIterator[Gateway]:
    """The gateway before the peer; tests step it."""
    engine = Engine((peer.url,), SECRET, timeout=10)
    yield Gateway(casework, engine, Wake())
    await engine.close()


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition."""
    end = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < end, "it did not come true"
        await asyncio.sleep(0.01)


async def settle(gateway: Gateway) -> None:
    """Take everything that is due, until nothing is."""
    while await gateway.run_once():
        await gateway.idle()


async def says(person: Someone, gateway: Gateway, *inbounds: Inbound) -> list[str]:
    """Send, have it all taken, and see what came: the ids of what was said."""
    await person.news()
    for inbound in inbounds:
        await person.send(inbound)
    await settle(gateway)
    return [event["say"] for event in await person.news() if event["role"] != "patient"]


async def hand_over(person: Someone) -> None:
    """Send the case, and have a coordinator claim it."""
    await person.hand_off()
    topic = await Topic.of(person)
    await topic.press("claim")


def words(text: str) -> Inbound:
    """Something typed."""
    return Inbound("text", text=text)


@pytest.fixture
async def agreed(someone: Someone) -> Someone:
    """Somebody who agreed, with nothing pending."""
    await someone.agree()
    await someone.press("choice.ask")
    return someone


async def test_words_go_to_the_engine_with_the_case_and_the_turn(agreed: Someone, gateway: Gateway, peer: Peer) -> None:
    assert await says(agreed, gateway, words("is it normal")) == ["faq.is_it_normal"]
    (call,) = peer.calls
    assert call["case"] == (await agreed.case()).id
    assert set(call) == {"case", "turn", "text"}


async def test_where_free_words_are_asked_for_the_engine_is_told(agreed: Someone, gateway: Gateway, peer: Peer) -> None:
    assert await says(agreed, gateway, words("a person please")) == ["handoff.human", "handoff.name_ask"]
    assert await says(agreed, gateway, words("Samira")) == ["handoff.language_ask"]
    assert peer.calls[-1]["expects"] == "words"


async def test_what_is_pressed_reaches_the_engine_as_what_the_button_does(
    someone: Someone, gateway: Gateway, peer: Peer
) -> None:
    assert await says(someone, gateway, Inbound("start")) == ["welcome.what", "welcome.consent"]
    agree = await someone.button("choice.agree")
    assert await says(someone, gateway, Inbound("choice", choice=agree)) == ["consent.agreed", "role.ask"]
    assert peer.calls[-1]["parse"]["intent"] == "press"
    assert await says(someone, gateway, Inbound("choice", choice=agree)) == ["choice.stale", "role.ask"]


async def test_a_button_that_the_engine_knows_no_more_is_used_up(
    agreed: Someone, gateway: Gateway, casework: Casework
) -> None:
    async with casework.transaction() as session:
        row = await store.conversation(session, agreed.conversation)
        case = await store.case(session, row.case_id if row else "")
        assert row is not None
        assert case is not None
        old = {"type": "choices", "choices": [{"label": "Old", "parse": {"intent": "faq.long_gone", "entities": []}}]}
        await casework.put(session, case, row, [old], role="assistant")
    (choice,) = (await agreed.events())[-1]["blocks"][0]["choices"]
    assert await says(agreed, gateway, Inbound("choice", choice=choice["id"])) == ["choice.stale"]


async def test_a_red_flag_is_answered_without_the_engine(agreed: Someone, gateway: Gateway, peer: Peer) -> None:
    peer.away = True
    assert await says(agreed, gateway, words("he can't breathe and his lips are blue")) == ["safety.emergency.now"]
    assert peer.calls == []


async def test_a_red_flag_overtakes_words_that_wait_for_the_engine(
    agreed: Someone, gateway: Gateway, peer: Peer
) -> None:
    peer.away = True
    assert await says(agreed, gateway, words("hello")) == ["engine.away"]
    assert await says(agreed, gateway, words("he can't breathe and his lips are blue")) == ["safety.emergency.now"]


async def test_a_red_flag_in_a_caption_or_beside_a_human_is_answered_too(
    someone: Someone, gateway: Gateway, casework: Casework
) -> None:
    await hand_over(someone)
    flag = "I want to end my life tonight"
    expected = ["safety.self_harm.now", "safety.told_coordinator"]
    file = FileRef(name="a.pdf", mime="application/pdf", size=1, kind="document", path="a.pdf")
    assert (await says(someone, gateway, Inbound("file", text=flag, files=(file,))))[-1] == expected[-1]
    assert (await says(someone, gateway, words(flag)))[-1] == expected[-1]
    assert (await someone.case()).urgent


async def test_danger_that_only_the_engine_reads_is_answered_in_a_caption_and_beside_a_human(
    someone: Someone, gateway: Gateway, casework: Casework
) -> None:
    await someone.hand_off()
    expected = ["safety.emergency.team", "safety.told_coordinator"]
    file = FileRef(name="a.pdf", mime="application/pdf", size=1, kind="document", path="a.pdf")
    assert await says(someone, gateway, Inbound("file", text=MILD, files=(file,))) == expected
    topic = await Topic.of(someone)
    await topic.press("claim")
    assert await says(someone, gateway, words(MILD)) == expected
    assert (await someone.case()).urgent


async def test_danger_that_is_worded_mildly_does_not_wait_for_an_engine_that_is_away(
    agreed: Someone, gateway: Gateway, peer: Peer
) -> None:
    peer.away = True
    mild = "since this morning he has 38.4 and shivers, he had chemo last week"
    assert await says(agreed, gateway, words(mild)) == ["safety.emergency.team"]
    assert await says(agreed, gateway, words("i dont want to be here any more")) == ["safety.self_harm.wish"]


async def test_while_a_human_holds_the_case_the_engine_sees_nothing(
    someone: Someone, gateway: Gateway, peer: Peer
) -> None:
    await hand_over(someone)
    for inbound in (
        words("is it normal"),
        words("👍"),
        words("❤️"),
        Inbound("other", note="sticker", raw={"chat_id": 1, "message_id": 2}),
        Inbound("file", files=(FileRef("ct.pdf", "application/pdf", 1, "document", path="c"),)),
        Inbound("file", files=(FileRef("v.ogg", "audio/ogg", 1, "voice", path="v"),)),
        Inbound("start"),
    ):
        assert await says(someone, gateway, inbound) == []
    assert peer.calls == []
    assert [row.payload["name"] for row in await outbox(gateway._casework, "topic.file")] == ["ct.pdf", "v.ogg"]
    assert [row.payload["message_id"] for row in await outbox(gateway._casework, "topic.copy")] == [2]


async def test_everything_is_deleted_in_words_while_a_human_holds_the_case(someone: Someone, gateway: Gateway) -> None:
    await hand_over(someone)
    assert await says(someone, gateway, words("Delete my data!")) == ["steer.delete_confirm"]
    assert await says(someone, gateway, words("no")) == ["steer.delete_kept"]
    assert await says(someone, gateway, words("is it normal")) == []
    assert await says(someone, gateway, words("please delete all of my data")) == ["steer.delete_confirm"]
    assert await says(someone, gateway, words("yes")) == ["steer.deleted", "erase.in_group"]


@pytest.mark.parametrize("text", ["/mydata", "Show me my data", "can I see all of my data please?", "export my data"])
async def test_what_is_kept_is_shown_at_any_time(someone: Someone, gateway: Gateway, text: str) -> None:
    await someone.agree()
    await someone.news()
    assert await says(someone, gateway, words(text)) == ["mydata.link"]


async def test_what_is_kept_is_shown_and_consent_taken_back_while_a_human_holds_the_case(
    someone: Someone, gateway: Gateway
) -> None:
    await hand_over(someone)
    assert await says(someone, gateway, words("please show my data")) == ["mydata.link"]
    assert await says(someone, gateway, words("I want to withdraw my consent")) == ["steer.delete_confirm"]
    assert await says(someone, gateway, words("no")) == ["steer.delete_kept"]
    assert await says(someone, gateway, words("/withdraw")) == ["steer.delete_confirm"]


async def test_while_the_engine_is_away_words_wait_are_told_so_once_and_answered_in_order_later(
    agreed: Someone, gateway: Gateway, peer: Peer, clock: Clock
) -> None:
    peer.away = True
    assert await says(agreed, gateway, words("hello"), words("is it normal")) == ["engine.away"]
    for _ in range(3):
        clock.pass_by(minutes=2)
        assert await says(agreed, gateway) == []
    peer.away = False
    clock.pass_by(minutes=2)
    assert await says(agreed, gateway) == ["steer.greet", "resume.open", "faq.is_it_normal"]


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nobody listens."""
    with socket.socket() as bound:  # bound, so that nobody else takes the port meanwhile
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


async def test_an_engine_that_cannot_be_reached_is_away(agreed: Someone, casework: Casework, nobody: str) -> None:
    engine = Engine((nobody,), SECRET, timeout=2)
    assert await says(agreed, Gateway(casework, engine, Wake()), words("hello")) == ["engine.away"]
    await engine.close()


async def test_when_one_engine_is_away_the_other_answers(
    agreed: Someone, casework: Casework, peer: Peer, nobody: str
) -> None:
    for urls in ((nobody, peer.url), (peer.url, nobody)):
        engine = Engine(urls, SECRET, timeout=5)
        assert await says(agreed, Gateway(casework, engine, Wake()), words("is it normal")) == ["faq.is_it_normal"]
        await engine.close()


async def test_a_long_text_is_cut_for_the_engine_and_kept_whole(agreed: Someone, gateway: Gateway, peer: Peer) -> None:
    await says(agreed, gateway, words("long " * 2_000))
    assert len(peer.calls[0]["text"]) == 2_000
    assert len([e for e in await agreed.events() if e["role"] == "patient"][-1]["blocks"][0]["text"]) == 10_000


@pytest.mark.parametrize("text", ["👍", "👍🏽", " 👌 ", "✅✅", "🆗", "👍 👍🏿"])
async def test_a_thumb_is_a_yes(someone: Someone, gateway: Gateway, peer: Peer, text: str) -> None:
    await someone.start()
    assert await says(someone, gateway, words(text)) == ["consent.agreed", "role.ask"]
    assert peer.calls[-1]["parse"]["intent"] == "control.yes"


@pytest.mark.parametrize("text", ["❤️", "😢😢", "...", "👎", "👍❤️", "?", " "])
async def test_signs_without_a_word_are_asked_for_words(
    someone: Someone, gateway: Gateway, peer: Peer, text: str
) -> None:
    await someone.start()
    assert await says(someone, gateway, words(text)) == ["input.emoji", "welcome.consent"]
    assert peer.calls == []


@pytest.mark.parametrize("text", ["你好", "привет", "7", "é"])
async def test_a_word_of_any_script_goes_to_the_engine(
    agreed: Someone, gateway: Gateway, peer: Peer, text: str
) -> None:
    await says(agreed, gateway, words(text))
    assert [call["text"] for call in peer.calls] == [text]


@pytest.mark.parametrize("command", COMMANDS)
async def test_every_command_reaches_the_engine_as_its_intent(
    agreed: Someone, gateway: Gateway, peer: Peer, command: str
) -> None:
    for text in (command, f"{command}@WaypointBot", f" {command.upper()} ".strip(), f"{command}\nplease"):
        await says(agreed, gateway, words(text if command != "/start" else command))
        assert peer.calls[-1].get("parse") == COMMANDS[command], text


@pytest.mark.parametrize(
    "text", ['/restart{"a":1}', "/help", "/nlu_fallback", "/", "/ restart", "//", '/press{"act":"erase"}']
)
async def test_what_looks_like_a_command_and_is_none_is_explained_and_never_parsed(
    agreed: Someone, gateway: Gateway, peer: Peer, text: str
) -> None:
    assert await says(agreed, gateway, words(text)) == ["steer.help"]
    assert peer.calls == []


async def test_a_link_is_opened_as_a_start_and_as_a_typed_command(arrives: Arrives, gateway: Gateway) -> None:
    web = await (await arrives()).agree()
    for inbound in (lambda code: Inbound("start", start=code), lambda code: words(f"/start {code}")):
        assert await says(web, gateway, words("/link")) == ["link.to_web"]
        code = link_code(await web.events())
        other = await arrives("telegram")
        assert (await says(other, gateway, inbound(code)))[0] == "link.done"
        stranger = await arrives("telegram")
        assert await says(stranger, gateway, inbound(code)) == ["welcome.what", "link.invalid", "welcome.consent"]


@pytest.mark.parametrize("note", ["sticker", "location", "contact", "edited", "other", "dice", "", "x" * 40])
async def test_what_cannot_be_read_is_said_so(agreed: Someone, gateway: Gateway, peer: Peer, note: str) -> None:
    known = f"input.unsupported.{note}" in gateway._casework.guide.ids
    said = await says(agreed, gateway, Inbound("other", note=note))
    assert said == [f"input.unsupported.{note if known else 'other'}"]
    assert peer.calls == []


@pytest.mark.parametrize("kind", ["voice", "audio"])
async def test_a_voice_message_is_asked_for_in_words_and_kept_with_the_case(
    agreed: Someone, gateway: Gateway, kind: str
) -> None:
    file = FileRef("v.ogg", "audio/ogg", 1, kind, path="v.ogg")
    assert await says(agreed, gateway, Inbound("file", files=(file,))) == ["input.unsupported.voice"]


async def test_a_caption_tells_where_a_file_belongs(agreed: Someone, gateway: Gateway) -> None:
    file = FileRef("photo.jpg", "image/jpeg", 1, "photo", path="p.jpg")
    said = await says(agreed, gateway, Inbound("file", text="my scan", files=(file,)))
    assert said == ["records.file_attached", "records.card_title"]
    assert set((await agreed.progress()).records) == {"imaging"}


async def test_a_file_without_consent_is_not_kept(someone: Someone, gateway: Gateway, casework: Casework) -> None:
    file = FileRef("ct.pdf", "application/pdf", 1, "document", path="p.pdf")
    said = await says(someone, gateway, Inbound("file", files=(file,)))
    assert said == ["welcome.what", "consent.file", "consent.needed"]
    assert [row.payload["path"] for row in await outbox(casework, "unlink")] == ["p.pdf"]


async def test_a_fault_in_one_turn_does_not_stop_the_others(
    agreed: Someone, arrives: Arrives, gateway: Gateway, casework: Casework, clock: Clock
) -> None:
    broken = await arrives()
    turn = await broken.send(words("hello"))
    async with casework.transaction() as session:
        row = await session.scalar(select(Inbox).where(Inbox.id == turn))
        assert row is not None
        row.payload = {"kind": "text", "unknown": 1}
    following = await broken.send(words("is it normal"))
    assert await says(agreed, gateway, words("is it normal")) == ["faq.is_it_normal"]
    for _ in range(LAST_FAULT):
        clock.pass_by(minutes=1)
        await settle(gateway)
    said = [event["say"] for event in await broken.events() if event["role"] != "patient"]
    assert "fallback.second" in said
    assert "faq.is_it_normal" in said
    assert not await casework.due_turns({following})


async def test_a_fault_in_the_group_does_not_spin(
    someone: Someone, gateway: Gateway, casework: Casework, clock: Clock
) -> None:
    await someone.hand_off()
    await Topic.of(someone)
    await casework.receive_desk("broken", {"kind": "message", "unknown": 1}, TOPIC)
    await settle(gateway)
    assert await casework.due_turns(set()) == []
    for _ in range(5):
        clock.pass_by(minutes=1)
        await settle(gateway)
    fine = DeskInbound("message", GROUP, TOPIC, 1, *MEI, text="/say hello")
    await casework.receive_desk("fine", asdict(fine), TOPIC)
    await settle(gateway)
    assert (await someone.events())[-1]["blocks"] == [{"type": "text", "text": "hello"}]


async def test_when_the_engine_is_back_nobody_waits_to_the_end_of_their_pause(
    agreed: Someone, gateway: Gateway, peer: Peer, clock: Clock
) -> None:
    peer.away = True
    assert await says(agreed, gateway, words("is it normal")) == ["engine.away"]
    for _ in range(5):
        clock.pass_by(minutes=1)
        await settle(gateway)
    assert not await gateway.look_after_engine()
    peer.away = False
    assert await gateway.look_after_engine()
    assert await says(agreed, gateway) == ["faq.is_it_normal"]
    assert not await gateway.look_after_engine()


async def test_an_engine_that_seems_well_and_takes_no_turns_is_not_tried_faster(
    agreed: Someone, gateway: Gateway, peer: Peer
) -> None:
    peer.away = peer.seems_well = True
    await says(agreed, gateway, words("is it normal"))
    assert not await gateway.look_after_engine()
    peer.away = False
    assert await says(agreed, gateway) == []


async def test_a_database_that_is_away_again_and_again_costs_a_coordinator_no_words(
    someone: Someone,
    gateway: Gateway,
    casework: Casework,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    db: AsyncEngine,
) -> None:
    await someone.hand_off()
    await Topic.of(someone)
    said = DeskInbound("message", GROUP, TOPIC, 1, *MEI, text="/say hello")
    await casework.receive_desk("words", asdict(said), TOPIC)
    busy, desk_turn, away = await locked(db), Casework.desk_turn, LAST_FAULT + 2

    async def hindered(self: Casework, turn: str) -> list[str]:
        nonlocal away
        away -= 1
        if away >= 0:
            raise busy
        return await desk_turn(self, turn)

    monkeypatch.setattr(Casework, "desk_turn", hindered)
    for _ in range(LAST_FAULT + 3):
        await settle(gateway)
        clock.pass_by(minutes=1)
    assert (await someone.events())[-1]["blocks"] == [{"type": "text", "text": "hello"}]


async def test_it_runs_until_it_is_cancelled_and_finishes_what_it_has_in_hand(
    agreed: Someone, gateway: Gateway, casework: Casework
) -> None:
    running = asyncio.create_task(gateway.run())
    await agreed.send(words("is it normal"))
    gateway._wake.notify("inbox")
    end = time.monotonic() + DEADLINE
    while (await agreed.events())[-1]["say"] != "faq.is_it_normal":
        assert time.monotonic() < end
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await gateway.idle()
    assert not gateway._busy


async def test_turns_of_many_people_are_taken_side_by_side(arrives: Arrives, gateway: Gateway, peer: Peer) -> None:
    people = [await arrives() for _ in range(6)]
    for person in people:
        for text in ("hello", "is it normal"):
            await person.send(words(text))
    await settle(gateway)
    for person in people:
        said = [event["say"] for event in await person.events() if event["role"] != "patient"]
        assert said == ["welcome.what", "welcome.consent", "faq.is_it_normal", "welcome.consent"]
