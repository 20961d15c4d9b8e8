"""Traces: one for each request, into its jobs and back, without a secret in it (docs/tracing.md)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from flask import Flask
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from pydantic import SecretStr

from backend.app import create_app
from backend.capture.fetch import FetchPolicy, fetch_page
from backend.capture.turns import ClaimLimits, claim_next
from backend.jobs.message_fields import read_origin
from backend.jobs.queue import rq_queue
from backend.jobs.worker import make_worker
from backend.observability.flushing import flush_telemetry
from backend.observability.logging import configure_logging
from backend.observability.tracing.database import shown_statement
from backend.observability.tracing.redis_calls import name_of
from backend.observability.tracing.setup import stop_tracing, tracer_of
from backend.observability.tracing.span_buffer import SpanBuffer
from backend.outbound.deadline import Deadline
from backend.outbound.exchange import NetworkPolicy, post_json
from backend.outbound.failures import FetchError
from backend.redis.client import redis_client
from backend.redis.connections import pack
from backend.spans import child_span, continued_span, current_traceparent
from config import Settings
from tests.support.api import Api
from tests.support.factories import make_person
from tests.support.llm_server import running as running_llm
from tests.support.logged import logged
from tests.support.processes import free_port
from tests.support.receivers import Receiver, attributes_of, receiving

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
OPEN_METRICS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
SERVER, CLIENT, CONSUMER = 2, 3, 5


@pytest.fixture(scope="module")
def collector() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def tracing(settings: Settings, endpoint: str, **more: Any) -> Flask:
    changes = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_HEADERS": SecretStr("x-key=a%20key"),
        **more,
    }
    return create_app(settings.model_copy(update=changes))


@pytest.fixture
def traced(app: Flask, collector: Receiver, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """An application whose traces this process collects."""
    monkeypatch.setattr("backend.app.track_app", lambda app: None)
    yield tracing(settings, collector.url)
    flush_telemetry()
    stop_tracing()
    configure_logging(settings)
    collector.posted.clear()
    collector.status = 200


@pytest.fixture
def eve(traced: Flask, collector: Receiver) -> Api:
    person = make_person(traced, "eve")
    flush_telemetry()
    collector.posted.clear()
    return person


def test_a_request_is_a_span_with_its_statements_and_calls_as_children(eve: Api, collector: Receiver) -> None:
    response = eve.post("/projects", {"name": "Garden"}, headers={"traceparent": TRACEPARENT})
    assert response.status_code == 201
    flush_telemetry()
    span = collector.span("POST /api/v1/projects")
    assert (span.trace_id.hex(), span.parent_span_id.hex(), span.kind) == (TRACE, "b7ad6b7169203331", SERVER)
    assert attributes_of(span) == {
        "http.request.method": "POST",
        "http.route": "/api/v1/projects",
        "http.response.status_code": 201,
        "url.scheme": "http",
        "fuze.request_id": response.headers["X-Request-ID"],
    }
    children = collector.children_of(span)
    assert {"INSERT", "EVALSHA"} <= {child.name for child in children}
    assert {child.kind for child in children} == {CLIENT}
    [inserted] = [
        child for child in children if "INSERT INTO projects" in attributes_of(child).get("db.query.text", "")
    ]
    assert attributes_of(inserted)["db.system.name"] == "postgresql"
    [request] = collector.requests
    named = {pair.key: pair.value.string_value for pair in request.resource_spans[0].resource.attributes}
    assert (named["service.name"], named["deployment.environment.name"]) == ("fuze", "testing")
    [(path, headers, _)] = collector.posted
    assert (path, headers["content-type"], headers["x-key"]) == ("/v1/traces", "application/x-protobuf", "a key")


def test_a_cached_response_is_a_span_with_its_route_and_one_call(eve: Api, collector: Receiver) -> None:
    eve.get("/bookmarks", sort="-created_at")
    flush_telemetry()
    collector.posted.clear()
    assert eve.get("/bookmarks", sort="-created_at").status_code == 200
    flush_telemetry()
    span = collector.span("GET /api/v1/bookmarks")
    assert [child.name for child in collector.children_of(span)] == ["EVALSHA"]
    assert attributes_of(span)["http.response.status_code"] == 200


def test_a_route_is_a_template_and_nothing_that_callers_send_is_told(eve: Api, collector: Receiver) -> None:
    saved = eve.save("https://example.org/a?key=of-the-link", title="a private title")
    eve.get(f"/bookmarks/{saved['id']}")
    eve.get("/search", q="a private question", mode="text")
    eve.get("/no/such/path")
    eve.request("BREW", "/bookmarks")
    account = {"email": "mail@example.org", "username": "new-name", "password": "correct horse battery"}
    eve.post("/auth/register?access_token=in-the-query", account)
    flush_telemetry()
    names = [span.name for span in collector.spans]
    assert {"GET /api/v1/bookmarks/<id:bookmark_id>", "GET /api/v1/search", "GET", "_OTHER"} <= set(names)
    for told in (
        *("of-the-link", "private", "mail@example", "new-name", "correct horse", "in-the-query"),
        *("no/such", "BREW", str(eve.token), "example.org"),
    ):
        assert told not in collector.raw, told


def test_probes_have_no_traces(traced: Flask, collector: Receiver) -> None:
    client = traced.test_client()
    assert client.get("/api/health/live").status_code == client.get("/metrics").status_code == 200
    flush_telemetry()
    assert collector.spans == []


def test_a_job_is_a_child_of_the_request_in_a_process_of_its_own(eve: Api, traced: Flask, collector: Receiver) -> None:
    response = eve.post("/profile/export")
    assert response.status_code == 202
    with traced.app_context():
        make_worker().work(burst=True, logging_level="WARNING")
    request = collector.span("POST /api/v1/profile/export")
    job = collector.span("profile.run_export")
    assert (job.trace_id, job.parent_span_id, job.kind) == (request.trace_id, request.span_id, CONSUMER)
    assert attributes_of(job)["fuze.request_id"] == response.headers["X-Request-ID"]
    durable = collector.span("job personal_export")
    assert durable.parent_span_id == job.span_id
    assert attributes_of(durable)["fuze.outcome"] == "succeeded"
    assert {"SELECT", "UPDATE"} <= {span.name for span in collector.children_of(durable)}


def test_the_steps_of_a_capture_belong_to_the_request_that_saved_the_link(
    eve: Api, traced: Flask, collector: Receiver
) -> None:
    eve.post("/bookmarks", {"url": "https://example.org/a"}, headers={"traceparent": TRACEPARENT})
    with traced.app_context():
        [claim] = claim_next(ClaimLimits(1, 1, 1, 1), here={}, busy=[], after=0)
    with claim.step("fetch"):
        pass
    flush_telemetry()
    step = collector.span("capture fetch")
    assert (step.trace_id.hex(), step.parent_span_id) == (TRACE, collector.span("POST /api/v1/bookmarks").span_id)
    assert attributes_of(step)["fuze.bookmark_id"] == claim.bookmark_id


@pytest.mark.parametrize("value", [f"{TRACEPARENT}\n", "00-xyz", 7, None, f"01-{TRACE}-b7ad6b7169203331-01"])
def test_what_a_message_says_of_its_trace_is_checked(value: object) -> None:
    meta = json.dumps({"request_id": "r", "traceparent": value}).encode()
    assert read_origin(meta).fields == {"request_id": "r"}


def test_without_traces_a_message_names_none(app: Flask, ada: Api) -> None:
    ada.post("/profile/export")
    with app.app_context():
        [message_id] = rq_queue("bulk").get_job_ids()
        [meta] = redis_client().hmget(f"rq:job:{message_id}", "meta")
    assert set(json.loads(meta or b"")) == {"request_id"}


def test_a_fault_is_told_by_its_kind_alone(traced: Flask, collector: Receiver) -> None:
    def leak() -> None:
        raise RuntimeError("a private text")

    traced.add_url_rule("/leak", view_func=leak)
    assert traced.test_client().get("/leak").status_code == 500
    with pytest.raises(KeyError), continued_span("a job", "consumer", {}, ""), child_span("a step"):
        raise KeyError("a private key")
    flush_telemetry()
    failed = {span.name: attributes_of(span)["error.type"] for span in collector.spans if span.status.code == 2}
    assert failed == {"GET /leak": "500", "a job": "KeyError", "a step": "KeyError"}
    assert "private" not in collector.raw


@pytest.mark.parametrize(
    ("sampler", "share", "sent", "is_recorded"),
    [
        ("always_off", 1.0, "01", False),
        ("traceidratio", 0.0, "01", False),
        ("parentbased_always_off", 1.0, "01", True),
        ("parentbased_traceidratio", 0.0, "01", True),
        ("parentbased_always_on", 1.0, "00", False),
        ("always_on", 1.0, "00", True),
    ],
)
def test_the_standard_samplers_say_what_is_recorded(
    settings: Settings, collector: Receiver, traced: Flask, sampler: str, share: float, sent: str, is_recorded: bool
) -> None:
    app = tracing(settings, collector.url, OTEL_TRACES_SAMPLER=sampler, OTEL_TRACES_SAMPLER_ARG=share)
    app.test_client().get("/api/v1/bookmarks", headers={"traceparent": f"{TRACEPARENT[:-2]}{sent}"})
    flush_telemetry()
    assert bool(collector.spans) is is_recorded


def test_lines_of_the_log_name_the_trace(eve: Api) -> None:
    with logged("{extra}") as lines:
        eve.request("GET", "/projects", headers={"traceparent": TRACEPARENT})
        with continued_span("a job", "consumer", {}, TRACEPARENT):
            assert current_traceparent().startswith(f"00-{TRACE}-")
    assert [line for line in lines if f"'trace_id': '{TRACE}'" in line]
    assert current_traceparent() == ""


def test_scrapers_of_openmetrics_get_the_trace_of_each_bucket(traced: Flask) -> None:
    client = traced.test_client()
    own = "1" * 32
    client.get("/api/v1/bookmarks", headers={"traceparent": TRACEPARENT.replace(TRACE, own)})
    response = client.get("/metrics", headers={"Accept": OPEN_METRICS})
    assert response.content_type.startswith("application/openmetrics-text")
    families = {family.name: family for family in text_string_to_metric_families(response.get_data(as_text=True))}
    samples = families["fuze_http_request_duration_seconds"].samples
    [exemplar] = [s.exemplar for s in samples if s.exemplar and s.exemplar.labels["trace_id"] == own]
    assert 0 < exemplar.value < 10
    for accepted in ("*/*", "text/plain", "text/plain, application/openmetrics-text;q=0.5"):
        plain = client.get("/metrics", headers={"Accept": accepted})
        assert plain.content_type.startswith("text/plain; version=0.0.4")
        assert own not in plain.get_data(as_text=True)


def test_without_traces_scrapers_get_plain_text_whatever_they_ask_for(anonymous: Api) -> None:
    response = anonymous.request("GET", "/metrics", headers={"Accept": OPEN_METRICS})
    assert response.content_type.startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize("is_reachable", [True, False])
def test_a_collector_that_takes_nothing_fails_no_request_and_is_told_once(
    settings: Settings, collector: Receiver, traced: Flask, is_reachable: bool
) -> None:
    collector.status = 503
    app = tracing(settings, collector.url if is_reachable else f"http://127.0.0.1:{free_port()}")
    client = app.test_client()
    with logged("{message}") as lines:
        for _ in range(3):
            assert client.get("/api/v1/bookmarks").status_code == 401
            flush_telemetry()
    assert [line for line in lines if "collector" in line] == [
        f"traces are dropped until the collector takes them: {'it answered 503' if is_reachable else 'ConnectError'}\n"
    ]
    # Nothing is sent meanwhile.
    assert len(collector.posted) == (1 if is_reachable else 0)


def test_a_collector_that_is_back_is_told_once_and_takes_traces(
    settings: Settings, collector: Receiver, traced: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.observability.tracing.otlp.PAUSE_SECONDS", 0.0)
    collector.status = 503
    client = traced.test_client()
    with logged("{message}") as lines:
        for status in (503, 503, 200, 200):
            collector.status = status
            client.get("/api/v1/bookmarks")
            flush_telemetry()
    assert [line.split(" ")[0] for line in lines if "collector" in line] == ["traces", "the"]


def test_spans_beyond_what_is_buffered_are_dropped(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.observability.tracing.span_buffer.MOST_WAITING", 20)
    sent: list[int] = []
    buffer = SpanBuffer(lambda spans: sent.append(len(spans)))
    buffer._thread = threading.current_thread()  # No thread takes them.
    tracer = tracer_of(settings, buffer)
    for _ in range(30):
        tracer.start_span("s").end()
    buffer.flush()
    assert sum(sent) == 20


def test_endpoints_of_models_get_the_trace_and_pages_of_people_do_not(traced: Flask, collector: Receiver) -> None:
    reach = [ip_network("127.0.0.0/8")]
    with running_llm() as llm, continued_span("a job", "consumer", {}, TRACEPARENT):
        post_json(f"{llm.base_url}/chat?secret=1", b"{}", None, NetworkPolicy(reach), Deadline(5))
        with pytest.raises(FetchError):
            fetch_page(f"{llm.base_url}/page", FetchPolicy(reach))
    flush_telemetry()
    [(_, headers, _)] = llm.asked
    span = collector.span("POST")
    assert headers["traceparent"] == f"00-{TRACE}-{span.span_id.hex()}-01"
    assert attributes_of(span)["http.response.status_code"] == 200
    assert "secret" not in collector.raw


@pytest.mark.parametrize(
    ("statement", "shown"),
    [("SELECT\n  a FROM b WHERE c = 'it''s' AND d = %(d)s", "SELECT a FROM b WHERE c = '?' AND d = %(d)s")],
)
def test_statements_are_shown_without_values(statement: str, shown: str) -> None:
    assert shown_statement(statement) == shown
    assert len(shown_statement("SELECT " + "a, " * 5_000)) == 2_000


def test_a_command_is_known_by_its_name_packed_or_not() -> None:
    assert name_of([("GET", "key")]) == name_of([pack(("GET", "key"))]) == "GET"
    assert name_of([("GET", "key"), ("GET", "key")]) == name_of([]) == "PIPELINE"
