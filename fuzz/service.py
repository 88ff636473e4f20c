"""The real doors to try: Telegram's intake and the website's interface, on a database of their own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import schemathesis
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from schemathesis.core.result import Ok
from starlette.applications import Starlette
from telegram import Bot
from telegram.request import HTTPXRequest

from bot import database
from bot.casework import Casework
from bot.channels import web
from bot.channels.telegram import clean_text
from bot.channels.updates import Again, Intake
from bot.guide import Guide
from bot.keyring import Keyring
from bot.settings import Settings
from bot.wake import Wake
from fuzz.finding import Faults, Findings, Lost, Tick, examine
from fuzz.updates import PEOPLE, updates
from sandbox.clock import Clock
from sandbox.testing import GROUP_ID, running
from sandbox.world import World

SECRET = "a secret of fuzzing alone, long enough"  # noqa: S105  # it opens nothing
OPENAPI = Path(__file__).parent.parent / "docs" / "openapi.yml"
OPERATIONS = 6
AGAIN = 10  # an update is given up after fewer attempts than that
QUICK = 1_000_000  # a person may write as fast as they like here: a limit would hide what is behind it


@asynccontextmanager
async def casework() -> AsyncIterator[tuple[Casework, Settings]]:
    """Real use cases on a fresh SQLite file."""
    with TemporaryDirectory(prefix="waypoint-fuzz-") as folder:
        keys = Keyring([SECRET])
        settings = Settings(
            database_url=f"sqlite+aiosqlite:///{folder}/waypoint.db",
            files_dir=Path(folder) / "files",
            secret_key=SECRET,
            coordinators_chat_id=GROUP_ID,
        )
        await database.upgrade(settings.database_url, keys)
        db = database.connect(settings.database_url)
        try:
            yield Casework(database.sessions(db, keys), Guide.load(), messages_per_minute=QUICK), settings
        finally:
            await db.dispose()


def of_updates(cases: int, start: int, tick: Tick) -> Findings:
    """Updates of Telegram, as its webhook and its polling hand them over."""
    loop = asyncio.new_event_loop()
    faults = Faults()
    logging.getLogger("bot").addHandler(faults)
    stack = AsyncExitStack()

    async def begin() -> Intake:
        box = await stack.enter_async_context(running(World(Clock())))
        request = HTTPXRequest(connection_pool_size=32)
        bot = await stack.enter_async_context(
            Bot(box.token, base_url=box.base_url, base_file_url=box.base_file_url, request=request)
        )
        work, settings = await stack.enter_async_context(casework())
        return Intake(bot, work, settings)

    intake = loop.run_until_complete(begin())

    def check(update: Any) -> None:
        if isinstance(update, dict):
            update = {"update_id": next(numbers), **update}
        before = _counted()
        for _ in range(AGAIN):
            try:
                loop.run_until_complete(intake.take(update))
                break
            except Again:  # Telegram keeps it, and sends it again
                continue
        else:
            raise Lost("it could not be stored, and everything behind it waits")
        outcome = [name for name, count in _counted().items() if count > before.get(name, 0)]
        if said := faults.take():
            raise AssertionError(said[0])
        if _is_somebodys_words(update) and not {"stored", "too_fast"} & set(outcome):
            raise Lost(f"somebody's words were {outcome or 'forgotten'}")

    numbers = iter(range(1, 1 << 40))
    try:
        return examine(updates(GROUP_ID), check, cases, start, tick)
    finally:
        loop.run_until_complete(stack.aclose())
        loop.close()


def of_requests(cases: int, start: int, tick: Tick) -> Findings:
    """Requests to the website's interface: those that its OpenAPI file describes, and those that it forbids."""
    loop = asyncio.new_event_loop()
    stack = AsyncExitStack()

    async def begin() -> tuple[httpx.AsyncClient, str]:
        work, settings = await stack.enter_async_context(casework())
        app = Starlette(routes=web.create_routes(work, Wake(), settings))
        transport = httpx.ASGITransport(app=app, client=("203.0.113.7", 1))
        http = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://waypoint.test"))
        opened = (await http.post("/api/sessions")).json()
        return http, opened["token"]

    http, token = loop.run_until_complete(begin())
    schema = schemathesis.openapi.from_path(OPENAPI)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == OPERATIONS, "the OpenAPI file cannot be read"
    modes = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
    strategies = [one.as_strategy(generation_mode=mode) for one in operations for mode in modes]

    def check(case: Any) -> None:
        request = case.as_transport_kwargs(base_url="http://waypoint.test")
        answer = loop.run_until_complete(_ask(http, case, request, token))
        if answer is None:
            return
        assert answer.status_code < 500, f"{case.method} {case.path}: {answer.status_code}"
        described = case.operation.definition.raw["responses"]
        assert str(answer.status_code) in described or answer.status_code in (404, 405), (
            f"{case.method} {case.path}: {answer.status_code} is not described"
        )
        if answer.status_code == 404 and "json" not in answer.headers["content-type"]:
            return  # not even an address of the interface: a line break in it
        if answer.status_code >= 400:
            error = answer.json()["error"]
            assert error["code"], "a refusal without a code"
            assert error["message"], "a refusal without words"

    try:
        return examine(st.one_of(strategies), check, cases, start, tick)
    finally:
        loop.run_until_complete(stack.aclose())
        loop.close()


async def _ask(http: httpx.AsyncClient, case: Any, request: dict[str, Any], token: str) -> httpx.Response | None:
    headers = {
        **{str(k): str(v) for k, v in (request.get("headers") or {}).items()},
        "Authorization": f"Bearer {token}",
    }
    if case.path == "/api/events":  # a stream has no end
        headers |= {"Accept": "application/json"}
    if case.method.upper() == "DELETE":  # else there would be no conversation left
        headers.pop("Authorization")
    headers = {name: value for name, value in headers.items() if value.isascii() and value.isprintable()}
    body = {name: request[name] for name in ("json", "data", "files", "params") if request.get(name) is not None}
    if isinstance(body.get("data"), str | bytes):
        body["content"] = body.pop("data")
    try:
        return await http.request(case.method, request["url"], headers=headers, **body)
    except (httpx.InvalidURL, UnicodeError, TypeError, ValueError):  # no client could send it
        return None


def _is_somebodys_words(update: Any) -> bool:
    message = update.get("message") if isinstance(update, dict) else None
    if not isinstance(message, dict) or set(message) != {"message_id", "date", "chat", "from", "text"}:
        return False
    chat, text = message["chat"], message["text"]
    return chat.get("id") in PEOPLE and isinstance(text, str) and bool(clean_text(text, 20_000).strip())


def _counted() -> dict[str, float]:
    outcomes = ("stored", "ignored", "skipped", "too_fast")
    return {
        one: REGISTRY.get_sample_value("waypoint_telegram_updates_total", {"outcome": one}) or 0 for one in outcomes
    }
