"""A run reads many pages at once, in turns, and whatever one page does costs no other."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.capture import claim_fetch, shared_limits
from backend.capture import runner as run_module
from backend.capture.extractor_processes import ExtractionBounds
from backend.capture.jobs import read_due_pages, run_capture_job
from backend.capture.run_bounds import RunBounds
from backend.capture.runner import CaptureRun
from backend.capture.shared_limits import UNLIMITED_BYTES, BodyMemory, MemoryFull
from backend.extensions import current_settings, db
from backend.jobs.maintenance import resend_due_jobs
from backend.jobs.queue import rq_queue
from backend.redis.client import redis_client
from tests.capture.local_server import LocalServer, redirect, response, running
from tests.capture.test_extraction import read_or_misbehave, serving
from tests.support.api import Api
from tests.support.processes import eventually

pytestmark = [pytest.mark.integration, pytest.mark.processes, pytest.mark.requires_db, pytest.mark.requires_redis]
PAGE = b"<html><head><title>A page</title></head><body><article><p>Some words to read.</p></article></body></html>"
BOUNDS = RunBounds(
    concurrency=10, per_person=2, per_host=2, processes=2, lease_seconds=60, extraction=ExtractionBounds(seconds=20)
)
PATIENCE = 60


@dataclass
class Sites:
    """One server on many addresses of this machine, each a host of its own; remembers who came when, and how many were
    there at once. Whoever is asked for waits until the gate is open."""

    server: LocalServer
    gate: threading.Event = field(default_factory=threading.Event)
    order: list[str] = field(default_factory=list)
    at_once: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, name: str, host: str = "127.0.0.1") -> str:
        return self.server.url(f"/{name}", host=host)

    def serve(self, name: str, *, group: str = "", answer: bytes | None = None, seconds: float = 0.0) -> None:
        """Have a page of this name, counted with its group."""

        def converse(connection: socket.socket) -> None:
            with self.lock:
                self.order.append(name)
                self.at_once[group] += 1
                self.most[group] = max(self.most[group], self.at_once[group])
            self.gate.wait(PATIENCE)
            time.sleep(seconds)
            with self.lock:
                self.at_once[group] -= 1
            connection.sendall(answer or response(200, PAGE, content_type="text/html"))

        self.server.answers[f"/{name}"] = converse


@pytest.fixture
def sites() -> Iterator[Sites]:
    with running("0.0.0.0") as server:
        found = Sites(server)
        found.gate.set()
        yield found
        found.gate.set()


@contextmanager
def a_run(app: Flask, **bounds: Any) -> Iterator[CaptureRun]:
    """A run whose extraction misbehaves where an address asks for it."""
    with serving(read_or_misbehave) as lines:
        run = CaptureRun(app, lines, replace(BOUNDS, **bounds))
        run.start()
        run.wake()
        try:
            yield run
        finally:
            run.stop(0)


def captures(api: Api) -> dict[str, dict[str, Any]]:
    """How the capture of each bookmark stands, by the last part of its address."""
    items = api.get("/bookmarks", page_size=100).json["items"]
    return {item["url"].rpartition("/")[2]: item["capture"] for item in items}


def statuses(api: Api) -> Counter[str]:
    items = api.get("/bookmarks", page_size=100).json["items"]
    return Counter(item["capture"]["status"] for item in items)


def save(api: Api, urls: list[str]) -> None:
    answer = api.post("/bookmarks/bulk", {"items": [{"url": url} for url in urls]})
    assert answer.json["created"] == len(urls)


def make_due() -> None:
    db.session.execute(text("UPDATE bookmarks SET capture_due_at = now() WHERE capture_status = 'pending'"))
    db.session.commit()


def test_a_message_outside_a_lane_reads_all_that_is_due(ada: Api, bob: Api, context: Flask, sites: Sites) -> None:
    for api in (ada, bob):
        for number in range(4):
            sites.serve(f"p{number}")
        save(api, [sites.url(f"p{number}", f"127.0.1.{number}") for number in range(4)])
    read_due_pages()
    for api in (ada, bob):
        assert statuses(api) == {"captured": 4}
        assert {capture["attempts"] for capture in captures(api).values()} == {1}
        assert api.get("/search", q="words", mode="text").json["total"] == 4


def test_another_persons_page_is_read_before_the_tenth_of_many(
    ada: Api, bob: Api, context: Flask, sites: Sites
) -> None:
    """Sixty slow links first, at hosts of their own; the order of events, not the time."""
    names = [f"slow{number}" for number in range(60)]
    for name in names:
        sites.serve(name, seconds=0.2)
    sites.serve("quick")
    save(ada, [sites.url(name, f"127.0.2.{number}") for number, name in enumerate(names, 1)])
    sites.gate.clear()
    with a_run(context) as run:
        assert eventually(lambda: len(sites.order) == BOUNDS.alone, PATIENCE)
        bob.save(sites.url("quick", "127.0.3.1"), capture=True)
        run.wake()
        assert eventually(lambda: "quick" in sites.order, PATIENCE)
        assert sites.order.index("quick") == BOUNDS.alone < 10
        sites.gate.set()
        assert run.wait_until_idle(PATIENCE)
    assert statuses(ada) == {"captured": 60}
    assert statuses(bob) == {"captured": 1}


def test_two_people_with_much_to_read_have_two_pages_under_way_each(
    ada: Api, bob: Api, context: Flask, sites: Sites
) -> None:
    for number, api in enumerate((ada, bob)):
        for place in range(8):
            sites.serve(f"{number}x{place}", group=api.session["user"]["username"], seconds=0.1)
        save(api, [sites.url(f"{number}x{place}", f"127.{number}.4.{place + 1}") for place in range(8)])
    with a_run(context) as run:
        assert run.wait_until_idle(PATIENCE)
    # Who is left alone in the end may have more.
    assert [statuses(api) for api in (ada, bob)] == [{"captured": 8}] * 2
    first = sites.order[:8]
    assert 3 <= sum(name.startswith("0x") for name in first) <= 5


def test_a_host_is_asked_for_two_pages_at_once_also_by_redirects(ada: Api, context: Flask, sites: Sites) -> None:
    target = "127.0.5.1"
    for number in range(6):
        sites.serve(f"page{number}", group="target", seconds=0.2)
        sites.serve(f"from{number}", answer=redirect(sites.url(f"page{number}", target)))
    save(ada, [sites.url(f"from{number}", f"127.0.6.{number + 1}") for number in range(6)])
    with a_run(context) as run:
        assert run.wait_until_idle(PATIENCE)
    assert statuses(ada) == {"captured": 6}
    assert sites.most["target"] == 2
    assert {capture["attempts"] for capture in captures(ada).values()} == {1}
    assert db.session.scalar(text("SELECT count(*) FROM bookmarks WHERE capture_host IS NOT NULL")) == 0


@pytest.mark.parametrize(("name", "words"), [("kill", "ends the process"), ("hang", "too long")])
def test_a_page_that_kills_or_hangs_its_process_fails_after_its_attempts_and_the_others_go_on(
    ada: Api, bob: Api, context: Flask, sites: Sites, name: str, words: str
) -> None:
    others = [f"other{number}" for number in range(6)]
    for each in (name, *others):
        sites.serve(each)
    with a_run(context, extraction=ExtractionBounds(seconds=2 if name == "hang" else 20)) as run:
        save(
            ada, [sites.url(name, "127.0.7.1"), *[sites.url(each, f"127.0.7.{2 + n}") for n, each in enumerate(others)]]
        )
        save(bob, [sites.url(each, f"127.0.8.{2 + n}") for n, each in enumerate(others)])
        for attempt in (1, 2, 3):
            make_due()
            run.wake()
            assert eventually(lambda attempt=attempt: captures(ada)[name]["attempts"] == attempt, PATIENCE)  # type: ignore[misc]
            assert run.wait_until_idle(PATIENCE)
    found = captures(ada)
    assert words in found[name]["error"]
    assert {one: found[one]["status"] for one in found} == {name: "failed", **dict.fromkeys(others, "captured")}
    assert {found[one]["attempts"] for one in others} == {1}
    assert statuses(bob) == {"captured": 6}


def test_pages_that_hang_leave_a_process_to_others(ada: Api, bob: Api, context: Flask, sites: Sites) -> None:
    for each in ("hang", "quick"):
        sites.serve(each)
    save(ada, [sites.url("hang", f"127.0.9.{number}") for number in range(1, 9)])
    with a_run(context, extraction=ExtractionBounds(seconds=30)) as run:
        assert eventually(lambda: len(sites.order) >= 2, PATIENCE)
        bob.save(sites.url("quick", "127.0.10.1"), capture=True)
        run.wake()
        assert eventually(lambda: statuses(bob) == {"captured": 1}, 25)
        assert statuses(ada) == {"pending": 8}


def test_a_page_whose_process_was_killed_by_somebody_else_is_read_all_the_same(
    ada: Api, context: Flask, sites: Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next process gets the same body: its site is asked once."""
    sites.serve("kill-once")
    save(ada, [sites.url("kill-once", "127.0.11.1")])
    with a_run(context) as run:
        assert run.wait_until_idle(PATIENCE)
    assert statuses(ada) == {"captured": 1}
    assert sites.order == ["kill-once"]


def test_what_is_under_way_when_a_run_stops_is_due_at_once_and_was_never_tried(
    ada: Api, context: Flask, sites: Sites
) -> None:
    for number in range(12):
        sites.serve(f"p{number}")
    save(ada, [sites.url(f"p{number}", f"127.0.12.{number + 1}") for number in range(12)])
    sites.gate.clear()
    with a_run(context) as run:
        assert eventually(lambda: len(sites.order) == BOUNDS.alone, PATIENCE)
        redis_client().flushall()
        run.stop(0.1)
    rows = db.session.execute(
        text("SELECT capture_attempts, capture_claimed_at, capture_due_at <= now() FROM bookmarks")
    )
    assert {tuple(row) for row in rows} == {(0, None, True)}
    db.session.rollback()
    assert rq_queue("capture").count == 1
    sites.gate.set()
    read_due_pages()
    assert statuses(ada) == {"captured": 12}


def test_a_run_that_stops_finishes_what_ends_in_time(ada: Api, context: Flask, sites: Sites) -> None:
    sites.serve("slow", seconds=1)
    save(ada, [sites.url("slow", "127.0.13.1")])
    with a_run(context) as run:
        assert eventually(lambda: sites.order == ["slow"], PATIENCE)
        run.stop(PATIENCE)
    assert statuses(ada) == {"captured": 1}


def test_a_lease_is_renewed_while_a_page_is_read(ada: Api, context: Flask, sites: Sites) -> None:
    """Else another worker would read it too."""
    current_settings_lease = current_settings().CAPTURE_LEASE_SECONDS
    assert current_settings_lease > 10
    sites.serve("slow")
    save(ada, [sites.url("slow", "127.0.14.1")])
    sites.gate.clear()
    with a_run(context, lease_seconds=2) as run:
        assert eventually(lambda: sites.order == ["slow"], PATIENCE)
        db.session.execute(text("UPDATE bookmarks SET capture_due_at = now() + interval '2 seconds'"))
        db.session.commit()
        left = text("SELECT extract(epoch FROM capture_due_at - now()) > 10 FROM bookmarks")
        assert eventually(lambda: (db.session.rollback(), db.session.scalar(left))[1], PATIENCE)
        sites.gate.set()
        assert run.wait_until_idle(PATIENCE)
    assert captures(ada)["slow"] | {"captured_at": None} == {
        "status": "captured",
        "error": None,
        "captured_at": None,
        "attempts": 1,
    }
    assert sites.order == ["slow"]


def test_a_watched_capture_begins_and_ends_with_its_page(ada: Api, context: Flask, sites: Sites) -> None:
    sites.serve("page")
    saved = ada.save(sites.url("page", "127.0.15.1"))
    job = ada.post(f"/bookmarks/{saved['id']}/capture").json
    sites.gate.clear()
    with a_run(context) as run:
        assert eventually(lambda: ada.get(f"/jobs/{job['id']}").json["status"] == "running", PATIENCE)
        sites.gate.set()
        assert run.wait_until_idle(PATIENCE)
    ended = ada.get(f"/jobs/{job['id']}").json
    assert [ended["status"], ended["result"]] == ["succeeded", {"status": "captured", "reason": None}]
    assert [ended["attempts"], ended["error"]] == [1, None]
    assert ended["started_at"] <= ended["finished_at"]


def test_a_watched_capture_fails_with_the_reason_of_its_page(ada: Api, context: Flask, sites: Sites) -> None:
    sites.serve("gone", answer=response(410))
    saved = ada.save(sites.url("gone", "127.0.15.2"))
    job = ada.post(f"/bookmarks/{saved['id']}/capture").json
    read_due_pages()
    ended = ada.get(f"/jobs/{job['id']}").json
    assert [ended["status"], ended["error"]] == ["failed", "The page is gone for good (410)."]


def test_a_watched_capture_waits_with_its_page_and_keeps_no_lane_busy(ada: Api, context: Flask, sites: Sites) -> None:
    sites.serve("busy", answer=response(503))
    saved = ada.save(sites.url("busy", "127.0.15.3"))
    job = ada.post(f"/bookmarks/{saved['id']}/capture").json
    read_due_pages()
    assert ada.get(f"/jobs/{job['id']}").json["status"] == "queued"
    sites.serve("busy")
    make_due()
    read_due_pages()
    assert ada.get(f"/jobs/{job['id']}").json["status"] == "succeeded"


def test_a_watched_capture_whose_bookmark_is_deleted_ends(ada: Api, context: Flask) -> None:
    saved = ada.save("http://127.0.15.4/never")
    job = ada.post(f"/bookmarks/{saved['id']}/capture").json
    run_capture_job(job["id"])
    assert ada.get(f"/jobs/{job['id']}").json["status"] == "queued"
    ada.delete(f"/bookmarks/{saved['id']}", permanent="true")
    db.session.execute(text("UPDATE jobs SET run_after = now()"))
    db.session.commit()
    resend_due_jobs()
    assert f"job-{job['id']}" in rq_queue("maintenance").get_job_ids()
    run_capture_job(job["id"])
    ended = ada.get(f"/jobs/{job['id']}").json
    assert [ended["status"], ended["error"]] == ["failed", "The bookmark was deleted."]


def test_bodies_take_no_more_memory_than_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_limits, "MEMORY_WAIT_SECONDS", 0.05)
    room = BodyMemory(10 * UNLIMITED_BYTES)
    mine, again, yours = room.reservation(1), room.reservation(1), room.reservation(2)
    mine.take(5 * UNLIMITED_BYTES)
    again.take(UNLIMITED_BYTES)  # The beginning of a page always fits.
    beyond = room.reservation(1)
    beyond.take(2 * UNLIMITED_BYTES)  # One goes beyond, so that of many one ends.
    with pytest.raises(MemoryFull):
        again.take(1)
    yours.take(2 * UNLIMITED_BYTES)  # Nobody takes what is another's.
    with pytest.raises(MemoryFull):
        yours.take(UNLIMITED_BYTES)
    assert room.taken == 10 * UNLIMITED_BYTES
    mine.release()
    again.take(2 * UNLIMITED_BYTES)
    for part in (beyond, again, yours):
        part.release()
    assert room.taken == 0


def test_who_waits_for_memory_gets_it_when_another_lets_go() -> None:
    room = BodyMemory(4 * UNLIMITED_BYTES)
    first, beyond, second = room.reservation(1), room.reservation(1), room.reservation(1)
    first.take(2 * UNLIMITED_BYTES)
    beyond.take(2 * UNLIMITED_BYTES)
    for part in (first, beyond):
        threading.Timer(0.1, part.release).start()
    second.take(2 * UNLIMITED_BYTES)
    assert eventually(lambda: room.taken == 2 * UNLIMITED_BYTES)


def test_pages_too_large_to_be_read_together_are_read_one_after_another(
    ada: Api, context: Flask, sites: Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "BODY_BYTES", 0)
    monkeypatch.setattr(claim_fetch, "MEMORY_FULL_SECONDS", 1)
    monkeypatch.setattr(current_settings(), "CAPTURE_MAX_BYTES", 1024 * 1024)
    large = response(200, PAGE + b" " * 800_000, content_type="text/html")
    for number in range(8):
        sites.serve(f"large{number}", answer=large)
    save(ada, [sites.url(f"large{number}", f"127.0.16.{number + 1}") for number in range(8)])
    taken = []
    with a_run(context) as run:
        assert eventually(lambda: taken.append(run._memory.taken) or statuses(ada) == {"captured": 8}, PATIENCE)
    assert max(taken) <= 2 * 1024 * 1024 + 8 * UNLIMITED_BYTES


def test_a_page_that_the_database_refuses_fails_alone(ada: Api, context: Flask, sites: Sites) -> None:
    for each in ("unstorable", "good"):
        sites.serve(each)
    save(ada, [sites.url(each, f"127.0.17.{number}") for number, each in enumerate(("unstorable", "good"), 1)])
    with a_run(context) as run:
        assert run.wait_until_idle(PATIENCE)
    found = captures(ada)
    assert [found["good"]["status"], found["unstorable"]["status"]] == ["captured", "pending"]
    assert [found["unstorable"]["attempts"], found["unstorable"]["error"]] == [1, "The page could not be read."]
