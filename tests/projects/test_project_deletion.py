"""Deleting a project for good: what goes with it is told before, and goes; bookmarks stay."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.extensions import db
from tests.profile.teams import make_team
from tests.projects.work import begin, names
from tests.support.api import Api, field_errors
from tests.support.sql import SqlCounter
from tests.tasks.boards import add_many, chain

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


@pytest.fixture
def project(ada: Api) -> dict[str, Any]:
    """A project with three tasks, two levels of steps under another and one task in the trash, two bookmarks, and
    feedback for it and for a task; beside it a project, a task and feedback of their own."""
    project, other = begin(ada, "Gone"), begin(ada, "Stays")
    tasks = add_many(ada, "a", "b", "c", project_id=project["id"]) + chain(ada, 3, project_id=project["id"])
    ada.delete(f"/tasks/{tasks[0]}")
    apart = add_many(ada, "of the other", project_id=other["id"]) + add_many(ada, "of none")
    for name in ("one", "two"):
        both = [project["id"], other["id"]]
        link = ada.save(f"https://example.org/{name}", project_ids=both)["id"]
    subjects = [
        {"project_id": project["id"]},
        {"task_id": tasks[4]},
        {"project_id": other["id"]},
        {"task_id": apart[0]},
    ]
    for subject in (*subjects, {}):
        assert ada.post("/feedback", {"bookmark_id": link, "kind": "relevant", **subject}).status_code == 201
    return project


GOES = {"tasks": 6, "attachments": 2, "feedback": 2}


def rows(context: Flask) -> dict[str, int]:
    """How many rows there are of all that a project may take with it, and of bookmarks."""
    tables = ("projects", "tasks", "project_bookmarks", "feedback", "bookmarks")
    return {table: db.session.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in tables}


@pytest.mark.parametrize("trashed", [False, True])
def test_a_dry_run_tells_what_would_go_and_deletes_nothing(
    ada: Api, project: dict[str, Any], context: Flask, trashed: bool
) -> None:
    if trashed:
        ada.delete(f"/projects/{project['id']}")
    before = rows(context)
    told = ada.delete(f"/projects/{project['id']}", permanent="true", dry_run="true")
    assert told.status_code == 200
    assert told.json == {"dry_run": True, "permanent": True, **GOES}
    assert rows(context) == before
    assert names(ada, deleted=str(trashed).lower(), q="gone") == ["Gone"]


def test_what_a_dry_run_tells_is_what_goes_and_bookmarks_stay(
    ada: Api, project: dict[str, Any], context: Flask
) -> None:
    before = rows(context)
    assert ada.delete(f"/projects/{project['id']}", permanent="true").status_code == 204
    gone = {
        table: number - after for (table, number), after in zip(before.items(), rows(context).values(), strict=True)
    }
    expected = {"tasks": GOES["tasks"], "project_bookmarks": GOES["attachments"], "feedback": GOES["feedback"]}
    assert gone == {"projects": 1, "bookmarks": 0, **expected}
    assert ada.get("/bookmarks").json["total"] == 2
    assert ada.get("/tasks").json["total"] == 2
    assert ada.delete(f"/projects/{project['id']}", permanent="true", dry_run="true").status_code == 404


def test_a_dry_run_of_the_trash_tells_what_is_out_of_sight_until_it_is_restored(
    ada: Api, project: dict[str, Any]
) -> None:
    path = f"/projects/{project['id']}"
    assert ada.delete(path, dry_run="true").json == {"dry_run": True, "permanent": False, **GOES}
    assert names(ada, q="gone") == ["Gone"]
    assert ada.delete(path, dry_run="false").status_code == 204
    # It is in the trash already, as for the deletion itself.
    assert ada.delete(path, dry_run="true").status_code == ada.delete(path).status_code == 404


def test_a_project_on_which_nothing_hangs_takes_nothing(ada: Api) -> None:
    path = f"/projects/{begin(ada)['id']}"
    told = ada.delete(path, permanent="true", dry_run="true").json
    assert told == {"dry_run": True, "permanent": True, "tasks": 0, "attachments": 0, "feedback": 0}
    assert field_errors(ada.delete(path, dry_run="maybe")) == {"query.dry_run": "value_error"}


WHOLLY = {"permanent": "true", "dry_run": "true"}


def test_nobody_is_told_what_hangs_on_a_project_of_another_organization(
    ada: Api, bob: Api, project: dict[str, Any]
) -> None:
    foreign, missing = (bob.delete(f"/projects/{id_}", **WHOLLY) for id_ in (project["id"], 10**9))
    assert foreign.status_code == missing.status_code == 404
    assert foreign.json["detail"] == missing.json["detail"]


def test_a_viewer_who_may_not_delete_may_not_count_either(ada: Api, bob: Api, context: Flask) -> None:
    header = {"X-Organization-ID": str(make_team("Team", owner=ada, viewer=bob))}
    shared = ada.post("/projects", {"name": "Shared"}, headers=header).json["id"]
    for person, status in ((bob, 403), (ada, 200)):
        told = person.request("DELETE", f"/projects/{shared}", headers=header, query_string=WHOLLY)
        assert told.status_code == status


def test_a_dry_run_takes_two_statements_however_much_there_is(
    ada: Api, project: dict[str, Any], sql: SqlCounter
) -> None:
    """Who asks, and what would go."""
    with sql.at_most(2):
        assert ada.delete(f"/projects/{project['id']}", permanent="true", dry_run="true").status_code == 200
