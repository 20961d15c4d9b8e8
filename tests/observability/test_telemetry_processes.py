"""Traces and reports of errors from a real server, and what a process loads without them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.local_stack.processes import inherited_environment
from tests.observability.test_real_server import SECRETS, send_secrets
from tests.support.live import ROOT, LiveServer, serving
from tests.support.processes import UNMEASURED, eventually
from tests.support.receivers import Receiver, attributes_of, receiving

pytestmark = [pytest.mark.processes, pytest.mark.requires_db]
TRACE = "0af7651916cd43dd8448eb211c80319c"
# What only traces and reports of errors need.
OPTIONAL = ("opentelemetry", "sentry_sdk", "backend.observability.tracing", "backend.observability.error_reports")
LOADED = f"""
import sys
from backend import create_app
from backend.jobs.registry import load_jobs
app = create_app()
load_jobs()
loaded = [name for name, module in sys.modules.items() if module and name.startswith({OPTIONAL!r})]
print(loaded, type(app.wsgi_app).__name__)
"""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def server(
    receiver: Receiver, production: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    environment = {
        **production,
        **UNMEASURED,
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        "OTEL_SERVICE_NAME": "links",
        "SENTRY_DSN": receiver.dsn,
        "GIT_REVISION": "4f2c9d1",
        "WEB_CONCURRENCY": "2",
    }
    with serving(tmp_path_factory.mktemp("traced"), environment, "tests.support.failing_app:app") as server:
        yield server
        # Right before its end: it sends what is buffered.
        assert server.request("GET", "/api/v1/tasks").status == 401
    assert [span.name for span in receiver.spans].count("GET /api/v1/tasks") == 1


def test_each_process_sends_its_spans_and_lines_name_the_trace(server: LiveServer, receiver: Receiver) -> None:
    for _ in range(10):
        server.request("GET", "/api/v1/tags", traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
    assert eventually(lambda: [span.name for span in receiver.spans].count("GET /api/v1/tags") == 10)
    assert {span.trace_id.hex() for span in receiver.spans if span.name == "GET /api/v1/tags"} == {TRACE}
    resources = {
        pair.key: pair.value.string_value
        for request in receiver.requests
        for pair in request.resource_spans[0].resource.attributes
    }
    assert (resources["service.name"], resources["service.version"]) == ("links", "4f2c9d1")
    assert eventually(lambda: server.logged().count(f'"trace_id":"{TRACE}"') == 10)


def test_known_secrets_are_in_no_span_and_no_report(server: LiveServer, receiver: Receiver) -> None:
    request_id = send_secrets(server)
    assert eventually(lambda: len(receiver.events) == 2)
    by_logger = {event["logger"]: event for event in receiver.events}
    failed = by_logger["backend.http.problems"]
    assert (failed["release"], failed["tags"]["request_id"]) == ("4f2c9d1", request_id)
    assert [value["type"] for value in failed["exception"]["values"]] == ["ConnectionError", "RuntimeError"]
    assert attributes_of(receiver.span("POST /fail"))["fuze.request_id"] == request_id
    assert [secret for secret in SECRETS.values() if secret in receiver.raw + json.dumps(receiver.events)] == []


def test_without_them_nothing_of_theirs_is_loaded_or_wrapped(production: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        env=inherited_environment(**{**production, **UNMEASURED}, PYTHONPATH=str(ROOT)),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["[]", "SecurityHeaders"]
