"""Imports with real processes: a killed worker's goes on, and nobody's small one waits for somebody's large one."""

from __future__ import annotations

import json
from typing import Any

import httpx
import psycopg2
import pytest

from tests.resilience.conftest import Stack
from tests.support.processes import eventually

pytestmark = [pytest.mark.untraced, pytest.mark.processes, pytest.mark.requires_db, pytest.mark.requires_redis]
LINES = 10_000
SMALL = 30


def netscape_html(name: str, number: int) -> bytes:
    lines = [
        f'<DT><A HREF="https://{name}.example.org/{place}" ADD_DATE="1500000000">Page {place}</A>'
        for place in range(number)
    ]
    return "\n".join(["<!DOCTYPE NETSCAPE-Bookmark-file-1>", "<DL><p>", *lines, "</DL><p>"]).encode()


def ask(client: httpx.Client, name: str, number: int) -> str:
    files = {"file": ("bookmarks.html", netscape_html(name, number), "text/html")}
    answer = client.post("bookmarks/import", files=files, data={"capture": "false"})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def told(client: httpx.Client, job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = client.get(f"jobs/{job_id}").json()
    return job


def has_begun(client: httpx.Client, job_id: str) -> bool:
    return bool(told(client, job_id)["progress"]["done"])


def has_ended(client: httpx.Client, job_id: str) -> bool:
    return told(client, job_id)["status"] not in ("queued", "running")


def end_leases(stack: Stack) -> None:
    """As if the time had passed after which a worker without a sign of life counts as dead."""
    url = json.loads((stack.data_dir / "stack.json").read_text())["DATABASE_URL"]
    connection = psycopg2.connect(url.replace("postgresql+psycopg2", "postgresql"))
    with connection, connection.cursor() as cursor:
        cursor.execute("UPDATE jobs SET lease_until = now() - interval '1 second' WHERE status = 'running'")
    connection.close()


def test_an_import_survives_the_sudden_death_of_the_worker(stack: Stack) -> None:
    client = stack.client("mover")
    job_id = ask(client, "killed", LINES)
    assert eventually(lambda: has_begun(client, job_id), timeout=60)
    for process in stack.children("backend", "worker"):
        process.kill()
    half = told(client, job_id)
    assert 0 < half["progress"]["done"] < LINES
    end_leases(stack)
    assert eventually(lambda: has_ended(client, job_id), timeout=120)
    job = told(client, job_id)
    assert job["status"] == "succeeded", job["error"]
    assert (job["result"]["found"], job["result"]["created"]) == (LINES, LINES)
    assert client.get("bookmarks").json()["total"] == LINES


def test_a_small_import_ends_while_a_large_one_runs(stack: Stack) -> None:
    ada, bob = stack.client("large"), stack.client("small")
    large = ask(ada, "large", LINES + 10_000)
    assert eventually(lambda: has_begun(ada, large), timeout=60)
    small = ask(bob, "small", SMALL)
    assert eventually(lambda: has_ended(bob, small), timeout=30)
    assert not has_ended(ada, large)
    assert bob.get("bookmarks").json()["total"] == SMALL
    assert eventually(lambda: has_ended(ada, large), timeout=180)
    assert told(ada, large)["result"]["created"] == LINES + 10_000
