"""Checks of captured links, over a local server: which are marked as broken, when, and what takes the mark back."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.capture.jobs import check_links, schedule_link_checks
from backend.capture.link_checks import checking
from backend.capture.link_checks.checking import CheckRun
from backend.capture.link_checks.service import claim_links, schedule_checks
from backend.extensions import current_settings, db
from tests.capture.local_server import LocalServer, redirect, reset, response
from tests.support.api import Api
from tests.support.processes import free_port
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
CAPTURED = text("""
    UPDATE bookmarks SET capture_status = 'captured', capture_error = NULL, captured_at = now() - interval '60 days'
""")


@pytest.fixture(autouse=True)
def _checked_weekly(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = context.extensions["settings"].model_copy(update={"LINK_CHECK_DAYS": 7})
    monkeypatch.setitem(context.extensions, "settings", settings)
    monkeypatch.setattr(checking, "PAUSE_SECONDS", 0.0)


def execute(statement: Any, **values: Any) -> None:
    db.session.execute(text(statement) if isinstance(statement, str) else statement, values)
    db.session.commit()


def captured(person: Api, *urls: str) -> list[int]:
    """Bookmarks that were captured long ago."""
    ids = [int(person.save(url)["id"]) for url in urls]
    execute(CAPTURED)
    schedule_checks()
    return ids


def check(*, day_later: bool = False) -> int:
    """Check all that is there, as if it were due."""
    if day_later:
        execute("UPDATE link_checks SET failed_on = failed_on - 1")
    execute("UPDATE link_checks SET due_at = now() - interval '1 second'")
    return CheckRun(current_settings(), pause_seconds=0.0).work(30)


def state(person: Api, bookmark_id: int) -> tuple[str, str | None]:
    capture = person.get(f"/bookmarks/{bookmark_id}").json["capture"]
    return capture["status"], capture["error"]


def broken(person: Api) -> list[int]:
    return [item["id"] for item in person.get("/bookmarks", q="is:broken").json["items"]]


def days_until_check(bookmark_id: int) -> int:
    statement = text(
        "SELECT round(extract(epoch FROM due_at - now()) / 86400) FROM link_checks WHERE bookmark_id = :id"
    )
    return int(db.session.execute(statement, {"id": bookmark_id}).scalar_one())


@pytest.mark.parametrize(
    ("status", "reason"), [(404, "There is no page at this address (404)."), (410, "The page is gone for good (410).")]
)
def test_a_page_that_is_gone_is_broken_at_once(ada: Api, server: LocalServer, status: int, reason: str) -> None:
    server.answers["/gone"] = response(status)
    url = server.url("/gone")
    [bookmark_id] = captured(ada, url)
    assert broken(ada) == []
    check()
    told = f"{reason} The Internet Archive may have a copy: https://web.archive.org/web/{url}"
    assert state(ada, bookmark_id) == ("failed", told)
    assert broken(ada) == [bookmark_id]
    # The archive is named, and never asked.
    assert server.paths == ["/gone"]


@pytest.mark.parametrize("fault", ["nobody listens", "reset", "500"])
def test_a_site_that_does_not_answer_is_broken_after_three_different_days(
    ada: Api, server: LocalServer, fault: str
) -> None:
    server.answers |= {"/reset": reset, "/500": response(500)}
    url = f"http://127.0.0.1:{free_port()}/" if fault == "nobody listens" else server.url(f"/{fault}")
    [bookmark_id] = captured(ada, url)
    for _ in range(3):
        check()
    assert state(ada, bookmark_id) == ("captured", None), "three failures of one day are one"
    check(day_later=True)
    assert state(ada, bookmark_id) == ("captured", None)
    assert days_until_check(bookmark_id) == 1
    check(day_later=True)
    assert state(ada, bookmark_id)[0] == "failed"
    assert days_until_check(bookmark_id) == 7


def test_a_failure_that_passes_is_forgotten(ada: Api, server: LocalServer) -> None:
    [bookmark_id] = captured(ada, server.url("/page"))
    for status in (503, 503, 200, 503, 503):
        server.answers["/page"] = response(status)
        check(day_later=True)
    assert state(ada, bookmark_id) == ("captured", None)


def test_a_page_that_is_back_is_not_broken_any_more(ada: Api, server: LocalServer) -> None:
    [bookmark_id] = captured(ada, server.url("/page"))
    check()
    assert broken(ada) == [bookmark_id]
    server.answers["/page"] = response(200)
    check()
    assert state(ada, bookmark_id) == ("captured", None)
    assert broken(ada) == []


@pytest.mark.parametrize("status", [401, 403, 429, 451])
def test_a_site_that_refuses_is_not_dead(ada: Api, server: LocalServer, status: int) -> None:
    server.answers["/page"] = response(status)
    [bookmark_id] = captured(ada, server.url("/page"))
    check()
    assert state(ada, bookmark_id) == ("captured", None)


def test_the_next_request_is_conditional(ada: Api, server: LocalServer) -> None:
    server.answers["/page"] = response(200, etag='"v1"', last_modified="Sat, 31 Jan 2026 12:00:00 GMT")
    [bookmark_id] = captured(ada, server.url("/page"))
    check()
    server.answers["/page"] = response(304)
    for _ in range(2):
        check()
        sent = server.requests[-1].headers
        assert sent["if-none-match"] == '"v1"'
        assert sent["if-modified-since"] == "Sat, 31 Jan 2026 12:00:00 GMT"
    assert "if-none-match" not in server.requests[0].headers
    assert state(ada, bookmark_id) == ("captured", None)
    assert days_until_check(bookmark_id) == 7


def test_validators_are_for_the_address_that_gave_them(ada: Api, server: LocalServer) -> None:
    server.answers |= {"/page": response(200, etag='"v1"'), "/new": response(200)}
    [bookmark_id] = captured(ada, server.url("/page"))
    check()
    ada.patch(f"/bookmarks/{bookmark_id}", {"url": server.url("/new"), "capture": False})
    execute(CAPTURED)
    check()
    assert server.requests[-1].path == "/new"
    assert "if-none-match" not in server.requests[-1].headers


def test_redirects_are_followed_and_the_body_is_not_read(ada: Api, server: LocalServer) -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    server.answers |= {"/old": redirect("/new"), "/new": endless, "/lost": redirect("/nothing")}
    alive, dead = captured(ada, server.url("/old"), server.url("/lost"))
    check()
    assert state(ada, alive) == ("captured", None)
    assert broken(ada) == [dead]


def test_private_addresses_are_not_asked(ada: Api) -> None:
    with pytest.MonkeyPatch.context() as patch:
        settings = current_settings().model_copy(update={"CAPTURE_ALLOWED_NETWORKS": []})
        patch.setitem(ada.app.extensions, "settings", settings)
        [bookmark_id] = captured(ada, "http://127.0.0.1:9/")
        assert check() == 1
    assert state(ada, bookmark_id) == ("captured", None)


def test_only_one_of_a_host_is_taken_and_the_first_of_everybody_before_the_second_of_anybody(
    ada: Api, bob: Api
) -> None:
    of_ada = captured(ada, *(f"https://{name}.example/{n}" for name in ("a", "b", "c") for n in range(5)))
    of_bob = captured(bob, "https://d.example/")
    execute("UPDATE link_checks SET due_at = now() - interval '1 hour'")
    execute("UPDATE link_checks SET due_at = now() - interval '1 second' WHERE bookmark_id = :id", id=of_bob[0])
    claims = claim_links(2, busy=["a.example"])
    assert {claim.bookmark_id for claim in claims} & set(of_bob)
    assert {claim.host for claim in claims} < {"b.example", "c.example", "d.example"}
    again = claim_links(10, busy=[])
    assert not {claim.bookmark_id for claim in claims} & {claim.bookmark_id for claim in again}
    assert {claim.host for claim in again} == {"a.example", "b.example", "c.example"}
    assert {claim.bookmark_id for claim in again} <= set(of_ada)


def test_what_has_another_address_by_now_is_not_marked(ada: Api, server: LocalServer) -> None:
    [bookmark_id] = captured(ada, server.url("/gone"))

    def change_address(connection: socket.socket) -> None:
        ada.patch(f"/bookmarks/{bookmark_id}", {"url": server.url("/new"), "capture": False})
        connection.sendall(response(404))

    server.answers["/gone"] = change_address
    check()
    assert state(ada, bookmark_id)[0] == "skipped"


def test_what_was_deleted_is_not_asked_for(ada: Api, server: LocalServer) -> None:
    [bookmark_id] = captured(ada, server.url("/page"))
    ada.delete(f"/bookmarks/{bookmark_id}")
    check()
    assert server.paths == []


def test_checks_are_off_unless_they_are_asked_for(ada: Api, server: LocalServer, context: Flask) -> None:
    captured(ada, server.url("/page"))
    execute("DELETE FROM link_checks")
    context.extensions["settings"] = current_settings().model_copy(update={"LINK_CHECK_DAYS": 0})
    schedule_link_checks()
    check_links()
    assert db.session.scalar(text("SELECT count(*) FROM link_checks")) == 0
    assert server.paths == []


def test_first_checks_are_spread_over_the_interval(ada: Api) -> None:
    ids = captured(ada, *(f"https://example.org/{n}" for n in range(40)))
    schedule_checks()
    days = {days_until_check(bookmark_id) for bookmark_id in ids}
    assert len(days) > 3
    assert days <= set(range(-7, 8))


def test_a_claim_takes_one_statement(ada: Api, sql: SqlCounter) -> None:
    captured(ada, *(f"https://{n}.example/" for n in range(20)))
    execute("UPDATE link_checks SET due_at = now()")
    with sql.at_most(1):
        assert len(claim_links(8, busy=[])) == 8
