"""What the service says of its own state: true, cheap, public and without secrets."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.ai.credentials import Credentials
from backend.ai.llm.breaker import FAULTS, EndpointBreaker
from backend.ai.llm.service import SERVER
from backend.app import create_app
from backend.extensions import db
from backend.health.revisions import head_revision
from backend.health.service import HealthMonitor
from backend.jobs.lanes import LANE_NAMES
from backend.jobs.scheduler import LAST_PASSED_AT
from backend.jobs.worker import HEARTBEATS, STALE_SECONDS
from backend.observability.logging import configure_logging
from backend.redis.client import redis_client
from config import VERSION, Settings
from tests.support.api import Api
from tests.support.processes import free_port

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
PROBES = ["live", "ready", "database", "redis", "worker"]
SECRET = "s3cret-of-the-server"
LATE = "There was no answer in time."


@pytest.fixture
def health_of(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Api]:
    """Makes clients of applications with other settings."""
    monkeypatch.setattr("backend.app.track_app", lambda app: None)
    return lambda **changes: Api(create_app(settings.model_copy(update=changes)))


def health_monitor_of(app: Flask) -> HealthMonitor:
    """What gives results again for a second."""
    monitor: HealthMonitor = app.extensions["health"]
    return monitor


def nowhere(scheme: str) -> str:
    """An address at which nobody listens."""
    return f"{scheme}://fuze:{SECRET}@127.0.0.1:{free_port()}/0"


def beat(app: Flask, name: str = "worker.1", ago: float = 0) -> None:
    """A sign of life of a worker."""
    with app.app_context():
        redis_client().zadd(HEARTBEATS, {name: time.time() - ago})


def test_everything_is_healthy_when_everything_runs(anonymous: Api) -> None:
    beat(anonymous.app)
    response = anonymous.get("/api/health")
    assert response.status_code == 200
    body = response.json
    assert body["status"] == "healthy"
    assert body["version"] == VERSION
    assert body["uptime_seconds"] >= 0
    assert {name: check["status"] for name, check in body["checks"].items()} == {
        "database": "healthy",
        "redis": "healthy",
        "worker": "healthy",
        "embeddings": "disabled",
        "llm": "disabled",
        "logs": "healthy",
        "mail": "healthy",
        "replica": "disabled",
        "storage": "disabled",
    }
    assert body["checks"]["worker"]["workers"] == 1
    assert all(body["checks"][name]["latency_ms"] >= 0 for name in ("database", "redis", "worker"))


@pytest.mark.parametrize("ago", [None, STALE_SECONDS + 5])
def test_without_a_worker_that_lives_the_service_is_degraded(anonymous: Api, ago: float | None) -> None:
    if ago is not None:
        beat(anonymous.app, ago=ago)
    response = anonymous.get("/api/health")
    assert (response.status_code, response.json["status"]) == (200, "degraded")
    assert response.json["checks"]["worker"]["status"] == "unhealthy"
    assert anonymous.get("/api/health/worker").status_code == 503
    assert anonymous.get("/api/health/ready").status_code == 200


def test_a_worker_counts_once_and_a_lane_that_nobody_serves_is_told(anonymous: Api) -> None:
    for lane in LANE_NAMES - {"mail"}:
        beat(anonymous.app, f"one/{lane}/1")
    beat(anonymous.app, "one/mail/1", ago=STALE_SECONDS + 5)
    response = anonymous.get("/api/health/worker")
    assert (response.status_code, response.json["workers"]) == (503, 1)
    assert response.json["detail"] == f"No worker gave a sign of life within {STALE_SECONDS} s that serves: mail."
    beat(anonymous.app, "one/mail/2")
    beat(anonymous.app, "two/mail/1")
    response = anonymous.get("/api/health/worker")
    assert (response.status_code, response.json["workers"]) == (200, 2)


def test_without_redis_the_service_is_degraded(health_of: Callable[..., Api]) -> None:
    person = health_of(REDIS_URL=nowhere("redis"))
    response = person.get("/api/health")
    assert (response.status_code, response.json["status"]) == (200, "degraded")
    assert response.json["checks"]["redis"]["status"] == "unhealthy"
    assert [person.get(f"/api/health/{name}").status_code for name in PROBES] == [200, 200, 200, 503, 503]


def test_without_a_database_the_service_is_unhealthy_and_alive(health_of: Callable[..., Api]) -> None:
    person = health_of(DATABASE_URL=nowhere("postgresql"))
    response = person.get("/api/health")
    assert (response.status_code, response.json["status"]) == (503, "unhealthy")
    assert response.json["checks"]["database"]["status"] == "unhealthy"
    assert [person.get(f"/api/health/{name}").status_code for name in PROBES[:4]] == [200, 503, 503, 200]


def test_without_a_database_every_other_route_says_503_and_when_to_try_again(health_of: Callable[..., Api]) -> None:
    person = health_of(DATABASE_URL=nowhere("postgresql"))
    response = person.post("/auth/login", {"login": "ada", "password": "correct horse battery"})
    assert response.status_code == 503
    assert response.content_type == "application/problem+json"
    assert int(response.headers["Retry-After"]) >= 1
    assert SECRET not in response.get_data(as_text=True)


@pytest.mark.parametrize("path", ["", *(f"/{name}" for name in PROBES)])
def test_a_probe_is_public_never_cached_and_keeps_secrets(health_of: Callable[..., Api], path: str) -> None:
    person = health_of(DATABASE_URL=nowhere("postgresql"), REDIS_URL=nowhere("redis"))
    response = person.get(f"/api/health{path}")
    assert response.status_code in (200, 503)
    assert response.headers["Cache-Control"] == "no-store"
    shown = response.get_data(as_text=True)
    for word in (SECRET, "127.0.0.1", "fuze:", "Traceback", "psycopg"):
        assert word not in shown


def test_bookmarks_that_wait_for_a_vector_are_counted(health_of: Callable[..., Api], ada: Api) -> None:
    person = health_of(EMBEDDING_PROVIDER="openai", EMBEDDING_BASE_URL="http://127.0.0.1:9/v1")
    for number in range(3):
        ada.save(f"https://example.org/{number}")
    checks: dict[str, Any] = person.get("/api/health").json["checks"]
    assert checks["embeddings"]["pending"] == 3


def test_a_language_model_that_fails_again_and_again_is_told(
    anonymous: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = {"LLM_BASE_URL": "https://llm.example.org/v1", "LLM_MODEL": "large"}
    monkeypatch.setitem(context.extensions, "settings", context.extensions["settings"].model_copy(update=change))
    beat(anonymous.app)
    assert anonymous.get("/api/health").json["checks"]["llm"]["status"] == "healthy"
    health_monitor_of(context).forget()  # Results are given again for a second.
    for _ in range(FAULTS):
        EndpointBreaker(Credentials(change["LLM_BASE_URL"], "large", None), SERVER).failed()
    body = anonymous.get("/api/health").json
    assert (body["status"], body["checks"]["llm"]["status"]) == ("degraded", "degraded")
    assert body["checks"]["llm"]["detail"] == "The language model has failed 3 times in a row."


def test_a_redis_that_hangs_is_not_waited_for(health_of: Callable[..., Api], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.health.service.BUDGET_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        person = health_of(REDIS_URL=f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        body = person.get("/api/health").json
        probe = person.get("/api/health/redis")
    assert body["status"] == "degraded"
    assert body["checks"]["database"]["status"] == "healthy"
    for name in ("redis", "worker"):
        assert body["checks"][name]["status"] == "unhealthy"
        assert body["checks"][name]["detail"] == LATE
    assert probe.status_code == 503


def test_results_are_given_again_for_a_moment(anonymous: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.health.service.REUSED_SECONDS", 60.0)
    assert anonymous.get("/api/health").json["status"] == "degraded"
    beat(anonymous.app)
    assert anonymous.get("/api/health").json["status"] == "degraded"
    health_monitor_of(anonymous.app).forget()
    assert anonymous.get("/api/health").json["status"] == "healthy"


def test_who_asks_for_ready_is_told_of_missing_migrations(anonymous: Api, context: Flask) -> None:
    def answer(revision: str) -> tuple[int, str | None]:
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
        response = anonymous.get("/api/health/ready")
        return response.status_code, response.json["detail"]

    try:
        assert answer("0001") == (503, "Migrations are missing: run `python -m backend db upgrade`.")
        # A newer version has been here: this one goes on until it is replaced.
        assert answer("9999") == (200, "The tables are those of another version.")
    finally:
        assert answer(head_revision()) == (200, None)


def test_a_scheduler_that_falls_silent_is_told(anonymous: Api, context: Flask) -> None:
    beat(context)
    assert anonymous.get("/api/health/worker").json["scheduler_last_pass"] is None
    redis_client().set(LAST_PASSED_AT, time.time())
    assert anonymous.get("/api/health/worker").json["status"] == "healthy"
    redis_client().set(LAST_PASSED_AT, 1_700_000_000)
    check = anonymous.get("/api/health/worker").json
    assert check["status"] == "degraded"
    assert check["scheduler_last_pass"] == "2023-11-14T22:13:20Z"
    assert check["detail"] == "The scheduler has been silent since 2023-11-14 22:13 UTC."


def test_the_age_of_what_is_due_is_told(ada: Api, context: Flask) -> None:
    ada.post("/bookmarks", {"url": "https://example.org/captured"})
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE bookmarks SET capture_due_at = now() - interval '1 hour'"))
    assert 3_600 <= ada.get("/api/health/worker").json["oldest_due_seconds"] < 4_000


def test_mails_that_wait_for_another_try_are_told(anonymous: Api, ada: Api, context: Flask) -> None:
    check = anonymous.get("/api/health").json["checks"]["mail"]
    assert (check["status"], check["detail"], check["failing"]) == ("healthy", None, 0)
    anonymous.post("/auth/password/forgot", {"email": "ada@example.org"})
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE mails SET attempts = 1, error = '451 busy', status = 'queued', sent_at = NULL"))
        waiting = connection.scalar(text("SELECT count(*) FROM mails"))

    health_monitor_of(anonymous.app).forget()
    check = anonymous.get("/api/health").json["checks"]["mail"]
    assert (check["status"], check["failing"]) == ("degraded", waiting)
    assert waiting


def test_the_revision_is_that_of_the_settings(health_of: Callable[..., Api]) -> None:
    assert health_of(GIT_REVISION="abc123").get("/api/health").json["revision"] == "abc123"


def test_what_waits_for_a_worker_is_counted(ada: Api) -> None:
    ada.post("/bookmarks", {"url": "https://example.org/captured"})
    beat(ada.app)
    assert ada.get("/api/health/worker").json["queue_depth"] == 1
    ada.post("/bookmarks/bulk", {"items": [{"url": f"https://example.org/{number}"} for number in range(5)]})
    assert ada.get("/api/health/worker").json["queue_depth"] == 6


@pytest.mark.parametrize(
    ("policy", "maxmemory", "status"),
    [
        ("allkeys-lru", "1gb", "degraded"),
        ("allkeys-lfu", "1gb", "degraded"),
        ("allkeys-random", "1gb", "degraded"),
        ("allkeys-lru", "0", "healthy"),
        ("volatile-ttl", "1gb", "healthy"),
        ("noeviction", "1gb", "healthy"),
    ],
)
def test_a_redis_that_may_drop_the_queue_is_told(
    anonymous: Api, monkeypatch: pytest.MonkeyPatch, policy: str, maxmemory: str, status: str
) -> None:
    with anonymous.app.app_context():
        client = redis_client()
        before = {**client.config_get("maxmemory"), **client.config_get("maxmemory-policy")}
        try:
            client.config_set("maxmemory", maxmemory)
            client.config_set("maxmemory-policy", policy)
            check = anonymous.get("/api/health").json["checks"]["redis"]
            probe = anonymous.get("/api/health/redis")
        finally:
            for name, value in before.items():
                client.config_set(name, value)
    assert check["status"] == status
    assert probe.status_code == 200
    if status == "degraded":
        assert policy in check["detail"]
        assert "volatile-ttl" in check["detail"]


def test_a_redis_that_keeps_its_figures_to_itself_is_healthy(anonymous: Api) -> None:
    with anonymous.app.app_context():
        client = redis_client()
        try:
            client.execute_command("ACL", "SETUSER", "default", "-info")
            check = anonymous.get("/api/health").json["checks"]["redis"]
        finally:
            client.execute_command("ACL", "SETUSER", "default", "+info")
    assert (check["status"], check["detail"]) == ("healthy", None)


def test_log_files_that_cannot_be_written_degrade_the_service(
    health_of: Callable[..., Api], settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / f"app_{datetime.now(UTC):%Y-%m-%d}.log").symlink_to("/dev/full")
    try:
        anonymous = health_of(LOG_DIR=tmp_path)
        anonymous.get("/api/health/live")
        response = anonymous.get("/api/health")
        unset = health_of(LOG_DIR=None).get("/api/health").json
    finally:
        configure_logging(settings)
    assert (response.status_code, response.json["status"]) == (200, "degraded")
    check = response.json["checks"]["logs"]
    assert check["status"] == "degraded"
    assert check["detail"] == "Log files cannot be written: No space left on device."
    assert unset["checks"]["logs"]["status"] == "disabled"
