"""The application: routes of the Bot API, of the control API and of the live page."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox import bot_api, control, live
from sandbox.webhooks import Deliverer
from sandbox.world import World

STATIC = Path(__file__).parent / "static"


def create_app(world: World | None = None, middleware: Sequence[Middleware] = ()) -> Starlette:
    """The sandbox as an ASGI application, around a world of its own or a given one."""
    world = world or World()

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        deliverer = asyncio.create_task(Deliverer(world).run())
        try:
            yield
        finally:
            deliverer.cancel()
            await asyncio.gather(deliverer, return_exceptions=True)

    app = Starlette(
        lifespan=lifespan,
        middleware=middleware,
        routes=[
            Route("/bot{token}/{method}", bot_api.call_method, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", bot_api.download),
            *control.routes,
            *live.routes,
            Mount("/sandbox/static", StaticFiles(directory=STATIC)),
        ],
    )
    app.state.world = world
    return app
