"""The sandbox as a program of its own, and the client library's whole polling machinery in front of it."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator

import httpx
import pytest
from telegram import Update
from telegram.ext import Application, CallbackQueryHandler, CommandHandler

from sandbox.testing import ADA, Sandbox


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextlib.asynccontextmanager
async def program(**environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox",
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def healthy(http: httpx.AsyncClient, url: str) -> None:
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(httpx.TransportError):
                assert (await http.get(f"{url}/sandbox/health")).json() == {"ok": True}
                return
            await asyncio.sleep(0.05)


async def test_it_says_where_it_is_and_stops_when_told_even_while_someone_listens():
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with program(SANDBOX_PORT=str(port)) as process, httpx.AsyncClient(timeout=20) as http:
        assert f"{url}/sandbox" in (await process.stdout.readline()).decode()
        await healthy(http, url)
        box = Sandbox(url, http)
        assert (await box.get("state"))["group"] == -1001000000001
        async with http.stream("GET", f"{url}/sandbox/stream"):
            polling = asyncio.create_task(http.post(f"{box.base_url}{box.token}/getUpdates", json={"timeout": 50}))
            await box.calls("getUpdates", timeout=0.1)
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 15) in (0, -15)
        await asyncio.wait([polling])
        assert polling.exception() or polling.result().json()["result"] == []


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"SANDBOX_PORT": "eighty"}, "SANDBOX_PORT must be a port number"),
        ({"SANDBOX_PORT": "0"}, "SANDBOX_PORT must be a port number"),
        ({"SANDBOX_TOKEN": "secret"}, "SANDBOX_TOKEN must look like"),
    ],
)
async def test_wrong_settings_are_explained(environment, words):
    async with program(**environment) as process:
        _, errors = await process.communicate()
        assert process.returncode == 1
        assert words in errors.decode()
        assert "Traceback" not in errors.decode()


async def test_an_application_polls_answers_and_survives_an_outage(box, bot):
    async def start(update: Update, _context):
        await update.message.reply_text("Welcome, " + update.message.text.removeprefix("/start "))

    async def pressed(update: Update, _context):
        await update.callback_query.answer("heard")

    application = (
        Application.builder()
        .token(box.token)
        .base_url(box.base_url)
        .base_file_url(box.base_file_url)
        .get_updates_read_timeout(15)
        .build()
    )
    application.add_handler(CommandHandler("start", start))
    application.add_handler(CallbackQueryHandler(pressed))
    async with application:
        await application.start()
        await application.updater.start_polling(timeout=10)
        await box.say(ADA, "/start one")
        await box.wait(ADA, "Welcome, one")
        await box.post("faults", method="getUpdates", times=1, code=502)
        await box.say(ADA, "/start two")
        await box.wait(ADA, "Welcome, two", within=20)
        await application.updater.stop()
        await application.stop()
    said = [m["text"] for m in await box.messages(ADA) if m["sandbox"]["from_bot"]]
    assert said == ["Welcome, one", "Welcome, two"]
