"""Is the process up, can it do its work, and how much does it do: /healthz, /readyz, /metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Check = Callable[[], Awaitable[bool]]
CHECK_SECONDS = 3


def create_routes(checks: dict[str, Check]) -> list[Route]:
    """Routes for probes. Each part is checked by its own function and named in the answer."""

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(request: Request) -> Response:
        results = dict(zip(checks, await asyncio.gather(*map(_holds, checks.values())), strict=True))
        ready = all(results.values())
        return JSONResponse(
            {"ready": ready, **{name: "ok" if good else "away" for name, good in results.items()}},
            status_code=200 if ready else 503,
        )

    async def metrics(request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


async def _holds(check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except Exception:  # whatever the fault, the part is away
        return False
