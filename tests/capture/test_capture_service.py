"""Capturing through the service: claims, what is filled, how failures end (DESIGN decisions 1 and 2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.capture.jobs import resend_due_pages
from backend.capture.turns import is_capture_due
from backend.extensions import db
from backend.jobs.queue import rq_queue
from backend.redis.client import redis_client
from tests.capture.local_server import LocalServer, response, running
from tests.capture.waiting import capture
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
PAGE = b"""<html lang="en"><head><title>Tide tables</title><meta name="description" content="From the page"></head>
<body><article><p>The tide tables of the harbour were printed on yellow paper, and sold by the pilots.</p>
</article></body></html>"""


@pytest.fixture
def site() -> Iterator[LocalServer]:
    with running("127.0.0.1") as server:
        server.answers["/page"] = response(200, PAGE, content_type="text/html")
        yield server


@pytest.fixture
def now(context: Flask) -> Flask:
    return context


def read(ada: Api, bookmark_id: int) -> dict[str, Any]:
    found: dict[str, Any] = ada.get(f"/bookmarks/{bookmark_id}").json
    return found


def make_due(bookmark_id: int) -> None:
    db.session.execute(text("UPDATE bookmarks SET capture_due_at = now() WHERE id = :id"), {"id": bookmark_id})
    db.session.commit()


def test_a_capture_fills_only_what_the_person_left_empty(now: Flask, ada: Api, site: LocalServer) -> None:
    mine = ada.save(site.url("/page"), title="My own title", capture=True)
    assert mine["capture"] == {"status": "pending", "error": None, "captured_at": None, "attempts": 0}
    assert capture(mine["id"]).status == "captured"
    found = read(ada, mine["id"])
    assert (found["title"], found["description"]) == ("My own title", "From the page")
    assert found["capture"]["status"] == "captured"
    assert found["capture"]["captured_at"].endswith("Z")
    assert found["language"] == "en"
    assert found["word_count"] > 10
    assert found["reading_minutes"] == 1
    content = ada.get(f"/bookmarks/{mine['id']}/content").json
    assert content["title"] == "Tide tables"
    assert "yellow paper" in content["text"]
    assert "<p>" in content["html"]
    assert ada.get("/search", q="pilots", mode="text").json["total"] == 1


def test_a_second_capture_finds_nothing_to_do(now: Flask, ada: Api, site: LocalServer) -> None:
    saved = ada.save(site.url("/page"), capture=True)
    assert capture(saved["id"]).status == "captured"
    assert capture(saved["id"]).status == "captured"
    assert site.paths == ["/page"]


@pytest.mark.parametrize(
    ("path", "answer", "status", "words"),
    [
        ("/gone", response(410), "failed", "410"),
        ("/missing", response(404), "failed", "404"),
        ("/picture", response(200, b"\x89PNG", content_type="image/png"), "skipped", "image/png"),
        ("/empty", response(200, b"", content_type="text/html"), "failed", "empty"),
    ],
)
def test_what_cannot_be_read_ends_at_once_with_a_reason(
    now: Flask, ada: Api, site: LocalServer, path: str, answer: bytes, status: str, words: str
) -> None:
    site.answers[path] = answer
    saved = ada.save(site.url(path), capture=True)
    assert capture(saved["id"]).status == status
    found = read(ada, saved["id"])["capture"]
    assert found["status"] == status
    assert words in found["error"]
    assert found["attempts"] == 1
    assert not is_capture_due()


def test_what_may_work_later_is_tried_three_times(now: Flask, ada: Api, site: LocalServer) -> None:
    site.answers["/busy"] = response(503)
    saved = ada.save(site.url("/busy"), capture=True)
    waits = []
    for attempt in (1, 2):
        outcome = capture(saved["id"])
        assert outcome.status == "pending"
        waits.append(outcome.retry_seconds)
        assert capture(saved["id"]).status == "busy"
        assert read(ada, saved["id"])["capture"]["attempts"] == attempt
        make_due(saved["id"])
    assert waits[1] > waits[0]
    assert capture(saved["id"]).status == "failed"
    assert "503" in read(ada, saved["id"])["capture"]["error"]
    assert len(site.paths) == 3


def test_a_site_says_when_to_come_back(now: Flask, ada: Api, site: LocalServer) -> None:
    site.answers["/limited"] = response(429, retry_after="1234")
    saved = ada.save(site.url("/limited"), capture=True)
    assert capture(saved["id"]).retry_seconds == 1234


def test_a_page_that_ends_its_worker_each_time_is_given_up(now: Flask, ada: Api, site: LocalServer) -> None:
    saved = ada.save(site.url("/page"), capture=True)
    db.session.execute(text("UPDATE bookmarks SET capture_attempts = 3 WHERE id = :id"), {"id": saved["id"]})
    db.session.commit()
    assert capture(saved["id"]).status == "failed"
    assert site.paths == []


def test_a_worker_that_lost_its_claim_writes_nothing(now: Flask, ada: Api, site: LocalServer) -> None:
    saved = ada.save(site.url("/slow"), capture=True)

    def answer(connection: Any) -> None:
        with now.app_context():
            db.session.execute(text("UPDATE bookmarks SET capture_attempts = 2 WHERE id = :id"), {"id": saved["id"]})
            db.session.commit()
            db.session.remove()
        connection.sendall(response(200, PAGE, content_type="text/html"))

    site.answers["/slow"] = answer
    assert capture(saved["id"]).status == "gone"
    found = read(ada, saved["id"])
    assert (found["title"], found["capture"]["status"]) == ("", "pending")


def test_a_bookmark_in_the_trash_is_not_read(now: Flask, ada: Api, site: LocalServer) -> None:
    saved = ada.save(site.url("/page"), capture=True)
    ada.delete(f"/bookmarks/{saved['id']}")
    assert capture(saved["id"]).status == "gone"
    assert site.paths == []


def test_private_addresses_are_refused_in_words(now: Flask, ada: Api) -> None:
    saved = ada.save("http://10.0.0.1/", capture=True)
    assert capture(saved["id"]).status == "failed"
    assert read(ada, saved["id"])["capture"]["error"]


def test_the_schedulers_pass_sends_one_message_for_all_that_lost_theirs(
    now: Flask, ada: Api, site: LocalServer
) -> None:
    for number in range(3):
        ada.save(site.url(f"/page?{number}"), capture=True)
    redis_client().flushall()
    resend_due_pages()
    resend_due_pages()
    assert [job.func_name for job in rq_queue("capture").get_jobs()] == ["capture.read_due_pages"]
