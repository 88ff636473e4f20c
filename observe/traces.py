"""Spans for OpenTelemetry, made only when OTEL_EXPORTER_OTLP_ENDPOINT says where to send them.

They carry ids and kinds; so an exception is named by its kind alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, StatusCode

_tracer = trace.get_tracer("waypoint")


def configure(service: str) -> None:
    """Send spans of this process to where OTEL_EXPORTER_OTLP_ENDPOINT says, if it does (the SDK's own variables)."""
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
def span(name: str, parent: Mapping[str, str] | None = None, /, **ids: str | None) -> Iterator[None]:
    """A span around a block. `parent` are the headers of a request that came in."""
    context = propagate.extract(parent) if parent is not None else None
    kind = SpanKind.SERVER if parent is not None else SpanKind.INTERNAL
    attributes = {f"waypoint.{key}": value for key, value in ids.items() if value}
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
