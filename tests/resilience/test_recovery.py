"""Decision 1 of the design, with real processes: PostgreSQL is the truth, Redis may burn, workers may die."""

from __future__ import annotations

import json
import signal
import threading
import time
from typing import Any

import httpx
import pytest
import redis

from tests.resilience.conftest import Site, Stack
from tests.support.processes import eventually

pytestmark = [pytest.mark.untraced, pytest.mark.processes, pytest.mark.requires_db, pytest.mark.requires_redis]


def test_a_capture_survives_the_sudden_death_of_its_worker(stack: Stack, site: Site) -> None:
    client = stack.client("victim")
    site.delay = 3.0
    saved = client.post("bookmarks", json={"url": site.url("interrupted")}).json()
    assert eventually(lambda: site.hits["interrupted"] == 1)
    for process in stack.children("backend", "worker"):  # The worker and the fork that reads the page.
        process.kill()
    site.delay = 0.0
    ended = _wait_for_end(client, [saved["id"]])[0]
    assert ended["capture"]["status"] == "captured"
    assert ended["title"] == "Page interrupted"
    assert site.hits["interrupted"] == 2
    assert client.get("bookmarks").json()["total"] == 1


def test_captures_survive_the_loss_of_all_of_redis(stack: Stack, site: Site) -> None:
    client = stack.client("burnt")
    site.delay = 0.05
    items = [{"url": site.url(f"burnt{number}")} for number in range(100)]
    saved = client.post("bookmarks/bulk", json={"items": items}).json()
    assert saved["created"] == 100
    _redis(stack).flushall()
    ended = _wait_for_end(client, [result["id"] for result in saved["results"]])
    assert {bookmark["capture"]["status"] for bookmark in ended} == {"captured"}
    assert client.get("bookmarks").json()["total"] == 100
    assert {bookmark["capture"]["attempts"] for bookmark in ended} == {1}


def test_a_restart_of_postgresql_under_load_loses_nothing_that_was_promised(stack: Stack, site: Site) -> None:
    site.delay = 0.0
    client = stack.client("loaded")
    answers: list[tuple[int, Any]] = []
    stop = threading.Event()
    threads = [threading.Thread(target=_keep_saving, args=(client, site, n, stop, answers)) for n in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    _postmaster(stack).send_signal(signal.SIGKILL)
    time.sleep(1)
    assert eventually(lambda: httpx.get(f"{stack.url}/api/health/ready", trust_env=False).status_code == 200, 60)
    time.sleep(1)
    stop.set()
    for thread in threads:
        thread.join()
    statuses = {status for status, _ in answers}
    assert 201 in statuses
    assert statuses <= {200, 201, 503}
    assert all(body["status"] == 503 for status, body in answers if status == 503)
    promised = {body["id"]: body["url"] for status, body in answers if status in (200, 201)}
    ended = _wait_for_end(client, list(promised))
    assert {bookmark["capture"]["status"] for bookmark in ended} <= {"captured", "failed"}
    assert {bookmark["id"]: bookmark["url"] for bookmark in ended} == promised
    urls = _all_urls(client)
    assert len(urls) == len(set(urls))


def test_without_redis_links_are_saved_and_captured_once_it_is_back(stack: Stack, site: Site) -> None:
    client = stack.client("offline")
    server = stack.children("redis-server")[0]
    server.send_signal(signal.SIGSTOP)
    try:
        answer = client.post("bookmarks", json={"url": site.url("offline")})
        assert answer.status_code == 201
        assert client.get("bookmarks").status_code == 200
        health = httpx.get(f"{stack.url}/api/health", timeout=30, trust_env=False)
        assert health.status_code == 200
        assert health.json()["status"] == "degraded"
        assert health.json()["checks"]["redis"]["status"] == "unhealthy"
    finally:
        server.kill()
    ended = _wait_for_end(client, [answer.json()["id"]])
    assert ended[0]["capture"]["status"] == "captured"


def _keep_saving(
    client: httpx.Client, site: Site, number: int, stop: threading.Event, answers: list[tuple[int, Any]]
) -> None:
    count = 0
    while not stop.is_set():
        count += 1
        url = site.url(f"load{number}x{count // 2}")  # Every link twice, so that retries meet what is there.
        answer = client.post("bookmarks", json={"url": url})
        answers.append((answer.status_code, answer.json()))
        time.sleep(0.02)


def _wait_for_end(client: httpx.Client, ids: list[int]) -> list[dict[str, Any]]:
    ended: dict[int, dict[str, Any]] = {}

    def all_ended() -> bool:
        for id_ in ids:
            if id_ not in ended:
                answer = client.get(f"bookmarks/{id_}")
                if answer.status_code == 503:
                    return False
                assert answer.status_code == 200, answer.text
                if answer.json()["capture"]["status"] == "pending":
                    return False
                ended[id_] = answer.json()
        return True

    # Generous: on a busy machine each capture is a fork that waits for its turn.
    assert eventually(all_ended, timeout=300), f"{len(ended)} of {len(ids)} ended"
    return [ended[id_] for id_ in ids]


def _all_urls(client: httpx.Client) -> list[str]:
    urls: list[str] = []
    cursor = None
    while True:
        page = client.get("bookmarks", params={"page_size": 100, **({"cursor": cursor} if cursor else {})}).json()
        urls.extend(item["url"] for item in page["items"])
        cursor = page["next_cursor"]
        if cursor is None:
            return urls


def _redis(stack: Stack) -> redis.Redis:
    return redis.Redis.from_url(json.loads((stack.data_dir / "stack.json").read_text())["REDIS_URL"])


def _postmaster(stack: Stack) -> Any:
    return next(child for child in stack.children("postgres", "-D") if child.ppid() == stack.process.pid)
