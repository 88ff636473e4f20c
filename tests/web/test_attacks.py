"""What somebody with bad intentions tries at the website's door, and what it comes to (docs/threat-model.md)."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import socket
import uuid
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.async_api import expect
from starlette.applications import Starlette

from bot.casework.links import new_link_code
from bot.channels import web, web_plain
from bot.channels.prompt import PromptProtocol
from bot.channels.web_plain import COOKIE, COOKIE_PATH
from bot.guide import Guide
from tests.web.conftest import DEADLINE, ONE_LOOP, Person, Site, Visit, choices, each, new_person, text, until
from tests.web.test_plain import PATH, conversation, fields, form_id

pytestmark = ONE_LOOP
POLYGLOTS = {
    "a picture that is a page": b"GIF89a/*<script>parent.stolen=1</script>*/=1;",
    "a document that is a page": b"%PDF-1.7\n<html><script>parent.stolen=1</script></html>",
    "a drawing with a script": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="stolen=1"/>',
    "an archive that is a page": b"<html><script>parent.stolen=1</script></html>PK\x05\x06" + bytes(18),
    "a page with a mark of another alphabet": "<script>parent.stolen=1</script>".encode("utf-16"),
}
SCRIPTS = [
    "<script>window.stolen=1</script>",
    "<img src=x onerror=window.stolen=1>",
    "<svg/onload=window.stolen=1>",
    '"><iframe srcdoc="<script>parent.stolen=1</script>">',
    "[press](javascript:window.stolen=1) javascript:window.stolen=1",
    "${window.stolen=1} {{constructor.constructor('window.stolen=1')()}}",
]


# Somebody else's.


@each
async def other(http: httpx.AsyncClient) -> Person:
    """The one who attacks, with a conversation of their own."""
    return await new_person(http)


async def test_somebody_elses_button_does_nothing(site: Site, person: Person, other: Person) -> None:
    await site.say(person.conversation, choices("Yes, keep it"))
    [event] = await person.events()
    choice = event["blocks"][0]["choices"][0]["id"]
    answer = await other.send(choice=choice)
    unknown = await other.send(choice="A" * len(choice))
    assert answer.status_code == unknown.status_code
    assert [e for e in await person.events() if e["role"] == "patient"] == []
    heard = [block for e in await other.events() if e["role"] == "patient" for block in e["blocks"]]
    assert "Yes, keep it" not in str(heard)


@pytest.mark.parametrize("where", ["header", "body", "query", "cookie"])
async def test_nobody_can_choose_the_conversation_that_a_session_is_for(
    http: httpx.AsyncClient, person: Person, where: str
) -> None:
    wanted = person.conversation
    asks: dict[str, dict[str, Any]] = {
        "header": {"headers": {"Authorization": f"Bearer {wanted}", "X-Conversation": wanted}},
        "body": {"json": {"conversation": wanted}},
        "query": {"params": {"conversation": wanted, "token": wanted}},
        "cookie": {"headers": {"Cookie": f"waypoint={wanted}; conversation={wanted}"}},
    }
    answer = await http.post("/api/sessions", **asks[where])
    assert answer.status_code != 200 or answer.json()["conversation"] != wanted


@each
async def plain(site: Site, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without scripts, and the words that people really read; nobody answers, so nobody waits for it."""
    monkeypatch.setattr(web_plain, "ANSWER_SECONDS", 0)
    object.__setattr__(site.casework, "guide", Guide.load())
    async with httpx.AsyncClient(base_url=site.address, timeout=DEADLINE, follow_redirects=True) as client:
        yield client


async def test_a_session_that_a_stranger_made_up_is_not_taken_over(plain: httpx.AsyncClient) -> None:
    plain.cookies.set(COOKIE, "fixed-by-a-stranger", path=COOKIE_PATH)
    page = await plain.post(f"{PATH}/start")
    kept = [cookie.value for cookie in plain.cookies.jar]
    assert page.status_code == 200
    assert any(value and value != "fixed-by-a-stranger" for value in kept)


async def test_a_session_or_a_link_in_an_address_is_not_taken_over(
    site: Site, plain: httpx.AsyncClient, other: Person
) -> None:
    for query in (f"?token={other.token}", f"?session={other.token}", f"?link={uuid.uuid4().hex}"):
        page = await plain.get(PATH + query)
        assert page.status_code == 200
        assert "set-cookie" not in page.headers


# Script.


@pytest.mark.parametrize("script", SCRIPTS)
async def test_no_script_of_a_person_a_coordinator_or_a_file_name_runs_in_the_chat(visit: Visit, script: str) -> None:
    talk = await visit.open()
    await visit.write(script)
    file = {"type": "file", "id": uuid.uuid4().hex, "name": f"{script}.pdf", "size": 7, "mime": "text/html"}
    await visit.site.say(talk, text(script), file, choices(script), role="coordinator", name=script)
    await visit.site.say(talk, text("The end."))
    await expect(visit.page.get_by_text("The end.")).to_be_visible()
    assert await visit.page.evaluate("window.stolen") is None
    assert await visit.page.locator("a[href^='javascript']").count() == 0
    assert [said for said in visit.complaints if "Content Security Policy" in said] == []  # nothing was even tried


@pytest.mark.parametrize("script", SCRIPTS)
async def test_no_script_of_a_person_a_coordinator_or_a_file_name_is_in_the_page_without_javascript(
    site: Site, plain: httpx.AsyncClient, script: str
) -> None:
    page = await plain.post(f"{PATH}/start")
    page = await plain.post(PATH, files=fields(id=form_id(page), text=script))
    file = {"type": "file", "id": uuid.uuid4().hex, "name": f"{script}.pdf", "size": 7, "mime": "text/html"}
    await site.say(await conversation(site), text(script), file, choices(script), role="coordinator", name=script)
    page = await plain.get(PATH)
    assert page.text.count("stolen=1") >= 4  # all of it is shown
    for tag in ("<script", "<img", "<svg", "<iframe", 'href="javascript'):
        assert tag not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


# Files.


@pytest.mark.parametrize(("name", "content"), POLYGLOTS.items())
async def test_a_file_that_is_two_things_at_once_is_never_shown_by_a_browser(
    site: Site, person: Person, name: str, content: bytes
) -> None:
    await person.upload(content, name)
    [event] = await person.events()
    answer = await person.http.get(f"/api/files/{event['blocks'][0]['id']}", headers=person.auth)
    assert answer.content == content
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search("html|svg|xml|script", answer.headers["content-type"])
    assert "sandbox" in answer.headers["content-security-policy"]


async def test_an_archive_that_would_unpack_to_gigabytes_is_only_kept(site: Site, person: Person) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"scan-{number}.dcm", bytes(10_000_000))
    assert (await person.upload(packed.getvalue(), "scans.zip")).status_code == 202
    kept = sum(path.stat().st_size for path in site.settings.files_dir.rglob("*") if path.is_file())
    assert kept < len(packed.getvalue()) + 10_000


@pytest.mark.parametrize("name", ["a\r\nSet-Cookie: stolen=1.pdf", "a%0d%0aSet-Cookie: stolen=1.pdf", 'a"; x="y.pdf'])
async def test_a_file_name_adds_no_header_to_its_download(person: Person, name: str) -> None:
    await person.upload(b"%PDF-1.7 report", name)
    [event] = await person.events()
    answer = await person.http.get(f"/api/files/{event['blocks'][0]['id']}", headers=person.auth)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert re.fullmatch(r"attachment; filename\*=utf-8''[\w.%~-]+", answer.headers["content-disposition"])


# Logs.


async def test_nothing_that_is_sent_gets_into_the_log_not_even_as_a_line_of_its_own(
    person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")  # as it is set up (bot/log.py)
    forged = "kzhrbqq\r\n2026-11-27 00:00:00 ERROR bot.gateway \x1b[2Jkzhrbqq"
    await person.send(text=forged)
    await person.send(text=forged, lang=forged)
    await person.upload(b"%PDF-1.7", forged)
    await person.http.get("/api/" + "kzhrbqq%0d%0aERROR", headers=person.auth)
    await person.http.get("/api/events", params={"after": "kzhrbqq"}, headers={**person.auth, "X-Id": "kzhrbqq"})
    not_ours = ("httpx", "httpcore", "uvicorn.access")  # the test's client; what the bot switches off
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(not_ours)]
    assert "kzhrbqq" not in "".join(ours)


# Too much, and too slowly.


async def test_a_thousand_sessions_from_one_address_stop_and_another_address_still_gets_one(
    http: httpx.AsyncClient,
) -> None:
    async def opened(address: str) -> int:
        return (await http.post("/api/sessions", headers={"X-Forwarded-For": address})).status_code

    answers = [await opened("203.0.113.7") for _ in range(1_000)]
    assert answers.count(200) < 300
    assert set(answers) == {200, 429}
    assert await opened("198.51.100.9") == 200


class Hasty(PromptProtocol):
    """The protocol that is served, for people with less patience."""

    HEAD_SECONDS = 0.3
    BODY_SECONDS = 0.6


@each
async def hasty(site: Site) -> AsyncIterator[int]:
    """The port of the site, served as the bot serves it, but in a hurry."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    app = Starlette(routes=web.create_routes(site.casework, site.wake, site.settings))
    server = uvicorn.Server(uvicorn.Config(app, http=Hasty, ws="none", log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve([listening]))
    await until(lambda: server.started, "the server listens")
    yield listening.getsockname()[1]
    server.should_exit = True
    await serving


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"POST /api/mess",
        b"POST /api/messages HTTP/1.1\r\nHost: x\r\nA: b\r\n",
        b"POST /api/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
    ],
    ids=["nothing", "half a line", "half a head", "half a body"],
)
async def test_many_who_send_a_byte_at_a_time_delay_nobody_and_are_cut_off(hasty: int, begun: bytes) -> None:
    async with contextlib.AsyncExitStack() as connections:
        slow = [await connections.enter_async_context(connected(hasty)) for _ in range(100)]
        for _, writer in slow:
            writer.write(begun)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{hasty}", timeout=DEADLINE) as http:
            assert (await http.post("/api/sessions")).status_code == 200
        async with asyncio.timeout(DEADLINE):
            for reader, _ in slow:
                with contextlib.suppress(ConnectionResetError):
                    await reader.read()  # to the end of the connection


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection, closed at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield reader, writer
    writer.close()
    with contextlib.suppress(ConnectionResetError):
        await writer.wait_closed()


async def test_who_is_answered_slowly_or_asks_again_on_the_same_connection_is_not_cut_off(
    hasty: int, site: Site
) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{hasty}", timeout=DEADLINE) as http:
        person = await new_person(http)
        assert await person.events(wait=1) == []  # longer than head and body may take together
        assert (await person.send(text="I am still here")).status_code == 202


# Guessing.


async def test_codes_are_too_many_to_guess_and_guesses_are_words_like_any_other(site: Site, person: Person) -> None:
    codes = {new_link_code() for _ in range(1_000)}
    assert len(codes) == 1_000
    assert all(len(code) >= 22 for code in codes)  # 132 bits and more
    answers = [(await person.send(text=f"/start {new_link_code()}")).status_code for _ in range(700)]
    assert 429 in answers  # far below what a search would need


# Reaching what is inside.


async def test_a_link_that_somebody_writes_is_never_opened_by_us(site: Site, person: Person, visit: Visit) -> None:
    came: list[str] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append("somebody")
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/latest/meta-data"
    talk = await visit.open()
    await visit.write(url)
    await person.send(text=url)
    await person.upload(f"<img src={url}>".encode(), f"{url}.html")
    await visit.site.say(talk, text(f"{url} ![x]({url})"), role="coordinator", name=url)
    await visit.site.say(talk, text("The end."))
    await expect(visit.page.get_by_text("The end.")).to_be_visible()
    server.close()
    assert came == []


@pytest.mark.parametrize("path", ["/webhook", "/turn", "/parse", "/model/parse", "/sandbox/state", "/bot123:abc/getMe"])
async def test_engine_actions_and_the_simulated_telegram_are_not_behind_the_website(
    http: httpx.AsyncClient, path: str
) -> None:
    assert (await http.post(path, json={})).status_code in (404, 405)
    assert (await http.get(path)).status_code in (404, 405)
