"""The activity log: each write leaves its event, in its transaction; rows are added and purged, never changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.activity import roll_ups
from backend.activity.jobs import make_partitions, purge
from backend.activity.log import record_activity_in
from backend.activity.types import AUDIENCES, SERIES, ActivityType
from backend.capture.extract.indexed_page import read_page
from backend.capture.fetch import FetchedPage
from backend.capture.service import store_outcome
from backend.clock import utc_now
from backend.database import execute_in_batches
from backend.extensions import current_settings, db
from backend.profile.deletion import remove_deleted
from config import Settings
from tests.capture.waiting import add_waiting, claim
from tests.support.api import PASSWORD, Api
from tests.support.sql import SqlCounter
from tests.transfer.conftest import imported

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
ROOT = Path(__file__).parents[2]
# A URL that no capture is asked for: the worker is not part of these tests.
URL = "https://example.org/"
NOTE = "".join(map(chr, range(32, 3000)))
INSERT = text("""
    INSERT INTO activity (organization_id, type, object_type, created_at, data)
    VALUES (:organization, :type, 'bookmark', :moment, CAST(:data AS jsonb))
""")
PLACES = text("SELECT created_at, tableoid::regclass::text AS partition FROM activity ORDER BY created_at")
COUNTS = text("SELECT series, bucket, count FROM activity_counts WHERE source = '' ORDER BY 1, 2")

Call = Callable[[Api, dict[str, Any]], Any]


def events(app: Flask, after: int = 0) -> list[Any]:
    """The rows of the log, the oldest first."""
    with app.app_context():
        rows = db.session.execute(text("SELECT * FROM activity WHERE id > :after ORDER BY id"), {"after": after}).all()
        db.session.remove()
    return list(rows)


def made(ada: Api) -> dict[str, Any]:
    """One of each: a bookmark with a tag, a project, a task."""
    bookmark = ada.save(URL, tags=["old", "other"])
    project = ada.post("/projects", {"name": "P"}).json
    task = ada.post("/tasks", {"title": "T"}).json
    tags = {tag["name"]: tag["id"] for tag in ada.get("/tags").json["items"]}
    return {"bookmark": bookmark["id"], "project": project["id"], "task": task["id"], "tags": tags}


WRITES: list[tuple[Call, list[tuple[str, str | None, dict[str, Any]]]]] = [
    (lambda a, _: a.save(f"{URL}new"), [("bookmark.created", "new", {})]),
    (lambda a, m: a.post("/bookmarks", {"url": URL, "title": "again"}), [("bookmark.merged", "bookmark", {})]),
    (lambda a, m: a.post("/bookmarks/bulk", {"items": [{"url": f"{URL}{n}"} for n in range(3)] + [{"url": URL}]}),
     [("bookmark.created", None, {"count": 3, "merged": 1})]),
    (lambda a, m: a.patch(f"/bookmarks/{m['bookmark']}", {"title": "x", "is_read": True}),
     [("bookmark.updated", "bookmark", {"fields": ["is_read", "title"]})]),
    (lambda a, m: a.delete(f"/bookmarks/{m['bookmark']}"), [("bookmark.deleted", "bookmark", {})]),
    (lambda a, m: a.delete(f"/bookmarks/{m['bookmark']}", permanent="true"),
     [("bookmark.deleted", "bookmark", {"permanent": True})]),
    (lambda a, m: a.post("/bookmarks/actions", {"ids": [m["bookmark"]], "action": "favorite"}),
     [("bookmark.updated", None, {"action": "favorite", "count": 1})]),
    (lambda a, m: a.post("/bookmarks/actions", {"ids": [m["bookmark"]], "action": "delete"}),
     [("bookmark.deleted", None, {"action": "delete", "count": 1})]),
    (lambda a, m: a.put(f"/projects/{m['project']}/bookmarks/{m['bookmark']}", {}),
     [("bookmark.attached", "bookmark", {"project_id": "project"})]),
    (lambda a, m: a.post(f"/bookmarks/{m['bookmark']}/capture"), [("bookmark.capture_requested", "bookmark", {})]),
    (lambda a, m: a.post("/feedback", {"bookmark_id": m["bookmark"], "kind": "opened"}),
     [("bookmark.recommendation_opened", "bookmark", {})]),
    (lambda a, m: a.post("/feedback", {"bookmark_id": m["bookmark"], "kind": "relevant"}),
     [("bookmark.feedback_given", "bookmark", {"kind": "relevant"})]),
    (lambda a, m: a.patch(f"/tags/{m['tags']['old']}", {"name": "new"}), [("tag.renamed", "old", {})]),
    (lambda a, m: a.post(f"/tags/{m['tags']['old']}/merge", {"into_id": m["tags"]["other"]}),
     [("tag.merged", "old", {"into_id": "other"})]),
    (lambda a, m: a.delete(f"/tags/{m['tags']['old']}"), [("tag.deleted", "old", {})]),
    (lambda a, m: a.patch(f"/projects/{m['project']}", {"status": "done"}),
     [("project.updated", "project", {"fields": ["status"], "status": "done"})]),
    (lambda a, m: a.delete(f"/projects/{m['project']}"), [("project.deleted", "project", {})]),
    (lambda a, m: a.patch(f"/tasks/{m['task']}", {"status": "done"}),
     [("task.completed", "task", {"fields": ["status"], "status": "done"})]),
    (lambda a, m: a.patch(f"/tasks/{m['task']}", {"title": "x"}), [("task.updated", "task", {"fields": ["title"]})]),
    (lambda a, m: a.post("/tasks/bulk", {"items": [{"title": "a"}, {"title": "b", "status": "done"}]}),
     [("task.created", None, {"count": 2}), ("task.completed", None, {"count": 1})]),
    (lambda a, m: a.post(f"/tasks/{m['task']}/move", {"parent_id": None}), [("task.moved", "task", {})]),
    (lambda a, m: a.delete(f"/tasks/{m['task']}"), [("task.deleted", "task", {})]),
]  # fmt: skip


@pytest.mark.parametrize(("write", "expected"), WRITES)
def test_each_write_leaves_its_events_by_one_statement(
    ada: Api, sql: SqlCounter, write: Call, expected: list[tuple[str, str | None, dict[str, Any]]]
) -> None:
    things = made(ada)
    known = {**things, **things["tags"]}
    last = events(ada.app)[-1].id
    sql.clear()
    answer = write(ada, things)
    status, body = (201, answer) if isinstance(answer, dict) else (answer.status_code, answer.get_json(silent=True))
    assert status < 300
    inserts = [statement for statement in sql.statements if "INSERT INTO activity" in statement]
    rows = events(ada.app, last)
    assert len(inserts) == 1
    assert [(row.type, row.object_id, row.data) for row in rows] == [
        (kind, known.get(name, (body or {}).get("id")) if name else None, _numbered(data, known))
        for kind, name, data in expected
    ]
    assert {(row.organization_id, row.user_id) for row in rows} == {(ada.organization_id, ada.user_id)}
    assert {row.object_type for row in rows} == {row.type.partition(".")[0] for row in rows}


def _numbered(data: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    return {name: known[value] if name.endswith("_id") else value for name, value in data.items()}


def test_restores_and_detachments_are_events_too_and_carry_the_request_id(ada: Api) -> None:
    things = made(ada)
    ada.put(f"/projects/{things['project']}/bookmarks/{things['bookmark']}", {})
    last = events(ada.app)[-1].id
    ada.delete(f"/projects/{things['project']}/bookmarks/{things['bookmark']}")
    for path in (f"/bookmarks/{things['bookmark']}", f"/tasks/{things['task']}", f"/projects/{things['project']}"):
        ada.delete(path)
        assert ada.post(f"{path}/restore", headers={"X-Request-ID": "back-again"}).status_code == 200
    kinds = [row.type for row in events(ada.app, last)]
    assert kinds == [
        *("bookmark.detached", "bookmark.deleted", "bookmark.restored"),
        *("task.deleted", "task.restored", "project.deleted", "project.restored"),
    ]
    assert {row.request_id for row in events(ada.app, last) if row.type.endswith("restored")} == {"back-again"}


def test_what_changes_nothing_leaves_no_event(ada: Api) -> None:
    bookmark = ada.save(URL)
    last = events(ada.app)[-1].id
    assert ada.post("/bookmarks", {"url": URL}, query_string={"on_duplicate": "error"}).status_code == 409
    assert ada.post("/bookmarks", {"url": URL}, query_string={"on_duplicate": "keep"}).status_code == 200
    assert ada.patch("/bookmarks/999999", {"title": "x"}).status_code == 404
    assert ada.post("/bookmarks/actions", {"ids": [bookmark["id"]], "action": "unread"}).json == {"affected": 0}
    assert ada.post(f"/bookmarks/{bookmark['id']}/restore").status_code == 200
    assert events(ada.app, last) == []


def test_a_rolled_back_transaction_leaves_no_event(context: Flask, ada: Api) -> None:
    record_activity_in(ada.organization_id, ada.user_id, ActivityType.TASK_MOVED, 1)
    db.session.rollback()
    db.session.commit()
    assert not [row for row in events(context) if row.type == "task.moved"]


def test_rows_are_not_changed_but_for_a_person_who_is_gone(context: Flask, ada: Api) -> None:
    ada.save(URL)
    for change in ("type = 'x'", "data = '{\"a\": 1}'", "created_at = created_at - interval '1 day'", "object_id = 9"):
        with pytest.raises(DBAPIError, match="rows of activity are not changed"):
            db.session.execute(text(f"UPDATE activity SET {change}"))
        db.session.rollback()
    db.session.execute(text("UPDATE activity SET user_id = NULL"))
    db.session.rollback()


def test_a_deleted_account_leaves_the_organizations_events_without_its_name(context: Flask, ada: Api, bob: Api) -> None:
    team = ada.post("/organizations", {"name": "Team"}).json["id"]
    db.session.execute(
        text("INSERT INTO memberships (user_id, organization_id, role) VALUES (:u, :t, 'editor')"),
        {"u": bob.user_id, "t": team},
    )
    db.session.commit()
    bob.post("/bookmarks", {"url": URL, "capture": False}, headers={"X-Organization-ID": str(team)})
    assert bob.request("DELETE", "/profile", json={"password": PASSWORD}).status_code == 204
    assert remove_deleted(30)
    of_team = [row for row in events(context) if row.organization_id == team and row.object_id != team]
    assert [(row.type, row.user_id) for row in of_team] == [
        ("user.joined", ada.user_id),
        ("bookmark.created", None),
        ("user.left", None),
    ]
    assert datetime.fromisoformat(of_team[-1].data["member_since"]) < utc_now()
    assert not [row for row in events(context) if row.organization_id == bob.organization_id]


def test_no_month_is_without_a_partition(context: Flask, ada: Api) -> None:
    """Rows of months without one go into the default partition, and move when theirs is made."""
    this_month = utc_now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    far = this_month + timedelta(days=31 * 20)
    for moment in (this_month, far, this_month - timedelta(days=4000)):
        values = {"organization": ada.organization_id, "type": "bookmark.created", "moment": moment, "data": "{}"}
        db.session.execute(INSERT, values)
    db.session.commit()
    own = f"activity_partitions.m{far:%Y_%m}"
    places = {row.created_at: row.partition for row in db.session.execute(PLACES)}
    assert places[far] == "activity_partitions.other" != places[this_month]
    try:
        assert roll_ups.make_partitions(24) == 21
        make_partitions()
        places = {row.created_at: row.partition for row in db.session.execute(PLACES)}
        assert places[far] == own
    finally:
        db.session.rollback()
        for month in range(4, 25):
            year, at = divmod(this_month.month - 1 + month, 12)
            db.session.execute(text(f"DROP TABLE activity_partitions.m{this_month.year + year}_{at + 1:02}"))
        db.session.commit()


def test_old_rows_go_and_their_counts_stay(context: Flask, ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    now = utc_now()
    for days in (40, 9, 2):
        values = {"organization": ada.organization_id, "type": "bookmark.created", "moment": now - timedelta(days=days)}
        db.session.execute(INSERT, {**values, "data": '{"count": 5}'})
    db.session.commit()
    settings: Settings = current_settings()
    monkeypatch.setitem(context.extensions, "settings", settings.model_copy(update={"ACTIVITY_RETENTION_DAYS": 7}))
    for _ in range(2):
        purge()
        left = [row for row in events(context) if row.type == "bookmark.created"]
        assert [(now - row.created_at).days for row in left] == [2]
    counted = [row for row in db.session.execute(COUNTS) if row.series == "bookmarks"]
    assert [row.count for row in counted] == [5, 5, 5]
    roll_ups.rebuild()
    assert [row for row in db.session.execute(COUNTS) if row.series == "bookmarks"] == counted


def test_whole_months_are_dropped(context: Flask) -> None:
    names = text("SELECT relname FROM pg_class WHERE relname = 'm2001_02'")
    db.session.execute(
        text("""CREATE TABLE activity_partitions.m2001_02 PARTITION OF activity
                FOR VALUES FROM ('2001-02-01T00:00Z') TO ('2001-03-01T00:00Z')""")
    )
    drop = text("SELECT drop_activity_partitions(:before)")
    assert db.session.scalar(drop, {"before": datetime(2001, 2, 28, 23, tzinfo=UTC)}) == 0
    assert db.session.scalar(names) == "m2001_02"
    assert db.session.scalar(drop, {"before": datetime(2001, 3, 1, tzinfo=UTC)}) == 1
    assert db.session.scalar(names) is None
    db.session.rollback()


def test_data_is_small(context: Flask, ada: Api) -> None:
    record_activity_in(ada.organization_id, ada.user_id, ActivityType.TASK_MOVED, 1, note=NOTE)
    with pytest.raises(DBAPIError, match="ck_activity_data"):
        db.session.commit()
    db.session.rollback()
    assert list(execute_in_batches(text("DELETE FROM activity WHERE type = 'task.moved'"))) == []


def test_types_are_documented_and_have_their_audience() -> None:
    documented = (ROOT / "docs" / "dashboard.md").read_text()
    assert [kind for kind in ActivityType if f"`{kind.value}`" not in documented] == []
    assert {kind.audience for kind in ActivityType} == {"members", "owners", "self"}
    assert set(AUDIENCES) | set(SERIES) <= set(ActivityType)


def test_a_capture_is_an_event_of_nobody(context: Flask, ada: Api) -> None:
    [bookmark] = add_waiting(ada, ["page.example"])
    [one] = claim()
    page = FetchedPage("https://example.org/", 200, "text/html", None, b"<title>A page</title><p>Words.</p>", False)
    assert store_outcome(one, read_page(page, None)).status == "captured"
    last = events(context)[-1]
    assert (last.type, last.object_id, last.user_id) == ("bookmark.captured", bookmark, None)


def test_an_import_is_an_event_a_batch(ada: Api) -> None:
    ada.save(f"{URL}0")
    last = events(ada.app)[-1].id
    imported(ada, [{"url": f"{URL}{number}", "title": "T"} for number in range(5)], capture="false")
    told = [(row.type, row.data, row.user_id) for row in events(ada.app, last) if row.object_type == "bookmark"]
    assert told == [("bookmark.imported", {"count": 4, "merged": 1}, ada.user_id)]
