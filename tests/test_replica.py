"""Two web processes on one pooler, one PostgreSQL with a streaming replica and one Redis: as if there were one."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import psycopg2
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.engine import make_url

from backend.extensions import db
from backend.http.operations import declared_operation
from backend.observability.metrics.recording import ReadOutcome
from tests.support.api import PASSWORD, Api
from tests.support.live import Answer, LiveServer, serving
from tests.support.metrics import Scrape
from tests.support.pooler import PGBOUNCER, pooler, readable_directory
from tests.support.processes import eventually
from tests.support.streaming_replica import BASE_BACKUP, StreamingReplica

pytestmark = [
    pytest.mark.integration,
    pytest.mark.processes,
    pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed"),
    pytest.mark.skipif(not BASE_BACKUP.exists(), reason="pg_basebackup is not among the programs of PostgreSQL"),
]
MOST_BEHIND = 5
# A request during which the replica stops: two time-outs of the monitor, and a slow machine.
LONGEST_READ = 15
PARAMETER = re.compile(r"<[^>]*?(\w+)>")


@dataclass(frozen=True)
class Pair:
    """Two web servers, and what they share."""

    first: LiveServer
    second: LiveServer
    replica: StreamingReplica

    def reads(self, outcome: str) -> float:
        """How many reads had this outcome, in both."""
        return Scrape(self.first.request("GET", "/metrics").body.decode()).value(
            "fuze_replica_reads_total", outcome=outcome
        )

    def check(self) -> dict[str, Any]:
        """What the second says of the replica."""
        found: dict[str, Any] = self.second.request("GET", "/api/health").json["checks"]["replica"]
        return found

    def outcomes(self) -> dict[str, float]:
        """How many reads had each outcome, in both."""
        return {outcome: self.reads(outcome) for outcome in get_args(ReadOutcome)}


@pytest.fixture(scope="module")
def pair(migrated_app: Flask, production: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    socket_dir = str(make_url(production["DATABASE_URL"]).query["host"])
    with (
        readable_directory("replica") as directory,
        StreamingReplica(directory, socket_dir) as replica,
        pooler(Path(socket_dir), replica.user, role="postgres", size=10) as url,
    ):
        environment = {
            **production,
            "DATABASE_URL": url,
            "DATABASE_REPLICA_URL": replica.url,
            "DATABASE_REPLICA_MAX_LAG_SECONDS": str(MOST_BEHIND),
            "ENABLE_RATE_LIMITING": "true",
            "FUZE_DATA_DIR": str(tmp_path_factory.mktemp("pair-data")),
        }
        with (
            serving(tmp_path_factory.mktemp("first"), environment) as first,
            serving(tmp_path_factory.mktemp("second"), environment) as second,
        ):
            yield Pair(first, second, replica)


def get(server: LiveServer, person: Api, path: str) -> Answer:
    return server.request("GET", f"/api/v1{path}", Authorization=f"Bearer {person.token}")


def save(server: LiveServer, person: Api, title: str) -> None:
    body = {"url": f"https://example.org/{title}", "title": title, "capture": False}
    assert server.send("POST", "/api/v1/bookmarks", body, person.token).status == 201


def titles(server: LiveServer, person: Api, more: str = "") -> list[str]:
    answer = get(server, person, f"/bookmarks?sort=created_at{more}")
    assert answer.status == 200, answer.body
    return [item["title"] for item in answer.json["items"]]


@contextmanager
def paused_replay(replica: StreamingReplica) -> Iterator[None]:
    """The replica goes on answering, and learns nothing new."""
    with closing(psycopg2.connect(replica.url.replace("+psycopg2", ""))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_wal_replay_pause()")
            try:
                yield
            finally:
                cursor.execute("SELECT pg_wal_replay_resume()")


def is_read_on_replica(pair: Pair, person: Api) -> bool:
    before = pair.reads("replica")
    assert get(pair.second, person, "/search?q=a").status == 200
    if pair.reads("replica") > before:
        return True
    time.sleep(0.3)  # A search counts for the rate limit.
    return False


def wait_until_read_on_replica(pair: Pair, person: Api) -> None:
    is_read = eventually(lambda: is_read_on_replica(pair, person))
    assert is_read, (pair.check(), pair.outcomes(), pair.second.logged()[-2000:])


def test_what_is_written_in_one_process_is_read_in_the_other_at_once(pair: Pair, ada: Api) -> None:
    for number in range(5):
        save(pair.first, ada, f"a{number}")
        assert titles(pair.second, ada) == [f"a{at}" for at in range(number + 1)]
    assert eventually(lambda: pair.check()["status"] == "healthy"), pair.check()
    wait_until_read_on_replica(pair, ada)


def test_a_log_that_waits_for_the_next_commit_does_not_make_the_replica_stale(
    pair: Pair, migrated_app: Flask, ada: Api
) -> None:
    save(pair.first, ada, "a")
    wait_until_read_on_replica(pair, ada)
    started = time.monotonic()
    with migrated_app.app_context(), db.engine.connect() as connection:
        while time.monotonic() - started < MOST_BEHIND + 2:
            # As the hint bits that a read sets: a record without a transaction, which nothing flushes.
            connection.execute(text("SELECT pg_logical_emit_message(false, 'test', 'a', false)"))
            assert pair.check()["status"] == "healthy", pair.check()
            time.sleep(0.2)


def test_a_stale_replica_neither_answers_after_a_write_nor_fills_the_cache(pair: Pair, ada: Api) -> None:
    save(pair.first, ada, "before")
    wait_until_read_on_replica(pair, ada)
    with paused_replay(pair.replica):
        save(pair.first, ada, "after")
        started, asked = time.monotonic(), 0
        while time.monotonic() - started < 2:
            asked += 1
            # Each a cache miss, whose response the other process then finds in the cache.
            for server in (pair.second, pair.first):
                assert titles(server, ada, f"&page_size={asked + 1}") == ["before", "after"][: asked + 1]
            time.sleep(0.2)
    wait_until_read_on_replica(pair, ada)
    assert titles(pair.second, ada, "&page_size=90") == ["before", "after"]


def test_an_account_is_read_at_once_in_the_other_process(pair: Pair, ada: Api) -> None:
    account = {"email": "new@example.org", "username": "new", "password": PASSWORD}
    save(pair.first, ada, "a")
    wait_until_read_on_replica(pair, ada)
    with paused_replay(pair.replica):
        registered = pair.first.send("POST", "/api/v1/auth/register", account)
        assert registered.status == 201
        for path in ("/profile", "/dashboard/statistics", "/bookmarks"):
            person = Api(ada.app, session=registered.json)
            assert get(pair.second, person, path).status == 200, path


def test_no_route_that_may_be_read_on_a_replica_writes(pair: Pair, app: Flask, ada: Api) -> None:
    ids = {
        "bookmark_id": ada.save("https://example.org/a")["id"],
        "project_id": ada.post("/projects", {"name": "A"}).json["id"],
        "organization_id": ada.organization_id,
    }
    ids["task_id"] = ada.post("/tasks", {"title": "A", "project_id": ids["project_id"]}).json["id"]
    wait_until_read_on_replica(pair, ada)
    before = pair.outcomes()
    paths = [PARAMETER.sub(lambda found: str(ids.get(found[1], 1)), rule) for rule in readable_rules(app)]
    for path in paths:
        query = "?q=a" if path.endswith(("search", "suggest")) else "?url=https://example.org/b"
        answer = pair.second.request("GET", path + query, Authorization=f"Bearer {ada.token}")
        if answer.status == 422:
            answer = pair.second.request("GET", path, Authorization=f"Bearer {ada.token}")
        assert answer.status in (200, 404), (path, answer.body)
    grown = {outcome for outcome, number in before.items() if pair.reads(outcome) > number}
    assert grown == {"replica"}
    # One has no caller, and a bookmark is cached with the list that it is in.
    assert pair.reads("replica") - before["replica"] >= len(paths) - 2


def readable_rules(app: Flask) -> list[str]:
    """The templates of all routes that a replica may answer."""
    reads = [rule for rule in app.url_map.iter_rules() if rule.methods is not None and "GET" in rule.methods]
    operations = {rule.rule: declared_operation(app, rule.endpoint) for rule in reads}
    return [rule for rule, found in operations.items() if found is not None and found.is_read_on_replica]


def test_sessions_hold_in_both_processes(pair: Pair, ada: Api) -> None:
    for server in (pair.first, pair.second):
        assert get(server, ada, "/profile").status == 200
    assert pair.second.send("POST", "/api/v1/auth/logout", {}, ada.token).status == 204
    for server in (pair.first, pair.second):
        assert get(server, ada, "/profile").status == 401


def test_both_processes_count_against_the_same_limits(pair: Pair, ada: Api) -> None:
    allowed = 0
    statuses: list[int] = []
    while 429 not in statuses[-2:] and len(statuses) < 100:
        statuses += [get(server, ada, "/dashboard/statistics").status for server in (pair.first, pair.second)]
        allowed = statuses.count(200)
    assert allowed == 30, statuses
    assert [get(server, ada, "/dashboard/statistics").status for server in (pair.first, pair.second)] == [429, 429]


def test_a_replica_that_stops_or_dies_only_slows(pair: Pair, ada: Api) -> None:
    save(pair.first, ada, "a")
    wait_until_read_on_replica(pair, ada)
    pair.replica.freeze()
    started = time.monotonic()
    assert get(pair.second, ada, "/search?q=a").json["total"] == 1
    assert time.monotonic() - started < LONGEST_READ
    assert pair.reads("failed") >= 1
    pair.replica.kill()
    for number in range(5):
        save(pair.first, ada, f"b{number}")
        assert titles(pair.second, ada)[-1] == f"b{number}"
        assert get(pair.second, ada, f"/search?q=b{number}").json["total"] == 1
    assert eventually(lambda: pair.check()["status"] == "degraded")
    assert pair.check()["detail"] == "The replica does not answer."
    assert pair.second.request("GET", "/api/health").status == 200
