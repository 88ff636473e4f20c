"""The website's side as it runs: a real server, a real SQLite database, the real use cases; and a browser."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from bot import database, store
from bot.casework import Casework
from bot.channels import web
from bot.guide import Guide
from bot.model import Conversation
from bot.render import Say
from bot.settings import Settings
from bot.wake import Wake
from tests.keys import keys

CHROMIUM = Path("/usr/bin/chromium")
DEADLINE = 15.0  # of a wait that is normally over at once
PARTNER = "https://partner.example"
SECRET = "a secret of the tests alone, long enough"

# No test here depends on the guide's own words.
WORDS = """
person.self: you
persons.self: your
steer.deleted: {args: [receipt, hours], text: "Everything is deleted: {receipt}, {hours}."}
human.joined: {args: [name], text: "{name} is here now."}
human.left: {args: [name], text: "{name} has gone back to the board."}
"""


# One event loop for all tests here, so that one browser serves them all; modules say `pytestmark = ONE_LOOP`.
ONE_LOOP = pytest.mark.asyncio(loop_scope="session")
once = pytest_asyncio.fixture(scope="session", loop_scope="session")
each = pytest_asyncio.fixture(loop_scope="session")


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds; fail with `what` when it does not come to pass."""
    end = time.monotonic() + DEADLINE
    while not holds():
        if time.monotonic() > end:
            pytest.fail(f"waited in vain: {what}")
        await asyncio.sleep(0.01)


@dataclass
class Person:
    """Someone with an open conversation, as a program speaks for them."""

    http: httpx.AsyncClient
    conversation: str
    token: str

    @property
    def auth(self) -> dict[str, str]:
        """The header that shows the token."""
        return {"Authorization": f"Bearer {self.token}"}

    async def send(self, **body: Any) -> httpx.Response:
        """Send a message; it gets an id unless one is given."""
        return await self.http.post("/api/messages", json={"id": str(uuid.uuid4()), **body}, headers=self.auth)

    async def upload(self, content: bytes, name: str = "report.pdf", **fields: str) -> httpx.Response:
        """Send a file; it gets an id unless one is given."""
        return await self.http.post(
            "/api/files",
            data={"id": str(uuid.uuid4()), **fields},
            files={"file": (name, content, "text/html")},  # what a sender says of the type counts for nothing
            headers=self.auth,
        )

    async def events(self, after: int = 0, wait: int = 0) -> list[dict[str, Any]]:
        """What was said after a number, by long poll."""
        response = await self.http.get(
            "/api/events", params={"after": after, "wait": wait}, headers={**self.auth, "Accept": "application/json"}
        )
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["events"]
        return found

    @contextlib.asynccontextmanager
    async def stream(self, after: int | None = None) -> AsyncIterator[Stream]:
        """The stream of events."""
        headers = {**self.auth, "Accept": "text/event-stream"}
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        async with self.http.stream("GET", "/api/events", headers=headers) as response:
            yield Stream(response, response.aiter_lines())


@dataclass
class Stream:
    """An open stream of events."""

    response: httpx.Response
    lines: AsyncIterator[str]

    async def next(self) -> dict[str, Any]:
        """The next event; its `id` must be its number. Raises StopAsyncIteration at the end."""
        async with asyncio.timeout(DEADLINE):
            number = ""
            while True:
                line = await anext(self.lines)
                if line.startswith("id: "):
                    number = line[4:]
                if line.startswith("data: "):
                    event: dict[str, Any] = json.loads(line[6:])
                    assert number == str(event["seq"])
                    return event

    async def line(self) -> str:
        """The next line as it is."""
        async with asyncio.timeout(DEADLINE):
            return await anext(self.lines)


@dataclass
class Site:
    """The website's server, and a hand on what the assistant and the coordinators would say."""

    casework: Casework
    settings: Settings
    wake: Wake = field(default_factory=Wake)
    port: int = 0
    _server: uvicorn.Server | None = None
    _serving: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Serve; on the port of before, if there was one."""
        self.wake = Wake()
        app = Starlette(routes=web.create_routes(self.casework, self.wake, self.settings))
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else every body waits for 40 ms
        listening.bind(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(app, log_config=None, ws="none", lifespan="off", timeout_graceful_shutdown=5)
        server = self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(server.serve([listening]))
        await until(lambda: server.started, "the server listens")

    async def stop(self) -> None:
        """Stop serving, as a restart would."""
        if self._server is None or self._serving is None:
            return
        self.wake.close()
        self._server.should_exit = True
        await self._serving
        self._server = self._serving = None

    async def say(self, conversation: str, *blocks: dict[str, Any], role: str = "assistant", name: str = "") -> int:
        """Put words into a conversation, the way the use cases do. Returns their number."""
        async with self.casework.transaction() as session:
            row = await store.conversation(session, conversation)
            assert row is not None
            case = await store.case(session, row.case_id)
            assert case is not None
            seq = await self.casework.put(session, case, row, list(blocks), role=role, name=name)
        self.wake.notify(conversation)
        return seq

    async def row(self, session: AsyncSession, conversation: str) -> Conversation:
        """A conversation as it is stored."""
        found = await store.conversation(session, conversation)
        assert found is not None
        return found

    async def change_case(self, conversation: str, **values: Any) -> None:
        """Change the case of a conversation, as the desk would; whoever looks at it hears of it."""
        async with self.casework.transaction() as session:
            case = await store.case(session, (await self.row(session, conversation)).case_id)
            assert case is not None
            for name, value in values.items():
                setattr(case, name, value)
        self.wake.notify(conversation)

    async def hands_over(self, conversation: str, say: str, name: str, holder: str) -> None:
        """Tell a person that a coordinator came or went."""
        await self.change_case(conversation, state="claimed" if holder else "waiting", holder_name=holder)
        async with self.casework.transaction() as session:
            case = await store.case(session, (await self.row(session, conversation)).case_id, lock=True)
            assert case is not None
            await self.casework._tell_person(session, case, Say(say, {"name": name}))
        self.wake.notify(conversation)

    async def turn(self, conversation: str, message_id: str) -> str:
        """The turn under which a message was stored."""
        async with self.casework.transaction() as session:
            row = await store.inbox_by_external(session, conversation, message_id)
            assert row is not None
            return row.id


def text(words: str) -> dict[str, Any]:
    """A block of words."""
    return {"type": "text", "text": words}


def choices(*labels: str) -> dict[str, Any]:
    """A block of choices, before its buttons are issued."""
    parse = {"intent": "press", "entities": []}
    return {"type": "choices", "choices": [{"label": label, "parse": parse} for label in labels]}


@once
async def fresh_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with nothing in it, made once and copied for every test."""
    path = tmp_path_factory.mktemp("fresh") / "waypoint.db"
    await database.upgrade(f"sqlite+aiosqlite:///{path}", keys())
    return path


@each
async def site(tmp_path: Path, fresh_database: Path) -> AsyncIterator[Site]:
    """A running website without the engine: what the assistant says, the test says."""
    shutil.copy(fresh_database, tmp_path / "waypoint.db")
    url = f"sqlite+aiosqlite:///{tmp_path}/waypoint.db"
    db = database.connect(url)
    settings = Settings(
        database_url=url,
        files_dir=tmp_path / "files",
        secret_key=SECRET,
        allowed_origins=PARTNER,
        sandbox_url="http://127.0.0.1:9",
    )
    (tmp_path / "guide/en").mkdir(parents=True)
    (tmp_path / "guide/sources.yml").write_text("{}")
    (tmp_path / "guide/en/words.yml").write_text(WORDS)
    site = Site(Casework(database.sessions(db, keys()), Guide.load(tmp_path / "guide")), settings)
    await site.start()
    yield site
    await site.stop()
    await db.dispose()


@each
async def http(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the site."""
    async with httpx.AsyncClient(base_url=site.address, timeout=DEADLINE) as client:
        yield client


@each
async def person(http: httpx.AsyncClient) -> Person:
    """Someone who opened a conversation."""
    return await new_person(http)


async def new_person(http: httpx.AsyncClient) -> Person:
    """Open a conversation."""
    opened = (await http.post("/api/sessions")).json()
    return Person(http, opened["conversation"], opened["token"])


@once
async def browser() -> AsyncIterator[Browser]:
    """Chromium, as the system installed it."""
    expect.set_options(timeout=DEADLINE * 1000)
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed (Debian: apt-get install chromium), so no browser test can run")
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield browser
        await browser.close()


@dataclass
class Visit:
    """A person's browser on the demo page."""

    context: BrowserContext
    page: Page
    site: Site
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)  # the browser's own: refused by policy, errors in scripts

    async def session(self) -> dict[str, str]:
        """The session that this tab remembers; empty before there is one."""
        kept = "JSON.parse(Object.values({...sessionStorage}).find(v => v.includes('conversation')) ?? '{}')"
        session: dict[str, str] = await self.page.evaluate(kept)
        return session

    async def conversation(self) -> str:
        """The conversation that this tab uses."""
        return (await self.session())["conversation"]

    async def open(self) -> str:
        """Open the chat and wait until its beginning was stored. Returns the conversation."""
        await self.page.get_by_role("button", name="Start the conversation").click()
        return await self.begun()

    async def begun(self) -> str:
        """Wait until the beginning of the conversation was stored. Returns the conversation."""
        end = time.monotonic() + DEADLINE
        while not (session := await self.session()) or not await self.site.casework.events_after(
            session["conversation"], 0
        ):
            assert time.monotonic() < end, "the conversation did not begin"
            await asyncio.sleep(0.01)
        return session["conversation"]

    async def write(self, words: str) -> None:
        """Type a message and send it with Enter."""
        box = self.page.get_by_role("textbox", name="Write your message")
        await box.fill(words)
        await box.press("Enter")

    async def heard(self, conversation: str) -> list[str]:
        """What the server holds of this person's words, in order."""
        events = await self.site.casework.events_after(conversation, 0)
        words = [block.get("text", "") for e in events if e["role"] == "patient" for block in e["blocks"]]
        return [word for word in words if word != "/start"]


@each
async def visiting(site: Site, browser: Browser) -> AsyncIterator[Callable[..., Any]]:
    """Opens the demo page in a fresh browser profile with the given options (viewport, color_scheme, …)."""
    contexts: list[BrowserContext] = []

    async def visit(**options: Any) -> Visit:
        context = await browser.new_context(**options)
        context.set_default_timeout(DEADLINE * 1000)
        contexts.append(context)
        page = await context.new_page()
        visit = Visit(context, page, site)
        page.on("request", lambda request: visit.requests.append(request.url))
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        page.on("console", lambda said: said.type == "error" and visit.complaints.append(said.text))
        await page.goto(site.address)
        return visit

    yield visit
    for context in contexts:
        await context.close()


@each
async def visit(visiting: Callable[..., Any]) -> Visit:
    """A visit on a desktop."""
    visit: Visit = await visiting(viewport={"width": 1280, "height": 860})
    return visit
