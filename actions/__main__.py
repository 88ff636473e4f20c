"""`python -m actions`: the composition root of the actions process."""

from __future__ import annotations

import asyncio
import logging
import sys

import uvicorn

from actions.server import create
from bot import database
from bot.casework import Casework
from bot.guide import Guide
from bot.keyring import Keyring
from bot.log import configure
from bot.sealing import BadKey
from bot.settings import Settings, SettingsError, load
from bot.stopping import Server, Stopping
from observe import traces

# A connection that we closed first, just as the engine used it again, would cost a turn a second try.
IDLE_SECONDS = 75  # the engine's client lets go after 15


async def serve(settings: Settings) -> None:
    """Migrate, load the guide, and serve until told to stop."""
    keys = Keyring(settings.data_keys)
    await database.upgrade(settings.database_url, keys)
    engine = database.connect(settings.database_url)
    casework = Casework(
        database.sessions(engine, keys),
        Guide.load(),
        public_url=settings.address,
        hours=settings.hours,
        keep=settings.keep,
    )
    stopping = Stopping()
    app = create(casework, settings.actions_secret.get_secret_value(), lambda: stopping.begun)
    config = uvicorn.Config(
        app,
        host=settings.actions_host,
        port=settings.actions_port,
        timeout_keep_alive=IDLE_SECONDS,
        log_config=None,
        access_log=False,
    )
    try:
        await Server(config, stopping, notice=settings.stop_notice_seconds).serve()  # actions in hand are finished
    finally:
        await engine.dispose()


def main() -> int:
    """Run the process. A wrong setting ends it with a sentence, not a traceback."""
    configure()
    traces.configure("waypoint-actions")
    try:
        asyncio.run(serve(load(require=("actions_secret",))))
    except (SettingsError, database.StoreError, BadKey) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    logging.captureWarnings(True)
    sys.exit(main())
