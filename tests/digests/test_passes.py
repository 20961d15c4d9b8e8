"""Digests come once a week, whatever is killed, fails, or runs twice; a pass makes a bounded number."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import text

from backend.admin.service import set_disabled
from backend.clock import utc_now
from backend.digests import jobs, service
from backend.digests.contents import Offer
from backend.digests.recipients import Recipient, claim_recipient
from backend.digests.schedule import next_due, week_of
from backend.extensions import db
from backend.jobs.queue import rq_queue
from backend.mail.jobs import resend_due_mails
from tests.digests.conftest import Deliver
from tests.digests.reading import listed
from tests.digests.subscribers import DUE, due_at, execute, next_week, subscribe
from tests.profile.teams import make_team
from tests.support.api import PASSWORD, Api
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


def test_it_comes_once_a_week_whatever_runs_twice(ada: Api, deliver: Deliver) -> None:
    ada.save("https://example.org/new", title="New")
    subscribe(ada)
    assert len(deliver()) == 1
    week = week_of(utc_now(), ZoneInfo("UTC"), "monday")
    assert due_at(ada) == next_due(utc_now(), ZoneInfo("UTC"), "monday", week)
    ada.save("https://example.org/newer", title="Newer")
    execute(ada, DUE)
    assert deliver() == []
    assert due_at(ada) > utc_now()
    next_week(ada)
    [mail] = deliver()
    assert listed(mail, "New and unread: 2") == ["Newer", "New"]


def test_of_many_workers_one_makes_it(ada: Api, bob: Api, app: Flask, deliver: Deliver) -> None:
    ada.save("https://example.org/new", title="New")
    bob.save("https://example.org/new", title="New")
    subscribe(ada, bob)

    def work(_: int) -> None:
        with app.app_context():
            jobs.make_due_digests()
            db.session.remove()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert sorted(mail["To"] for mail in deliver()) == ["ada@example.org", "bob@example.org"]


@pytest.mark.parametrize("step", ["offer", "add_mail", "schedule", "send"])
def test_it_comes_once_though_its_process_dies(
    ada: Api, deliver: Deliver, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    ada.save("https://example.org/new", title="New")
    subscribe(ada)

    def die(*_: Any, **__: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr(service, step, die)
        with pytest.raises(SystemExit):
            deliver()
    assert deliver() == []  # Until the lease ends.
    execute(ada, DUE)
    with ada.app.app_context():
        resend_due_mails()  # What was committed before its message was sent.
    assert len(deliver()) == 1
    execute(ada, DUE)
    assert deliver() == []


def test_one_failure_holds_up_nobody_and_is_tried_again_in_an_hour(
    ada: Api, bob: Api, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for person in (ada, bob):
        person.save("https://example.org/new", title="New")
    subscribe(ada, bob)
    offer = service.offer

    def fail_for_ada(recipient: Recipient) -> Offer | None:
        if recipient.id == ada.user_id:
            db.session.execute(text("SELECT 1 / 0"))
        return offer(recipient)

    with monkeypatch.context() as broken:
        broken.setattr(service, "offer", fail_for_ada)
        assert [mail["To"] for mail in deliver()] == ["bob@example.org"]
    assert timedelta(minutes=55) < due_at(ada) - utc_now() < timedelta(minutes=61)
    execute(ada, DUE)
    assert [mail["To"] for mail in deliver()] == ["ada@example.org"]


@pytest.mark.parametrize("reason", ["not verified", "disabled", "deleted", "switched off"])
def test_who_may_not_get_it_gets_none(ada: Api, deliver: Deliver, context: Flask, reason: str) -> None:
    ada.save("https://example.org/new", title="New")
    subscribe(ada)
    if reason == "not verified":
        execute(ada, "UPDATE users SET email_verified_at = NULL")
    elif reason == "disabled":
        set_disabled(ada.user_id, True)
    elif reason == "deleted":
        assert ada.request("DELETE", "/profile", json={"password": PASSWORD}).status_code == 204
    else:
        ada.patch("/profile", {"digest": False})
    assert deliver() == []
    assert due_at(ada) is None or due_at(ada) > utc_now() + timedelta(minutes=30)


@pytest.mark.parametrize("change", ["disabled", "another address", "switched off"])
def test_who_may_not_get_it_any_more_when_it_is_made_gets_none(
    ada: Api, deliver: Deliver, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    ada.save("https://example.org/new", title="New")
    subscribe(ada)
    offer = service.offer
    statements = {
        "disabled": "UPDATE users SET disabled_at = now()",
        "another address": "UPDATE users SET email = 'x@example.org', email_verified_at = now()",
        "switched off": "UPDATE users SET digest_due_at = NULL",
    }

    def meanwhile(recipient: Recipient) -> Offer | None:
        db.session.execute(text(statements[change]))
        db.session.commit()
        return offer(recipient)

    monkeypatch.setattr(service, "offer", meanwhile)
    assert deliver() == []
    assert execute(ada, "SELECT count(*) FROM digests")[0] == 0
    assert (due_at(ada) is None) == (change == "switched off")


def test_a_pass_makes_a_bounded_number_the_longest_due_first(
    ada: Api, bob: Api, person: Callable[..., Api], deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [ada, bob, person("cy")]
    for one in people:
        one.save("https://example.org/new", title="New")
    subscribe(*people)
    execute(ada, "UPDATE users SET digest_due_at = now() - interval '1 hour' * id")
    monkeypatch.setattr(jobs, "MOST_AT_ONCE", 2)
    assert [mail["To"] for mail in deliver()] == ["cy@example.org", "bob@example.org"]
    with ada.app.app_context():
        assert "digests.make_due_digests" in [job.func_name for job in rq_queue("bulk").get_jobs()]
        rq_queue("bulk").empty()
    assert [mail["To"] for mail in deliver()] == ["ada@example.org"]
    with ada.app.app_context():
        jobs.resend_due_digests()
        assert rq_queue("bulk").count == 0


def test_who_is_due_is_found_by_the_index(ada: Api, context: Flask, sql: SqlCounter) -> None:
    subscribe(ada)
    sql.clear()
    assert claim_recipient() is not None
    [statement], [values] = sql.statements, sql.parameters
    # Of a table of a few rows all are as soon read in any other way.
    for method in ("seqscan", "bitmapscan"):
        db.session.execute(text(f"SET LOCAL enable_{method} = off"))
    plan = db.session.connection().exec_driver_sql(f"EXPLAIN {statement}", values).scalars().all()
    assert any("Index Scan using ix_users_digest_due" in line for line in plan), plan
    assert not any("Sort" in line for line in plan), plan


def test_the_statements_for_a_person_do_not_depend_on_rows(
    ada: Api, bob: Api, context: Flask, deliver: Deliver, sql: SqlCounter
) -> None:
    def count(person: Api) -> list[str]:
        execute(person, "UPDATE users SET digest_due_at = NULL")
        subscribe(person)
        sql.clear()
        assert service.make_next_digest()
        return list(sql.statements)

    def fill(person: Api, number: int) -> None:
        for place in range(number):
            person.save(f"https://example.org/{place}", title=f"New {place}", tags=["a", "b"])
            person.save(f"https://read.example.org/{place}", title=f"Read {place}", tags=["a"], is_read=True)
            person.save(f"https://old.example.org/{place}", title=f"Old {place}", created_at="2025-01-01T00:00:00Z")
            person.post("/tasks", {"title": f"Task {place}", "due_at": datetime.now(UTC).isoformat()})
            make_team(f"Team of {person.user_id}, {place}", owner=person)

    fill(ada, 1)
    fill(bob, 8)
    few, many = count(ada), count(bob)
    assert len(few) == len(many) <= 20, many
