"""Sessions, messages and events, through a real server and a real database."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text as sql

from bot import store
from bot.keep import Keep
from bot.tokens import Tokens
from tests.web.conftest import ONE_LOOP, PARTNER, SECRET, Person, Site, choices, new_person, text

pytestmark = ONE_LOOP

MESSAGE_ID = "6f0f2f0e-1111-4111-8111-000000000001"
DAY = 24 * 60 * 60


def problem(response: httpx.Response) -> tuple[int, str]:
    """Status and code of an error; its shape and its words must be right."""
    error = response.json()["error"]
    assert set(response.json()) == {"error"}
    assert set(error) == {"code", "message"}
    assert error["message"].endswith(".")
    return response.status_code, error["code"]


# Sessions


async def test_it_opens_a_conversation_and_gives_a_token(http: httpx.AsyncClient):
    response = await http.post("/api/sessions")
    assert response.status_code == 200
    assert set(response.json()) == {"token", "conversation"}


async def test_every_session_is_a_conversation_of_its_own(http: httpx.AsyncClient):
    assert (await new_person(http)).conversation != (await new_person(http)).conversation


async def test_a_token_is_exchanged_for_a_fresh_one_of_the_same_conversation(
    site: Site, http: httpx.AsyncClient, person: Person
):
    stale = Tokens(SECRET, now=lambda: time.time() - 3 * DAY).issue(person.conversation)
    response = await http.post("/api/sessions", headers={"Authorization": f"Bearer {stale}"})
    assert response.json()["conversation"] == person.conversation
    assert (await Person(http, person.conversation, response.json()["token"]).send(text="still me")).status_code == 202


async def test_a_session_is_not_ended_by_a_database_that_cannot_be_read(
    site: Site, http: httpx.AsyncClient, person: Person
):
    async with site.casework.transaction() as session:
        await session.execute(sql("ALTER TABLE conversations RENAME TO elsewhere"))
    assert problem(await person.send(text="are you there?")) == (500, "internal")
    async with site.casework.transaction() as session:
        await session.execute(sql("ALTER TABLE elsewhere RENAME TO conversations"))
    assert (await person.send(text="are you there?")).status_code == 202


async def test_a_token_of_long_ago_is_not_exchanged(http: httpx.AsyncClient, person: Person):
    old = Tokens(SECRET, now=lambda: time.time() - 31 * DAY).issue(person.conversation)
    response = await http.post("/api/sessions", headers={"Authorization": f"Bearer {old}"})
    assert problem(response) == (401, "session_expired")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/messages"), ("POST", "/api/files"), ("GET", "/api/events"), ("GET", "/api/files/x")],
)
async def test_nothing_but_a_session_works_without_a_token(http: httpx.AsyncClient, method: str, path: str):
    response = await http.request(method, path)
    assert problem(response) == (401, "session_missing")
    assert response.headers["www-authenticate"] == "Bearer"


async def test_it_refuses_a_token_of_yesterday(http: httpx.AsyncClient, person: Person):
    person.token = Tokens(SECRET, now=lambda: time.time() - 2 * DAY).issue(person.conversation)
    assert problem(await person.send(text="hello")) == (401, "session_expired")


async def test_it_refuses_a_token_that_it_did_not_make(person: Person):
    person.token = Tokens("another secret").issue(person.conversation)
    assert problem(await person.send(text="hello")) == (401, "session_invalid")


async def test_it_says_so_when_the_conversation_is_gone(person: Person):
    person.token = Tokens(SECRET).issue(uuid.uuid4().hex)
    assert problem(await person.send(text="hello")) == (401, "session_gone")
    assert problem(await person.http.post("/api/sessions", headers=person.auth)) == (401, "session_gone")
    assert problem(await person.http.get("/api/events", headers=person.auth)) == (401, "session_gone")


# Messages


async def test_everything_is_deleted_at_once_and_the_conversation_goes_on_empty(site: Site, person: Person):
    await person.send(text="my secret", id=MESSAGE_ID)
    await person.upload(b"%PDF-1.7 mine")
    response = await person.http.delete("/api/sessions", headers=person.auth)
    assert response.status_code == 200
    receipt = response.json()["receipt"]
    [event] = await person.events()
    assert (event["say"], event["role"]) == ("steer.deleted", "assistant")
    assert event["blocks"] == [text(f"Everything is deleted: {receipt}, {Keep().draft_hours}.")]
    assert "secret" not in json.dumps(await person.events())
    assert await site.casework.due_turns(set()) == []  # not even what nobody had read yet is answered
    assert (await person.send(text="anew")).status_code == 202


async def test_nobody_can_delete_a_conversation_without_its_token(http: httpx.AsyncClient):
    assert problem(await http.delete("/api/sessions")) == (401, "session_missing")
    gone = Person(http, "x", Tokens(SECRET).issue("no such conversation"))
    assert problem(await http.delete("/api/sessions", headers=gone.auth)) == (401, "session_gone")


async def test_a_message_is_stored_and_numbered(person: Person):
    response = await person.send(text="Will my doctor be offended?")
    assert (response.status_code, response.json()) == (202, {"seq": 1})
    event = (await person.events())[0]
    assert set(event) == {"seq", "role", "name", "lang", "say", "blocks", "at", "in_reply_to"}
    assert (event["seq"], event["role"]) == (1, "patient")
    assert event["blocks"] == [{"type": "text", "text": "Will my doctor be offended?"}]


async def test_the_same_id_again_gives_the_same_number_and_stores_nothing(person: Person):
    first = await person.send(id=MESSAGE_ID, text="once")
    again = await person.send(id=MESSAGE_ID, text="once")
    upper = await person.send(id=MESSAGE_ID.upper(), text="once")
    assert first.json() == again.json() == upper.json() == {"seq": 1}
    assert len(await person.events()) == 1


async def test_the_same_id_many_times_at_once_is_one_message(person: Person):
    answers = await asyncio.gather(*(person.send(id=MESSAGE_ID, text="once") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["seq"] for answer in answers}) == 1
    assert len(await person.events()) == 1


async def test_the_same_id_from_two_people_is_two_messages(http: httpx.AsyncClient, person: Person):
    other = await new_person(http)
    await person.send(id=MESSAGE_ID, text="mine")
    await other.send(id=MESSAGE_ID, text="theirs")
    assert [e["blocks"][0]["text"] for e in await person.events()] == ["mine"]
    assert [e["blocks"][0]["text"] for e in await other.events()] == ["theirs"]


async def test_a_pressed_button_is_shown_by_its_label(site: Site, person: Person):
    await site.say(person.conversation, text("Who is it for?"), choices("For me", "For someone else"))
    offered = (await person.events())[0]["blocks"][1]["choices"]
    assert [set(choice) for choice in offered] == [{"id", "label"}, {"id", "label"}]
    assert (await person.send(choice=offered[1]["id"])).status_code == 202
    assert (await person.events(after=1))[0]["blocks"] == [text("For someone else")]


@pytest.mark.parametrize("length", [1, 20_000])
async def test_it_takes_words_up_to_the_limit(person: Person, length: int):
    words = "\U0001f642" * length  # the heaviest kind of character
    assert (await person.send(text=words)).status_code == 202
    assert (await person.events())[0]["blocks"] == [text(words)]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"text": ""}, "text_empty"),
        ({"text": " \n\t"}, "text_empty"),
        ({"text": "\x00"}, "text_empty"),
        ({"text": "x" * 20_001}, "text_too_long"),
        ({"text": 5}, "bad_text"),
        ({"text": None}, "bad_message"),
        ({}, "bad_message"),
        ({"text": "a", "choice": "b"}, "bad_message"),
        ({"text": "a", "seq": 1}, "bad_message"),
        ({"text": "a", "id": "1"}, "bad_id"),
        ({"text": "a", "id": None}, "bad_id"),
        ({"choice": ""}, "bad_choice"),
        ({"choice": "a b"}, "bad_choice"),
        ({"choice": "a\n"}, "bad_choice"),
        ({"choice": "x" * 65}, "bad_choice"),
    ],
)
async def test_it_refuses_a_message_that_is_not_right(person: Person, body: dict[str, Any], code: str):
    assert problem(await person.send(**body)) == (400, code)
    assert await person.events() == []


@pytest.mark.parametrize(
    "body", [b"", b"no", b"[]", b"null", b'{"id": ', b'{"text": "\\ud800"}', b"\xff\xfe", b"[" * 5000]
)
async def test_it_refuses_what_is_no_message_at_all(person: Person, body: bytes):
    headers = {**person.auth, "Content-Type": "application/json"}
    response = await person.http.post("/api/messages", content=body, headers=headers)
    assert problem(response) == (400, "bad_message")


async def test_it_refuses_a_message_that_is_not_declared_as_json(person: Person):
    body = json.dumps({"id": MESSAGE_ID, "text": "hello"})
    headers = {**person.auth, "Content-Type": "text/plain"}
    assert problem(await person.http.post("/api/messages", content=body, headers=headers)) == (415, "not_json")


async def test_it_refuses_a_body_that_is_far_too_long(person: Person):
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * 65_536

    headers = {**person.auth, "Content-Type": "application/json"}
    for content in (b" " * 300_000, pieces()):  # with its length told, and without
        response = await person.http.post("/api/messages", content=content, headers=headers)
        assert problem(response) == (413, "too_large")


async def test_a_character_that_the_database_refuses_is_left_out(person: Person):
    assert (await person.send(text="be\x00fore")).status_code == 202
    assert (await person.events())[0]["blocks"] == [text("before")]


# Events


async def test_the_stream_brings_what_was_said_and_then_what_is_said(site: Site, person: Person):
    await site.say(person.conversation, text("one"))
    async with person.stream() as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["x-accel-buffering"] == "no"
        assert stream.response.headers["cache-control"] == "no-store"
        assert (await stream.next())["blocks"] == [text("one")]
        await site.say(person.conversation, text("two"))
        assert (await stream.next())["blocks"] == [text("two")]


async def test_a_silent_stream_gives_a_sign_at_once(person: Person):
    async with person.stream() as stream:
        assert (await stream.line()).startswith(":")


async def test_the_stream_brings_what_another_process_wrote(site: Site, person: Person):
    async with person.stream() as stream:
        assert (await stream.line()).startswith(":")
        notified, site.wake.notify = site.wake.notify, lambda key: None  # type: ignore[method-assign]
        await site.say(person.conversation, text("from the actions process"))
        site.wake.notify = notified  # type: ignore[method-assign]
        assert (await stream.next())["blocks"] == [text("from the actions process")]


async def test_a_stream_that_breaks_off_goes_on_without_loss_or_repeat(site: Site, person: Person):
    for number in range(1, 31):
        await site.say(person.conversation, text(str(number)))
    seen: list[int] = []
    while len(seen) < 30:
        async with person.stream(after=seen[-1] if seen else None) as stream:
            for _ in range(min(7, 30 - len(seen))):
                seen.append((await stream.next())["seq"])
    assert seen == list(range(1, 31))


async def test_who_talks_is_told_to_those_who_ask_whenever_it_changes(site: Site, person: Person):
    async with person.http.stream("GET", "/api/events?state=1", headers=person.auth) as response:
        lines = response.aiter_lines()

        async def state() -> dict[str, Any]:
            async with asyncio.timeout(5):
                while await anext(lines) != "event: state":
                    pass
                told: dict[str, Any] = json.loads((await anext(lines)).removeprefix("data: "))
                return told

        nothing = {"answer_by": None, "first": 0, "arrived": 0, "seen": 0}
        assert await state() == {"holder": "", **nothing}
        async with site.casework.transaction() as session:
            conversation = await store.conversation(session, person.conversation)
            assert conversation is not None
            case = await store.case(session, conversation.case_id)
            assert case is not None
            case.state, case.holder_name = "claimed", "Ada Sample"
        await site.say(person.conversation, text("I am here."), role="coordinator", name="Ada Sample")
        assert await state() == {"holder": "Ada Sample", **nothing}
    polled = await person.http.get("/api/events?state=1", headers={**person.auth, "Accept": "application/json"})
    assert polled.json()["state"] == {"holder": "Ada Sample", **nothing}


async def test_a_persons_own_message_comes_back_with_the_id_it_was_sent_under(site: Site, person: Person):
    await person.send(text="mine", id=MESSAGE_ID)
    await site.say(person.conversation, text("Hello."))
    answer = await person.http.get("/api/events?state=1", headers={**person.auth, "Accept": "application/json"})
    assert [event.get("id") for event in answer.json()["events"]] == [MESSAGE_ID, None]


async def test_people_see_only_their_own_conversation(site: Site, http: httpx.AsyncClient, person: Person):
    other = await new_person(http)
    await site.say(other.conversation, text("not for you"))
    await site.say(person.conversation, text("for you"))
    async with person.stream() as stream:
        assert (await stream.next())["blocks"] == [text("for you")]
    assert [e["blocks"] for e in await person.events()] == [[text("for you")]]


async def test_line_breaks_in_a_message_do_not_break_the_stream(site: Site, person: Person):
    words = "a\n\ndata: b\r\nid: 9\r\r\u2028c"
    await site.say(person.conversation, text(words))
    async with person.stream() as stream:
        assert (await stream.next())["blocks"] == [text(words)]


async def test_the_stream_ends_when_the_server_stops(site: Site, person: Person):
    async with person.stream() as stream:
        await stream.line()
        await site.stop()
        with pytest.raises((StopAsyncIteration, httpx.RemoteProtocolError)):
            await stream.next()


async def test_a_long_poll_waits_for_news(site: Site, person: Person):
    waiting = asyncio.create_task(person.events(after=0, wait=25))
    await person.send(text="news")
    assert [e["seq"] for e in await waiting] == [1]


async def test_a_poll_that_does_not_wait_comes_back_empty(person: Person):
    assert await person.events(after=0, wait=0) == []


@pytest.mark.parametrize("place", ["header", "after", "wait"])
@pytest.mark.parametrize("number", ["-1", "1.5", "x", "1e3", "٣", "9" * 30])
async def test_it_refuses_a_number_that_is_none(person: Person, place: str, number: str):
    headers = {**person.auth, "Accept": "application/json"}
    if place == "header":
        response = await person.http.get("/api/events", headers={**headers, "Last-Event-ID": number.encode()})
    else:
        response = await person.http.get("/api/events", params={place: number}, headers=headers)
    assert problem(response) == (400, "bad_number")


async def test_it_refuses_more_windows_than_anyone_opens(person: Person):
    async with asyncio.TaskGroup() as group:
        closing = asyncio.Event()

        async def window(opened: asyncio.Event) -> None:
            async with person.stream() as stream:
                await stream.line()
                opened.set()
                await closing.wait()

        opened = [asyncio.Event() for _ in range(8)]
        for event in opened:
            group.create_task(window(event))
        for event in opened:
            await event.wait()
        assert problem(await person.http.get("/api/events", headers=person.auth)) == (429, "too_many_windows")
        closing.set()


async def test_asking_only_for_the_headers_of_a_stream_does_not_hang(person: Person):
    response = await person.http.head("/api/events", headers=person.auth)
    assert response.status_code == 200


# Around all of it


async def test_other_websites_are_refused(http: httpx.AsyncClient):
    for origin in ("https://elsewhere.example", "null", "http://127.0.0.1:1", PARTNER + ".evil.example"):
        response = await http.post("/api/sessions", headers={"Origin": origin})
        assert problem(response) == (403, "origin_not_allowed")
        assert "access-control-allow-origin" not in response.headers


async def test_our_own_pages_are_allowed(site: Site, http: httpx.AsyncClient):
    assert (await http.post("/api/sessions", headers={"Origin": site.address})).status_code == 200


async def test_a_website_on_the_list_may_call_and_read_even_errors(http: httpx.AsyncClient):
    for response in (
        await http.post("/api/sessions", headers={"Origin": PARTNER}),
        await http.post("/api/messages", headers={"Origin": PARTNER}),
    ):
        assert response.headers["access-control-allow-origin"] == PARTNER
        assert "Origin" in response.headers["vary"]


async def test_a_website_on_the_list_passes_the_browsers_question(http: httpx.AsyncClient):
    asked = {
        "Origin": PARTNER,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,last-event-id",
    }
    response = await http.options("/api/messages", headers=asked)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == PARTNER
    assert (await http.options("/api/messages", headers={**asked, "Origin": "https://no.example"})).status_code == 400


async def test_every_answer_forbids_keeping_and_guessing(http: httpx.AsyncClient, person: Person):
    for response in (await person.send(text="a"), await http.get("/api/nothing"), await http.put("/api/messages")):
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in response.headers["content-security-policy"]


async def test_an_unknown_address_and_a_wrong_method_are_said_in_json(http: httpx.AsyncClient):
    assert problem(await http.get("/api/nothing")) == (404, "not_found")
    assert problem(await http.put("/api/messages")) == (405, "method_not_allowed")


async def test_a_fault_of_ours_shows_and_logs_nothing_of_what_was_written(
    site: Site, person: Person, caplog: pytest.LogCaptureFixture
):
    async with site.casework.transaction() as session:
        await session.execute(sql("ALTER TABLE inbox RENAME TO lost"))
    with caplog.at_level(logging.DEBUG):
        response = await person.send(text="my secret illness")
    assert problem(response) == (500, "internal")
    assert "web request failed" in caplog.text
    assert "my secret illness" not in caplog.text
    assert "inbox" not in response.text
