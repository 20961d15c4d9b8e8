"""The audit trail of an account (R-LOG 6)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from backend.auth.events import record_event
from backend.auth.jobs import purge_security_events
from backend.extensions import db
from tests.support.api import Api
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]

ROOT = Path(__file__).parent.parent.parent


def record(user_id: int | None, *kinds: str) -> None:
    for kind in kinds:
        record_event(user_id, kind)
        db.session.commit()


@pytest.mark.unit
def test_the_documents_name_every_kind() -> None:
    recorded: set[str] = set()
    for path in (ROOT / "backend").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "record_event":
                kind = call.args[1]
                kinds = [kind.body, kind.orelse] if isinstance(kind, ast.IfExp) else [kind]
                recorded |= {str(one.value) for one in kinds if isinstance(one, ast.Constant)}
    text = (ROOT / "docs" / "security.md").read_text()
    told = re.search(r"\*\*Security events\*\*(.*?)\n- ", text, re.DOTALL)
    assert told is not None
    assert set(re.findall(r"`([a-z_]+)`", told[1])) == recorded


def test_events_are_listed_newest_first_and_page_by_page(ada: Api, context: Flask) -> None:
    record(ada.user_id, "login", "logout", "password_changed")
    first = ada.get("/profile/security-events", page_size=2).json
    assert [item["kind"] for item in first["items"]] == ["password_changed", "logout"]
    assert first["total"] == 3
    rest = ada.get("/profile/security-events", page_size=2, cursor=first["next_cursor"]).json
    assert [item["kind"] for item in rest["items"]] == ["login"]
    assert rest["next_cursor"] is None


def test_an_event_says_what_happened_from_where(ada: Api, context: Flask) -> None:
    with context.test_request_context(headers={"User-Agent": "x" * 600}, environ_base={"REMOTE_ADDR": "192.0.2.7"}):
        record_event(ada.user_id, "login_failed", organization_id=ada.organization_id, detail={"reason": "password"})
        db.session.commit()
    [event] = ada.get("/profile/security-events").json["items"]
    assert event["ip"] == "192.0.2.7"
    assert event["user_agent"] == "x" * 500
    assert event["organization_id"] == ada.organization_id
    assert event["detail"] == {"reason": "password"}
    assert event["created_at"].endswith("Z")


def test_what_the_worker_does_has_no_address(ada: Api, context: Flask) -> None:
    record(ada.user_id, "user_disabled")
    [event] = ada.get("/profile/security-events").json["items"]
    assert (event["ip"], event["user_agent"], event["detail"]) == ("", "", {})


def test_nobody_sees_events_of_others_or_of_nobody(ada: Api, bob: Api, context: Flask) -> None:
    record(ada.user_id, "login")
    record(None, "login_failed")
    assert bob.get("/profile/security-events").json["items"] == []
    assert ada.get("/profile/security-events").json["total"] == 1


def test_recording_is_one_statement_and_reading_two(ada: Api, context: Flask, sql: SqlCounter) -> None:
    with sql.at_most(1):
        record(ada.user_id, "login")
    with sql.at_most(3):
        ada.get("/profile/security-events")


def test_after_a_year_events_are_gone(ada: Api, context: Flask) -> None:
    record(ada.user_id, "login", "logout")
    db.session.execute(text("UPDATE security_events SET created_at = now() - interval '366 days' WHERE kind = 'login'"))
    db.session.commit()
    purge_security_events()
    assert [item["kind"] for item in ada.get("/profile/security-events").json["items"]] == ["logout"]
