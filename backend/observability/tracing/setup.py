"""Start of tracing: wires the recorder, the collector and what is watched for an application."""

from __future__ import annotations

from urllib.parse import unquote

from flask import Flask
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Tracer, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased

from backend.extensions import db
from backend.observability.flushing import flush_at_end
from backend.observability.logging import name_traces
from backend.observability.metrics.exemplars import exemplar_storage, exemplars_dir
from backend.observability.metrics.requests import observe_responses
from backend.observability.tracing.database import StatementSpans
from backend.observability.tracing.otlp import OtlpSender
from backend.observability.tracing.recorder import OpenTelemetryRecorder, current_trace_id
from backend.observability.tracing.redis_calls import RedisSpans
from backend.observability.tracing.requests import TracedRequests, describe_response
from backend.observability.tracing.span_buffer import SpanBuffer
from backend.redis.resilient import ResilientRedis
from backend.spans import record_spans
from config import VERSION, Settings

FLUSH = "traces"


def start_tracing(app: Flask, settings: Settings) -> None:
    """Record spans of this process and its forks. Starts no thread and connects to nothing."""
    buffer = SpanBuffer(OtlpSender(settings.OTEL_EXPORTER_OTLP_ENDPOINT, headers_of(settings)).send)
    tracer = tracer_of(settings, buffer)
    record_spans(OpenTelemetryRecorder(tracer))
    name_traces(current_trace_id)
    flush_at_end(FLUSH, buffer.flush)
    observe_responses(describe_response)
    exemplar_storage.use(exemplars_dir(settings.metrics_dir))
    with app.app_context():
        StatementSpans(tracer).watch(db.engine)
    gate: ResilientRedis = app.extensions["resilient_redis"]
    RedisSpans(tracer).watch(gate)
    app.wsgi_app = TracedRequests(app.wsgi_app, tracer)  # type: ignore[method-assign]


def stop_tracing() -> None:
    """Send what is buffered, and record nothing more; an application that is watched stays so, without effect."""
    record_spans(None)
    name_traces(None)
    observe_responses(None)
    flush_at_end(FLUSH, None)
    exemplar_storage.use(None)


def sampler_of(settings: Settings) -> Sampler:
    """Return the sampler that the standard variables name."""
    name, parent_based = settings.OTEL_TRACES_SAMPLER, "parentbased_"
    roots: dict[str, Sampler] = {
        "always_on": ALWAYS_ON,
        "always_off": ALWAYS_OFF,
        "traceidratio": TraceIdRatioBased(settings.OTEL_TRACES_SAMPLER_ARG),
    }
    root = roots[name.removeprefix(parent_based)]
    return ParentBased(root) if name.startswith(parent_based) else root


def headers_of(settings: Settings) -> dict[str, str]:
    """Return the header fields for the collector: pairs of name and value, percent-encoded."""
    pairs = settings.OTEL_EXPORTER_OTLP_HEADERS.get_secret_value().split(",")
    named = (pair.partition("=") for pair in pairs if pair.strip())
    return {name.strip().lower(): unquote(value.strip()) for name, _, value in named}


def tracer_of(settings: Settings, buffer: SpanBuffer) -> Tracer:
    """Return the tracer of this process, whose spans a buffer takes."""
    attributes = {
        "service.name": settings.OTEL_SERVICE_NAME,
        "service.version": settings.GIT_REVISION or VERSION,
        "deployment.environment.name": settings.ENVIRONMENT,
    }
    # Past `Resource.create`, which would read the environment.
    provider = TracerProvider(sampler=sampler_of(settings), resource=Resource(attributes), shutdown_on_exit=False)
    provider.add_span_processor(buffer)
    tracer = provider.get_tracer("fuze", VERSION)
    assert isinstance(tracer, Tracer)
    return tracer
