"""The engine's private routes: /turn and /parse for whoever knows the shared secret, /health and /ready for probes."""

from __future__ import annotations

import hmac
import logging
from asyncio import AbstractEventLoop
from typing import Any

from sanic import Request, Sanic
from sanic.response import HTTPResponse, json

from engine.actions import ActionFailed, Actions
from engine.dialogue import MAX_TEXT, Dialogue, Unknown
from engine.timing import Timing
from observe.logs import about
from observe.traces import span

logger = logging.getLogger(__name__)

OPEN = ("/health", "/ready")
LARGEST_BODY = 64 * 1024
LONGEST_ID = 64
IDLE_SECONDS = 75  # the bot's client lets go after 5; whoever is asked must not let go first


def create(dialogue: Dialogue, actions: Actions, secret: str) -> Sanic:
    """A Sanic app around a loaded model."""
    app = Sanic("waypoint-engine", configure_logging=False)
    app.config.REQUEST_MAX_SIZE = LARGEST_BODY
    app.config.ACCESS_LOG = False
    app.config.KEEP_ALIVE_TIMEOUT = IDLE_SECONDS
    expected = f"Bearer {secret}".encode()

    @app.middleware("request")
    async def authenticate(request: Request) -> HTTPResponse | None:
        given = request.headers.get("authorization", "").encode()
        if request.path not in OPEN and not hmac.compare_digest(given, expected):
            return json({"error": "The shared secret is missing or wrong."}, status=401)
        return None

    @app.get("/health")
    async def health(request: Request) -> HTTPResponse:
        return json({"status": "ok"})

    @app.get("/ready")
    async def ready(request: Request) -> HTTPResponse:
        reachable = await actions.reachable()
        return json({"model": True, "actions": reachable}, status=200 if reachable else 503)

    @app.post("/turn")
    async def turn(request: Request) -> HTTPResponse:
        body = _body(request)
        case, number = _text(body, "case", LONGEST_ID), _text(body, "turn", LONGEST_ID)
        expects = "words" if body.get("expects") == "words" else ""
        parse, timing = body.get("parse"), Timing()
        with about(turn=number, case=case), span("engine", request.headers, turn=number, case=case):
            if parse is None:
                text = _text(body, "text", MAX_TEXT)
                answer = await dialogue.turn(case, number, text=text, expects=expects, timing=timing)
            elif isinstance(parse, dict):
                answer = await dialogue.turn(case, number, parse=parse, timing=timing)
            else:
                raise Unknown("`parse` is an object with `intent` and `entities`.")
        said = {"turn": number, "says": answer.says, "intent": answer.intent}
        return json(said, headers={"Server-Timing": str(timing)})

    @app.post("/parse")
    async def parse(request: Request) -> HTTPResponse:
        return json(await dialogue.parse(_text(_body(request), "text", MAX_TEXT)))

    @app.exception(Unknown)
    async def refuse(request: Request, error: Unknown) -> HTTPResponse:
        return json({"error": str(error)}, status=400)

    @app.exception(ActionFailed)
    async def failed(request: Request, error: ActionFailed) -> HTTPResponse:
        logger.warning("a turn waits: %s", error)
        return json({"error": "action_failed", "reason": str(error)}, status=503)

    @app.listener("after_server_stop")
    async def close(app: Sanic, loop: AbstractEventLoop) -> None:
        await actions.close()

    return app


def _body(request: Request) -> dict[str, Any]:
    try:
        body = request.json
    except Exception:  # Sanic's own error would quote the body
        raise Unknown("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise Unknown("The body is a JSON object.")
    return body


def _text(body: dict[str, Any], name: str, limit: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value or len(value) > limit:
        raise Unknown(f"`{name}` is a text of 1 to {limit} characters.")
    return value
