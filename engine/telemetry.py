"""Where the time of a turn goes: what the engine tells the bot with each answer, and spans for OpenTelemetry.

The bot keeps the figures of all three processes (bot/telemetry.py). Spans carry ids, never a person's words.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, StatusCode

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


class Timing:
    """How long the parts of one request took, as its answer tells (https://www.w3.org/TR/server-timing/)."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure a part, with a span of its own."""
        began = time.perf_counter()
        try:
            with span(name):
                yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - began

    def __str__(self) -> str:
        """The header."""
        return ", ".join(f"{name};dur={seconds * 1000:.2f}" for name, seconds in self._seconds.items())


@contextmanager
def span(name: str, parent: Mapping[str, str] | None = None, **ids: str) -> Iterator[None]:
    """A span around a block. `parent` are the headers of a request that came in."""
    context = propagate.extract(parent) if parent is not None else None
    kind = SpanKind.SERVER if parent is not None else SpanKind.INTERNAL
    attributes = {f"waypoint.{key}": value for key, value in ids.items()}
    with _tracer.start_as_current_span(
        name, context, kind, attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except Exception as error:
            current.set_status(StatusCode.ERROR, type(error).__name__)
            raise


def outgoing_headers() -> dict[str, str]:
    """What a request to another process carries, so that its spans join ours; nothing while tracing is off."""
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers
