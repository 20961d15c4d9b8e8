"""GET /metrics: who may read it, what it tells, and how many series there may be."""

from __future__ import annotations

import io
from collections.abc import Callable
from ipaddress import ip_network

import pytest
from flask import Flask
from pydantic import SecretStr

from backend.app import create_app
from backend.extensions import db
from backend.http.rate_limits.charge import RateLimits
from backend.jobs.worker import HEARTBEATS, make_worker
from backend.observability.metrics.families import FAMILIES
from backend.observability.metrics.requests import record_response
from backend.redis.client import redis_client
from config import VERSION, Settings
from tests.support.api import PASSWORD, Api
from tests.support.metrics import Scrape
from tests.support.processes import eventually, free_port

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
TOKEN = "a-token-for-prometheus"


def scrape(client: Api) -> Scrape:
    response = client.get("/metrics")
    assert response.status_code == 200, response.get_data(as_text=True)
    return Scrape(response.get_data(as_text=True))


def asked(app: Flask, peer: str = "127.0.0.1", **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().get("/metrics", headers=named, environ_base={"REMOTE_ADDR": peer}).status_code


@pytest.fixture
def application(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Flask]:
    """Makes applications with other settings."""
    monkeypatch.setattr("backend.app.track_app", lambda app: None)
    return lambda **changes: create_app(settings.model_copy(update=changes))


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.0.53", "::1", "::ffff:127.0.0.1"])
def test_without_a_token_callers_on_this_machine_may_read(app: Flask, peer: str) -> None:
    assert asked(app, peer) == 200


@pytest.mark.parametrize("peer", ["192.0.2.7", "10.0.0.1", "::ffff:192.0.2.7", "2001:db8::1", "", "unix:"])
def test_without_a_token_nobody_else_may(app: Flask, peer: str) -> None:
    assert asked(app, peer) == 403
    assert asked(app, peer, X_Forwarded_For="127.0.0.1") == 403


@pytest.mark.parametrize(
    "header", ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"]
)
def test_who_comes_through_a_proxy_on_this_machine_is_not_taken_for_local(app: Flask, header: str) -> None:
    assert asked(app, **{header: "127.0.0.1"}) == 403


def test_a_trusted_proxy_is_not_taken_for_local_whatever_it_says(application: Callable[..., Flask]) -> None:
    app = application(TRUSTED_PROXIES=[ip_network("127.0.0.0/8")])
    assert [asked(app), asked(app, X_Forwarded_For="127.0.0.1"), asked(app, X_Forwarded_For="::1, 127.0.0.1")] == [
        403,
        403,
        403,
    ]
    assert asked(app, "::1") == 200


def test_with_a_token_whoever_shows_it_may_read_and_nobody_else(application: Callable[..., Flask]) -> None:
    app = application(METRICS_TOKEN=SecretStr(TOKEN), TRUSTED_PROXIES=[ip_network("192.0.2.0/24")])
    for peer in ("127.0.0.1", "192.0.2.7", "203.0.113.1"):
        assert asked(app, peer, Authorization=f"Bearer {TOKEN}") == 200
        assert asked(app, peer, Authorization=f"bearer {TOKEN}", X_Forwarded_For="203.0.113.9") == 200
        for shown in (
            {},
            {"Authorization": f"Bearer {TOKEN}x"},
            {"Authorization": TOKEN},
            {"Authorization": "Bearer é"},
        ):
            assert asked(app, peer, **shown) == 401
    response = app.test_client().get("/metrics")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.content_type == "application/problem+json"
    assert TOKEN not in response.get_data(as_text=True)


def test_it_is_text_of_prometheus_that_nobody_stores(anonymous: Api) -> None:
    response = anonymous.get("/metrics")
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"


def test_every_family_has_a_help_text_and_there_are_twenty_and_more(anonymous: Api) -> None:
    found = scrape(anonymous).families
    assert len(found) >= 20
    assert not [name for name, family in found.items() if not family.documentation or family.type == "unknown"]
    assert set(FAMILIES) <= set(found)
    assert found["fuze_build_info"].samples[0].labels["version"] == VERSION


def test_what_people_do_is_counted(ada: Api, anonymous: Api) -> None:
    before = scrape(anonymous)
    account = {"email": "eve@example.org", "username": "eve", "password": PASSWORD}
    anonymous.post("/auth/register", account)
    anonymous.post("/auth/login", {"login": "eve", "password": PASSWORD})
    anonymous.post("/auth/login", {"login": "eve", "password": "another password"})
    ada.save("https://example.org/1")
    links = [{"url": f"https://example.org/bulk/{number}", "capture": False} for number in range(3)]
    ada.post("/bookmarks/bulk", {"items": links})
    project = ada.post("/projects", {"name": "Garden"}).json["id"]
    ada.patch(f"/projects/{project}", {"status": "done"})
    task = ada.post("/tasks", {"title": "Dig"}).json["id"]
    ada.patch(f"/tasks/{task}", {"status": "done"})
    ada.post("/tasks", {"title": ""})
    ada.get("/search", q="garden", mode="text")
    after = scrape(anonymous)
    grown = {
        ("fuze_registrations_total", ""): 1,
        ("fuze_logins_total", "outcome=succeeded"): 1,
        ("fuze_logins_total", "outcome=failed"): 1,
        ("fuze_bookmarks_created_total", "source=single"): 1,
        ("fuze_bookmarks_created_total", "source=bulk"): 3,
        ("fuze_projects_created_total", ""): 1,
        ("fuze_projects_completed_total", ""): 1,
        ("fuze_tasks_created_total", ""): 1,
        ("fuze_tasks_completed_total", ""): 1,
        ("fuze_search_duration_seconds_count", "mode=text"): 1,
        ("fuze_http_request_duration_seconds_count", "route=/api/v1/projects/<id:project_id>"): 1,
        ("fuze_http_request_duration_seconds_count", "status=422"): 1,
    }
    for (name, label), number in grown.items():
        labels = dict([label.split("=", 1)]) if label else {}
        assert after.value(name, **labels) - before.value(name, **labels) == number, (name, label)
    assert after.value("fuze_db_query_duration_seconds_count", kind="insert") > before.value(
        "fuze_db_query_duration_seconds_count", kind="insert"
    )


def test_cached_responses_are_counted_too(ada: Api, anonymous: Api) -> None:
    ada.get("/bookmarks")
    before = scrape(anonymous)
    for _ in range(20):
        ada.get("/bookmarks")
    after = scrape(anonymous)
    labels = {"method": "GET", "route": "/api/v1/bookmarks", "status": 200}
    name = "fuze_http_request_duration_seconds_count"
    assert after.value(name, **labels) - before.value(name, **labels) == 20
    hits = {"namespace": "list", "outcome": "hit"}
    assert after.value("fuze_cache_requests_total", **hits) - before.value("fuze_cache_requests_total", **hits) == 20
    lookups = "fuze_cache_lookup_duration_seconds_count"
    assert after.value(lookups) - before.value(lookups) >= 1


def test_the_limits_say_whom_they_allowed_and_refused(
    ada: Api, anonymous: Api, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "rate_limits", RateLimits({"list": (3, 10, 10)}))
    before = scrape(anonymous)
    assert [ada.get("/bookmarks").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    after = scrape(anonymous)
    for outcome, number in (("allowed", 3), ("refused", 2)):
        labels = {"class": "list", "outcome": outcome}
        name = "fuze_rate_limit_requests_total"
        assert after.value(name, **labels) - before.value(name, **labels) == number


def test_a_transaction_that_is_rolled_back_counts_nothing(ada: Api, anonymous: Api) -> None:
    before = scrape(anonymous)
    assert ada.post("/bookmarks", {"url": "https://example.org/1", "project_ids": [10**9]}).status_code == 422
    assert scrape(anonymous).value("fuze_bookmarks_created_total") == before.value("fuze_bookmarks_created_total")


def test_ten_thousand_addresses_and_ids_make_no_more_series(ada: Api, anonymous: Api) -> None:
    def ask(number: int) -> None:
        ada.get(f"/bookmarks/{10**9 + number}")
        anonymous.get(f"/api/nothing/{number}")
        ada.get("/bookmarks", q=f"word{number}")
        anonymous.client.open(f"/api/v1/tags/{number}", method=f"MADEUP{number}")

    ask(0)
    ask(0)
    record_response("METHOD", None, 405, 0.0001)
    scrape(anonymous)
    before = scrape(anonymous).series
    for number in range(1, 100):
        ask(number)
    for number in range(10_000):
        record_response(f"METHOD{number}", None, 405, 0.0001)
    assert scrape(anonymous).series == before


def test_what_workers_do_in_processes_of_their_own_is_counted(ada: Api, anonymous: Api) -> None:
    before = scrape(anonymous)
    links = io.BytesIO(b"https://example.org/1\nhttps://example.org/2\n")
    file, options = {"file": (links, "links.txt")}, {"capture": "false"}
    assert ada.request("POST", "/bookmarks/import", data=file, query_string=options).status_code == 202
    anonymous.post("/auth/password/forgot", {"email": "ada@example.org"})
    with ada.app.app_context():
        make_worker().work(burst=True, logging_level="WARNING")
    after = scrape(anonymous)
    grown = {
        ("fuze_job_duration_seconds_count", "job=transfer.run_import"): 1,
        ("fuze_durable_job_duration_seconds_count", "outcome=succeeded"): 1,
        ("fuze_imports_total", "outcome=succeeded"): 1,
        ("fuze_import_records_sum", ""): 2,
        ("fuze_import_bytes_sum", ""): 44,
        ("fuze_bookmarks_created_total", "source=import"): 2,
        ("fuze_mails_total", "outcome=sent"): 1,
    }
    for (name, label), number in grown.items():
        labels = dict([label.split("=", 1)]) if label else {}
        assert after.value(name, **labels) - before.value(name, **labels) == number, (name, label)
    kinds = {
        (sample.labels["job"], sample.labels["outcome"]) for sample in after.named("fuze_job_duration_seconds_count")
    }
    assert ("mail.send_mail", "succeeded") in kinds


def test_what_waits_and_who_works_is_read_at_the_scrape(ada: Api, anonymous: Api) -> None:
    ada.post("/bookmarks", {"url": "https://example.org/captured"})
    with ada.app.app_context():
        redis_client().zadd(HEARTBEATS, {"one/capture/1": 1_000, "one/mail/1": 2_000_000_000})
    found = scrape(anonymous)
    assert found.value("fuze_due_captures") == 1
    assert found.value("fuze_queue_messages", queue="capture") == 1
    assert found.value("fuze_oldest_due_seconds", work="job") == 0
    assert found.value("fuze_workers", lane="mail") == 1
    assert found.value("fuze_workers", lane="capture") == 0
    assert found.value("fuze_worker_last_heartbeat_timestamp_seconds", lane="capture") == 1_000
    assert (found.value("fuze_database_up"), found.value("fuze_redis_up")) == (1, 1)
    assert found.value("fuze_disk_size_bytes") > found.value("fuze_disk_free_bytes") > 0
    assert found.value("fuze_db_pool_size") >= 10


def test_the_connections_that_are_lent_are_counted(ada: Api, anonymous: Api) -> None:
    """As a change, of which another try may be needed: other applications of this process lend theirs too."""
    lent, opened = "fuze_db_connections_checked_out", "fuze_db_connections_open"

    def changes() -> tuple[float, float]:
        with ada.app.app_context():
            db.engine.dispose()  # How many are open is told where one is opened, in place of what another one told.
            before = scrape(anonymous).value(lent)
            with db.engine.connect(), db.engine.connect():
                meanwhile = scrape(anonymous)
        assert meanwhile.value(opened) >= 2
        return meanwhile.value(lent) - before, scrape(anonymous).value(lent) - before

    assert eventually(lambda: changes() == (2, 0))


def test_servers_that_are_down_break_no_scrape(application: Callable[..., Flask]) -> None:
    away = {
        "DATABASE_URL": f"postgresql://fuze@127.0.0.1:{free_port()}/fuze",
        "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
    }
    found = scrape(Api(application(**away)))
    assert (found.value("fuze_database_up"), found.value("fuze_redis_up")) == (0, 0)
    assert found.value("fuze_http_request_duration_seconds_count") > 0
