"""Where the time of a turn goes: a histogram by stage for Prometheus, and a span for each (observe/traces.py)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Histogram

from observe.traces import span

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)
# inbox_wait: from when a message was stored to when it is taken. engine: asking it, with all below. understanding and
# actions: as the engine measured them. turn: from when it was taken to its answer. outbox_wait, send: of what goes out.
STAGES = ("inbox_wait", "engine", "understanding", "actions", "turn", "outbox_wait", "send")
STAGE = Histogram("waypoint_stage_seconds", "Time of a stage on a message's way", ["stage"], buckets=SECONDS)
for _stage in STAGES:
    STAGE.labels(_stage)  # so that a dashboard shows it from the start


@contextmanager
def stage(name: str, **ids: str | None) -> Iterator[None]:
    """A span, whose time is also counted under STAGES."""
    began = time.perf_counter()
    try:
        with span(name, **ids):
            yield
    finally:
        took(name, time.perf_counter() - began)


def took(name: str, seconds: float) -> None:
    """Count the time of a stage that was measured elsewhere."""
    STAGE.labels(name).observe(max(0.0, seconds))


def took_by(server_timing: str) -> None:
    """Count what a peer measured, as its Server-Timing says: `understanding;dur=3.1, actions;dur=4.2` (milliseconds).

    https://www.w3.org/TR/server-timing/. What is no stage of ours or no number is passed over.
    """
    for entry in server_timing[:200].split(","):
        name, _, milliseconds = entry.strip().partition(";dur=")
        if name in STAGES and milliseconds.replace(".", "", 1).isdecimal():
            took(name, float(milliseconds) / 1000)
