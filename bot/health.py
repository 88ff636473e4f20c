"""Is the process up, can it do its work, and how much does it do: /healthz, /readyz, /metrics."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.casework.figures import Figures

log = logging.getLogger(__name__)

PROXIES = ("x-forwarded-for", "forwarded", "x-real-ip", "via")  # headers that a proxy adds

Check = Callable[[], Awaitable[bool]]
CHECK_SECONDS = 3

CASES = Gauge("waypoint_desk_cases", "Cases now, by state", ["state"])
LATE = Gauge("waypoint_desk_cases_late", "Open cases whose answer is overdue now")
UNDELIVERED = Gauge("waypoint_undelivered", "Outgoing messages that were given up")
FIRST_ANSWER = Gauge(
    "waypoint_desk_first_answer_seconds",
    "Waiting time to the first human answer, last 7 days, by when the wait began",
    ["hours", "quantile"],
)
FIRST_ANSWERS = Gauge("waypoint_desk_first_answers", "First human answers, last 7 days", ["hours"])
REOPENED = Gauge("waypoint_desk_reopened_ratio", "Cases opened again, of those closed, last 7 days")
SATISFACTION = Gauge("waypoint_desk_satisfaction_mean", "Mean of the answers from 1 to 5, last 7 days; 0 without any")
SATISFACTIONS = Gauge("waypoint_desk_satisfaction_answers", "Answers about satisfaction, last 7 days")


def show(figures: Figures) -> None:
    """Put the desk's figures where /metrics reads them."""
    for state, count in figures.states.items():
        CASES.labels(state).set(count)
    LATE.set(figures.late)
    UNDELIVERED.set(figures.undelivered)
    for hours, waits in (("in", figures.first), ("outside", figures.first_outside)):
        FIRST_ANSWERS.labels(hours).set(waits.count)
        FIRST_ANSWER.labels(hours, "0.5").set(waits.median)
        FIRST_ANSWER.labels(hours, "0.9").set(waits.p90)
    REOPENED.set(figures.reopen_rate)
    answers, mean = figures.satisfaction
    SATISFACTIONS.set(answers)
    SATISFACTION.set(mean)


def create_routes(
    checks: dict[str, Check], figures: Callable[[], Awaitable[Figures]], stopping: Callable[[], bool]
) -> list[Route]:
    """Routes for probes. Each part is checked by its own function and named in the answer; `figures` are the desk's.

    A process that is `stopping` is up and works, but nobody is to be sent to it any more.
    """

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(request: Request) -> Response:
        if stopping():
            return JSONResponse({"ready": False, "stopping": True}, status_code=503)
        results = dict(zip(checks, await asyncio.gather(*map(_holds, checks.values())), strict=True))
        ready = all(results.values())
        return JSONResponse(
            {"ready": ready, **{name: "ok" if good else "away" for name, good in results.items()}},
            status_code=200 if ready else 503,
        )

    async def metrics(request: Request) -> Response:
        if any(name in request.headers for name in PROXIES):  # it came through a proxy, and so from outside
            return Response(status_code=404)
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                show(await figures())
        except Exception as error:  # the database may be away for a moment; all other figures are still true
            log.warning("the desk's figures could not be read: %s", type(error).__name__)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


async def _holds(check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except Exception:  # whatever the fault, the part is away
        return False
