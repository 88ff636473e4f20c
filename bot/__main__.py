"""`python -m bot`: the composition root of everything that faces people. The only place where things are wired."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import telegram
import uvicorn
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from bot import database, health
from bot.casework import Casework
from bot.casework.base import only_members
from bot.channels import updates, web
from bot.channels.bot_api import Members, client
from bot.channels.prompt import PromptProtocol
from bot.channels.sender import TelegramSender
from bot.dispatch import Dispatcher
from bot.engine import Engine
from bot.gateway import Gateway
from bot.guide import Guide
from bot.keyring import Keyring
from bot.log import configure
from bot.peers import Alone, Peers, PostgresPeers, running
from bot.sealing import BadKey
from bot.settings import Settings, SettingsError, load
from bot.stopping import CONNECTIONS_SECONDS, SENDS_SECONDS, TURNS_SECONDS, Server, Stopping
from bot.sweep import Sweeper
from bot.tripwire import TripwireMissing, tripwire
from bot.wake import Wake
from bot.watch import Watcher
from observe import traces


def create_app(settings: Settings, stopping: Stopping) -> Starlette:
    """The whole bot process as one app; its loops live as long as it does."""
    db = database.connect(settings.database_url)
    bot = client(settings)
    casework = Casework(
        database.sessions(db, Keyring(settings.data_keys)),
        Guide.load(),
        public_url=settings.address,
        hours=settings.hours,
        keep=settings.keep,
        messages_per_minute=settings.messages_per_minute,
        membership=Members(bot).membership if bot is not None else only_members,
    )
    wake = Wake()
    others = _others(settings.database_url, wake)
    engine = Engine(settings.engines, settings.engine_secret.get_secret_value(), settings.engine_timeout)
    gateway = Gateway(casework, engine, wake, others)
    # Without a bot the dispatcher still removes the files of what was erased.
    dispatcher = Dispatcher(casework, TelegramSender(bot, casework, settings), wake)

    async def database_answers() -> bool:
        async with db.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return True

    checks: dict[str, health.Check] = {"database": database_answers, "engine": engine.ready, "actions": engine.acts}
    routes: list[BaseRoute] = [*web.create_routes(casework, wake, settings)]
    if bot is not None:
        checks["telegram"] = _reaches(bot)
        routes += updates.webhook_routes(bot, casework, wake, settings)

    def led() -> list[Coroutine[Any, Any, None]]:
        """What only one process does: Telegram's limits are of the bot, and its updates come in one order."""
        loops = [dispatcher.run(), Watcher(casework, wake).run(), Sweeper(casework, settings.files_dir).run()]
        if bot is not None:
            # It greets Telegram, for as long as that is away, and then polls unless a webhook is set.
            loops.append(updates.Poller(bot, casework, wake, settings).run())
        return loops

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with running(lambda: [others.run()]), running(lambda: [others.lead(led)]):
            async with running(lambda: [gateway.run(), gateway.attend()]):
                yield
                wake.close()
            await _within(TURNS_SECONDS, gateway.idle())  # finish the turns in hand,
            if others.leads:
                await _within(SENDS_SECONDS, dispatcher.drain())  # and send what they said
        await engine.close()
        if bot is not None:
            await bot.shutdown()
        await db.dispose()

    probes = health.create_routes(checks, casework.figures_now, lambda: stopping.begun)
    app = Starlette(routes=[*probes, *routes], lifespan=lifespan)
    app.state.wake = wake
    return app


def _others(url: str, wake: Wake) -> Peers:
    """The other bot processes on the database; a SQLite file has none."""
    if url.startswith("sqlite"):
        return Alone()
    address, secrets = database.for_libpq(url)
    return PostgresPeers(address, secrets.get("PGPASSWORD"), wake)


async def _within(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    """Wait for something, but not for ever: what is not done then is done by whoever comes next."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(work, seconds)


def _reaches(bot: telegram.Bot) -> health.Check:
    async def check() -> bool:
        await bot.get_me()
        return True

    return check


async def serve(settings: Settings) -> None:
    """Migrate, then serve until told to stop."""
    await database.upgrade(settings.database_url, Keyring(settings.data_keys))
    settings.files_dir.mkdir(parents=True, exist_ok=True)
    stopping = Stopping()
    app = create_app(settings, stopping)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=PromptProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=CONNECTIONS_SECONDS,
        server_header=False,
    )
    await Server(config, stopping, notice=settings.stop_notice_seconds, last=app.state.wake.close).serve()


def main() -> int:
    """Run the process. A wrong setting ends it with a sentence, not a traceback."""
    configure()
    logging.captureWarnings(True)
    traces.configure("waypoint-bot")
    try:
        tripwire()  # fail at the start, not at the first message
        asyncio.run(serve(load(require=("secret_key", "engine_secret"))))
    except (SettingsError, TripwireMissing, database.StoreError, BadKey) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
