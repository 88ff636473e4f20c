"""The live page and the stream of changes that keeps it so."""

import functools
import json
from collections.abc import AsyncIterator
from pathlib import Path

import filetype
from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from sandbox.chats import Json
from sandbox.errors import ApiError
from sandbox.world import World

PAGE = Path(__file__).parent / "static" / "index.html"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self';"
    " connect-src 'self'; frame-src http://127.0.0.1:* http://localhost:*; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
KEEP_ALIVE = 15.0
SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp")
LARGEST_SHOWN = 1024 * 1024
"""Of a made-up file no more than this is given."""


async def page(_: Request) -> Response:
    """The page that shows a patient's phone beside the coordinators' group."""
    return FileResponse(PAGE, headers={"content-security-policy": POLICY, "referrer-policy": "no-referrer"})


async def stream(request: Request) -> Response:
    """Server-sent events: every change after Last-Event-ID (or `?after=`), as it happens."""
    world: World = request.app.state.world
    after = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    seen = int(after) if after.isdigit() else 0
    if world.events and world.events[0]["n"] > seen + 1 and seen:
        # What happened in between is forgotten: the page has to read everything anew.
        seen = world.events[-1]["n"]
        return EventSourceResponse(changes(world, seen, [{"n": seen, "kind": "reset"}]))
    return EventSourceResponse(changes(world, seen, []))


async def changes(world: World, seen: int, first: list[Json]) -> AsyncIterator[dict[str, str]]:
    """The events after number `seen`, for ever."""
    for event in first:
        yield {"id": str(event["n"]), "data": json.dumps(event, ensure_ascii=False)}
    while not world.bell.closed:
        for event in await world.bell.until(functools.partial(events_after, world, seen), KEEP_ALIVE) or []:
            seen = event["n"]
            yield {"id": str(seen), "data": json.dumps(event, ensure_ascii=False)}


async def file(request: Request) -> Response:
    """A file of the world, for the page: images to be shown, everything else only to be saved."""
    world: World = request.app.state.world
    try:
        stored = world.files.get(request.path_params["file_id"])
    except ApiError as error:
        return JSONResponse({"error": error.description}, 404)
    content = stored.content if stored.content is not None else bytes(min(stored.size, LARGEST_SHOWN))
    found = filetype.guess(content)
    image = found is not None and found.mime in SHOWN
    headers = {
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'",
        "content-disposition": "inline" if image else "attachment",
    }
    return Response(content, media_type=found.mime if image else "application/octet-stream", headers=headers)


def events_after(world: World, seen: int) -> list[Json] | None:
    """The events after number `seen`; None when there are none."""
    return [event for event in world.events if event["n"] > seen] or None


routes = [
    Route("/sandbox", page),
    Route("/sandbox/", page),
    Route("/sandbox/stream", stream),
    Route("/sandbox/files/{file_id}", file),
]
