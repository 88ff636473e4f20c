"""The Bot API's side of the server: /bot<token>/<method> and /file/bot<token>/<path>."""

import asyncio
import hmac
import re
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

import sandbox.methods  # noqa: F401  (fills the table of methods)
from sandbox.errors import ApiError
from sandbox.faults import Fault
from sandbox.params import Params, read_params
from sandbox.registry import METHODS, Call
from sandbox.server import drop_connection
from sandbox.world import World

TOKEN = re.compile(r"\d{1,20}:[\w-]+")
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
CHUNK = 64 * 1024


def check_token(world: World, token: str) -> None:
    """Refuse a token as the Bot API does: 404 when it is none, 401 when it is not this bot's."""
    if not TOKEN.fullmatch(token):
        raise ApiError(404, "Not Found")
    if not hmac.compare_digest(token.encode(), world.token.encode()):
        raise ApiError(401, "Unauthorized")


async def call_method(request: Request) -> Response:
    """Answer one call: check the token, meet the faults that are ordered, run the method, note the call."""
    world: World = request.app.state.world
    name, at = request.path_params["method"], world.clock.now()
    params, fault = Params({}), None
    status, body = 200, dict[str, object]()
    try:
        check_token(world, request.path_params["token"])
        name, function = METHODS.get(name.lower(), (name, None))
        params = await read_params(request)
        fault = world.faults.take(name, int_or_zero(params.values.get("chat_id")))
        if fault:
            await asyncio.sleep(fault.delay)
        if fault and fault.answer != "normal" and fault.when == "before":
            status, body = failing(fault)
        elif function is None:
            raise ApiError(404, f"Not Found: method not found: the sandbox does not implement {name}")
        else:
            body = {"ok": True, "result": await function(Call(world, params, request))}
            if fault and fault.answer != "normal":
                status, body = failing(fault)
    except ApiError as error:
        status, body = error.code, error.body()
    answer = fault.answer if fault and fault.answer in ("drop", "hang") else body
    world.calls.add(name, params.loggable(), at, status, answer, fault.number if fault else None)
    if fault and fault.answer == "hang":
        await hung_up(request)
    if fault and fault.answer in ("drop", "hang"):
        return await drop_connection(request)
    if fault and fault.answer == "error" and status == 502:
        return HTMLResponse(BAD_GATEWAY, 502)
    return JSONResponse(body, status)


def failing(fault: Fault) -> tuple[int, dict[str, object]]:
    """Status and body of a fault's answer."""
    return fault.code, fault.body()


async def hung_up(request: Request) -> None:
    """Return when the client has given up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def int_or_zero(value: object) -> int:
    """A chat id for choosing a fault; anything that is none matches no chat."""
    try:
        return int(str(value))
    except ValueError:
        return 0


async def download(request: Request) -> Response:
    """The bytes of a file under a path that getFile gave."""
    world: World = request.app.state.world
    try:
        check_token(world, request.path_params["token"])
    except ApiError as error:
        return JSONResponse(error.body(), error.code)
    stored = world.files.at_path(request.path_params["path"], world.clock.now())
    if stored is None:
        return JSONResponse(ApiError(404, "Not Found").body(), 404)
    if stored.content is not None:
        return Response(stored.content, media_type="application/octet-stream")

    async def zeros() -> AsyncIterator[bytes]:
        for start in range(0, stored.size, CHUNK):
            yield bytes(min(CHUNK, stored.size - start))

    return StreamingResponse(
        zeros(), media_type="application/octet-stream", headers={"content-length": str(stored.size)}
    )
