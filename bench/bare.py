"""`python -m bench.bare PORT FILE`: the least that could be done for a message: Starlette, and one row committed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator

import aiosqlite
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def create(path: str) -> Starlette:
    """The app, with a SQLite file that is as durable as ours (bot/database.py)."""
    connection: list[aiosqlite.Connection] = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with aiosqlite.connect(path, isolation_level=None) as database:
            for statement in (
                "PRAGMA journal_mode=WAL",
                "PRAGMA synchronous=FULL",
                "CREATE TABLE messages (id INTEGER PRIMARY KEY, text TEXT)",
            ):
                await database.execute(statement)
            connection.append(database)
            yield

    async def echo(request: Request) -> Response:
        body = await request.json()
        await connection[0].execute("INSERT INTO messages (text) VALUES (?)", (body["text"],))
        return JSONResponse(body)

    async def health(request: Request) -> Response:
        return JSONResponse({})

    return Starlette(routes=[Route("/echo", echo, methods=["POST"]), Route("/health", health)], lifespan=lifespan)


if __name__ == "__main__":
    uvicorn.run(create(sys.argv[2]), port=int(sys.argv[1]), log_config=None, access_log=False)
