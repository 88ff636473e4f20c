"""`python -m bench.nothing <port>`: an action server that answers at once, to measure the engine alone."""

from __future__ import annotations

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SAID = {"events": [], "responses": [{"custom": {"say": "bench.answer", "args": {}}}]}


async def act(request: Request) -> Response:
    """Read the whole call, as a real action would, and say one id."""
    await request.json()
    return JSONResponse(SAID)


async def health(request: Request) -> Response:
    """It is up."""
    return JSONResponse({"status": "ok"})


app = Starlette(routes=[Route("/health", health), Route("/webhook", act, methods=["POST"])])

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
