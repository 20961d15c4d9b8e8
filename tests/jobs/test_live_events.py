"""GET /jobs/{id}/events over gunicorn with two processes, by clients that read while the job runs."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from backend.extensions import db
from backend.http.event_streams.response import MOST_STREAMS_OF_A_PERSON
from backend.redis.resilient import UNTRUSTED_SECONDS
from config import Settings
from tests.jobs.test_events import add_job, change
from tests.support.api import Api
from tests.support.event_stream import EventClient, ReceivedEvent
from tests.support.live import LiveServer, serving
from tests.support.processes import eventually
from tests.transfer.conftest import ask
from tests.transfer.conftest import json_lines_are_known as json_lines_are_known
from tests.transfer.json_lines import links
from tests.transfer.test_killed_worker import start

pytestmark = [pytest.mark.processes, pytest.mark.requires_db, pytest.mark.requires_redis]
LINES = 6_000
IDLE_TRANSACTIONS = text("""
    SELECT count(*) FROM pg_stat_activity
     WHERE state = 'idle in transaction' AND state_change < now() - interval '1 second'
""")
Open = Callable[..., EventClient]


def environment(settings: Settings) -> dict[str, str]:
    return {
        "ENVIRONMENT": "testing",
        "WEB_CONCURRENCY": "2",
        "SECRET_KEY": settings.SECRET_KEY.get_secret_value(),
        "JWT_SECRET_KEY": settings.JWT_SECRET_KEY.get_secret_value(),
        "DATABASE_URL": settings.DATABASE_URL,
        "REDIS_URL": settings.REDIS_URL,
        "FUZE_DATA_DIR": str(settings.FUZE_DATA_DIR),
        "EMBEDDING_PROVIDER": "none",
        "ENABLE_RATE_LIMITING": "false",
    }


@pytest.fixture(scope="module")
def server(migrated_app: Any, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of two processes."""
    with serving(tmp_path_factory.mktemp("events"), environment(settings)) as server:
        yield server


@pytest.fixture
def stream(server: LiveServer) -> Iterator[Open]:
    """Opens streams, and closes them at the end."""
    opened: list[EventClient] = []

    def open_stream(person: Api, job_id: object, **options: Any) -> EventClient:
        opened.append(EventClient(server, person.token, str(job_id), **options))
        return opened[-1]

    yield open_stream
    for client in opened:
        client.close()


def accepted(stream: Open, person: Api, job_id: object) -> EventClient:
    """A stream that the server takes: those of the test before may not be closed yet, and count for the same person."""
    clients: list[EventClient] = []

    def is_accepted() -> bool:
        clients.append(stream(person, job_id))
        return clients[-1].status == 200

    assert eventually(is_accepted)
    return clients[-1]


def later(function: Callable[[], Any]) -> list[Any]:
    """What a function returns, once a thread has run it."""
    results: list[Any] = []
    threading.Thread(target=lambda: results.append(function()), daemon=True).start()
    return results


def test_clients_follow_an_import_to_its_end(ada: Api, stream: Open, settings: Settings) -> None:
    job_id = ask(ada, links(LINES), capture="false")
    # More than one process has threads for.
    clients = [stream(ada, job_id) for _ in range(MOST_STREAMS_OF_A_PERSON)]
    received: list[list[list[ReceivedEvent]]] = [
        later(lambda client=client: list(client.events())) for client in clients
    ]
    worker = start(settings, job_id)
    assert worker.wait(120) == 0
    assert eventually(lambda: all(received), timeout=20)
    for [events] in received:
        done = [event.job["progress"]["done"] for event in events]
        assert done == sorted(done)
        assert len({event.id for event in events}) == len(events) >= 2
        assert events[0].job["status"] == "queued"
        assert events[-1].job == ada.get(f"/jobs/{job_id}").json
        assert events[-1].job["result"]["created"] == LINES
    # The streams that have ended are no longer counted.
    assert stream(ada, add_job(ada).id).status == 200
    last = received[0][0][-1].id
    assert stream(ada, job_id, Last_Event_ID=last).status == 204


def test_streams_hold_no_thread_and_no_connection(
    ada: Api, person: Callable[..., Api], server: LiveServer, stream: Open
) -> None:
    people = [ada, *(person() for _ in range(5))]
    for each in people:
        job = add_job(each)
        for _ in range(MOST_STREAMS_OF_A_PERSON):
            assert stream(each, job.id).status == 200
    headers = {"Authorization": f"Bearer {ada.token}"}
    for _ in range(30):
        assert server.request("GET", "/api/v1/bookmarks", **headers).status == 200
    with ada.app.app_context():
        assert db.session.scalar(IDLE_TRANSACTIONS) == 0


def test_a_person_has_ten_streams_over_all_processes(ada: Api, bob: Api, stream: Open) -> None:
    # An emptied Redis is not trusted at first, and each process counts for itself.
    time.sleep(UNTRUSTED_SECONDS + 0.5)
    job, other = add_job(ada), add_job(bob)
    clients = [stream(ada, job.id) for _ in range(MOST_STREAMS_OF_A_PERSON)]
    refused = stream(ada, job.id)
    assert (refused.status, refused.response.headers["Retry-After"]) == (429, "15")
    assert json.loads(refused.response.read())["status"] == 429
    assert stream(bob, other.id).status == 200
    clients[0].close()
    assert eventually(lambda: stream(ada, job.id).status == 200, timeout=10), "hanging up leaves room for another"


def test_ending_the_login_ends_its_streams(ada: Api, stream: Open) -> None:
    job = add_job(ada, status="running")
    events = accepted(stream, ada, job.id).events()
    assert next(events).job["status"] == "running"
    ada.post("/auth/logout")
    began = time.monotonic()
    assert list(events) == []
    assert time.monotonic() - began < 5


def test_leaving_the_organization_ends_streams_of_its_jobs(ada: Api, stream: Open) -> None:
    job = add_job(ada)
    events = accepted(stream, ada, job.id).events()
    next(events)
    with ada.app.app_context():
        db.session.execute(text("DELETE FROM memberships"))
        db.session.commit()
    assert list(events) == []


def test_an_old_client_gets_events_without_chunks(ada: Api, server: LiveServer) -> None:
    job = add_job(ada, status="running")
    seen = later(lambda: _raw(server, f"GET /api/v1/jobs/{job.id}/events HTTP/1.0", ada.token))
    time.sleep(1.5)
    with ada.app.app_context():
        change(job, status="cancelled")
    assert eventually(lambda: bool(seen), timeout=10)
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert b"Transfer-Encoding" not in head
    assert body.startswith(b"retry: 2000\n\nid: ")
    assert body.count(b"data: {") == 2
    assert body.endswith(b"}\n\n")


def test_headers_are_those_of_a_stream(ada: Api, server: LiveServer, stream: Open) -> None:
    job = add_job(ada)
    for method in ("GET", "HEAD"):
        response = stream(ada, job.id, method=method, Accept_Encoding="gzip, br, zstd").response
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert response.headers["X-Accel-Buffering"] == "no"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "Content-Encoding" not in response.headers
        # A client that kept the connection would send its next request on a socket that the stream closes.
        assert (response.headers["Connection"] == "close") == (method == "GET")


def test_a_server_that_stops_ends_its_streams(ada: Api, settings: Settings, tmp_path: Any) -> None:
    job = add_job(ada)
    with serving(tmp_path, environment(settings)) as server:
        client = EventClient(server, ada.token, str(job.id))
        events = client.events()
        next(events)
        server.process.send_signal(signal.SIGTERM)
        # The end of the body comes, or http.client would raise IncompleteRead.
        assert list(events) == []
        client.close()
        assert server.process.wait(60) == 0
        assert "Traceback" not in server.logged()


def _raw(server: LiveServer, request_line: str, token: str | None) -> bytes:
    with socket.create_connection((server.host, server.port), timeout=30) as connection:
        connection.sendall(f"{request_line}\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))
