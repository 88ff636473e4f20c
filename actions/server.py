"""The action server: the SDK's executor behind a shared secret.

The SDK's own server has no authentication, listens on every address and sends a failed request's body into the log;
what is used of it is the part that speaks the protocol.
"""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Callable

from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from actions.turns import TurnAction
from bot.casework import Casework
from bot.journey import DECISIONS
from observe.traces import span

log = logging.getLogger(__name__)
LARGEST_CALL = 1_000_000  # bytes; a turn is a few kilobytes


def create(casework: Casework, secret: str, stopping: Callable[[], bool] = lambda: False) -> Starlette:
    """An app that runs actions for whoever knows the secret (`POST /webhook`), and says whether it is to be used."""
    executor = ActionExecutor()
    for decision in DECISIONS:
        executor.register_action(TurnAction(decision, casework))
    expected = f"Bearer {secret}".encode()

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "stopping"}, 503) if stopping() else JSONResponse({"status": "ok"})

    async def webhook(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), expected):
            return JSONResponse({"error": "The shared secret is missing or wrong."}, status_code=401)
        body = b""
        async for part in request.stream():  # what a sender says of the length counts for nothing
            body += part
            if len(body) > LARGEST_CALL:
                return JSONResponse({"error": "The call is too large."}, status_code=413)
        try:
            call = json.loads(body)
        except ValueError:
            return JSONResponse({"error": "The call is not JSON."}, status_code=400)
        try:
            with span("actions", request.headers):
                result = await executor.run(call)
        except (ActionNotFoundException, ActionExecutionRejection) as error:
            return JSONResponse({"error": error.message, "action_name": error.action_name}, status_code=400)
        except Exception as error:  # the call holds a person's words: only the kind of fault is logged and returned
            log.exception("an action failed")
            return JSONResponse({"error": type(error).__name__}, status_code=500)
        return JSONResponse(result.model_dump() if result else None)

    return Starlette(routes=[Route("/health", health), Route("/webhook", webhook, methods=["POST"])])
