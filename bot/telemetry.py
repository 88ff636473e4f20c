"""Where the time of a turn goes: a histogram by stage for Prometheus, and spans for OpenTelemetry.

Spans are made only when OTEL_EXPORTER_OTLP_ENDPOINT says where to send them (the SDK's own
variables). They carry ids and kinds, never a person's words; so an exception is named by its kind alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from prometheus_client import Histogram

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)
# inbox_wait: from when a message was stored to when it is taken. engine: asking it, with all below. understanding and
# actions: as the engine measured them. turn: from when it was taken to its answer. outbox_wait, send: of what goes out.
STAGES = ("inbox_wait", "engine", "understanding", "actions", "turn", "outbox_wait", "send")
STAGE = Histogram("waypoint_stage_seconds", "Time of a stage on a message's way", ["stage"], buckets=SECONDS)
for _stage in STAGES:
    STAGE.labels(_stage)  # so that a dashboard shows it from the start

_tracer = trace.get_tracer("waypoint")


def configure(service: str) -> None:
    """Send spans of this process to where OTEL_EXPORTER_OTLP_ENDPOINT says, if it does."""
    if not (os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")):
        return
    # Only then: they take memory and time to import.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


@contextmanager
def span(name: str, parent: Mapping[str, str] | None = None, /, **ids: str | None) -> Iterator[Span]:
    """A span around a block. `parent` are the headers of a request that came in."""
    context = propagate.extract(parent) if parent is not None else None
    kind = SpanKind.SERVER if parent is not None else SpanKind.INTERNAL
    attributes = {f"waypoint.{key}": value for key, value in ids.items() if value}
    with _tracer.start_as_current_span(
        name, context, kind, attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except Exception as error:
            current.set_status(StatusCode.ERROR, type(error).__name__)
            raise


@contextmanager
def stage(name: str, **ids: str | None) -> Iterator[None]:
    """A span, whose time is also counted under STAGES."""
    began = time.perf_counter()
    try:
        with span(name, **ids):
            yield
    finally:
        STAGE.labels(name).observe(time.perf_counter() - began)


def took(name: str, seconds: float) -> None:
    """Count the time of a stage that was measured elsewhere."""
    STAGE.labels(name).observe(max(0.0, seconds))


def outgoing_headers() -> dict[str, str]:
    """What a request to another process carries, so that its spans join ours; nothing while tracing is off."""
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers


def took_by(server_timing: str) -> None:
    """Count what a peer measured, as its Server-Timing says: `understanding;dur=3.1, actions;dur=4.2` (milliseconds).

    https://www.w3.org/TR/server-timing/. What is no stage of ours or no number is passed over.
    """
    for entry in server_timing[:200].split(","):
        name, _, milliseconds = entry.strip().partition(";dur=")
        if name in STAGES and milliseconds.replace(".", "", 1).isdecimal():
            took(name, float(milliseconds) / 1000)
