"""/projects: made, read, listed, changed, thrown away and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.extensions import db
from backend.jobs.scheduler import scheduled_jobs
from backend.projects.jobs import purge_trash
from tests.profile.teams import make_team
from tests.projects.work import begin, names, read
from tests.support.api import Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
FIELDS = {
    "id", "name", "description", "technologies", "status", "tasks", "bookmark_count", "created_at", "updated_at",
    "deleted_at",
    "truncated",
}  # fmt: skip
STRANGE = "\u2028 Ünïcode 🏳️‍🌈 \u202eabc\u202c 日本語 e\u0301 \U0010fffd\ufeff \t\r\n "
# Names and descriptions, and queries with the places of what they find.
TEXTS = [
    ("Sort the reading list", "With FastAPI and node.js"),
    ("Ärger mit Straßen", "C++ und C#"),
    ("日本語の勉強", "漢字 100%"),
    ("Garden_shed", "Wood, nails & \\ paint\nsecond line"),
]
FOUND = [
    ("", [0, 1, 2, 3]),
    (" \t", [0, 1, 2, 3]),
    ("reading", [0]),
    ("READING sort", [0]),
    ("read", [0]),
    ("eading", []),
    ("list fast", [0]),
    ("list nails", []),
    ("node.js", [0]),
    ("js", [0]),
    ("ärger", [1]),
    ("ÄRGER STRASSEN", [1]),
    ("c++", [1]),
    ("c#", [1]),
    ("c", [1]),
    ("日本", [2]),
    ("本語", [2]),
    ("語本", []),
    ("勉強", [2]),
    ("100%", [2]),
    ("%", [2]),
    ("_", []),
    ("garden_", [3]),
    ("\\", [3]),
    ("paint second", [3]),
    ("paintsecond", []),
    ("shedwood", []),
    ("'; --", []),
    ("🙂", []),
]


def test_a_new_one_is_active_and_empty(ada: Api) -> None:
    response = ada.post("/projects", {"name": "Reading list"})
    assert response.status_code == 201
    project = response.json
    assert set(project) == FIELDS
    assert [project[name] for name in ("name", "description", "technologies", "status")] == [
        "Reading list", "", [], "active",
    ]  # fmt: skip
    assert project["tasks"] == {"total": 0, "done": 0}
    assert [project["bookmark_count"], project["deleted_at"]] == [0, None]
    assert project["created_at"] == project["updated_at"]
    assert project["created_at"].endswith("Z")
    assert response.headers["Location"] == f"/api/v1/projects/{project['id']}"
    assert ada.get(response.headers["Location"]).json == project
    assert ada.get("/projects").json["items"] == [project]


def test_all_of_unicode_comes_back_as_it_went_in(ada: Api) -> None:
    project = begin(ada, STRANGE, description=STRANGE, technologies=["日本語 🏳️‍🌈", "e\u0301"])
    assert read(ada, project)["name"] == read(ada, project)["description"] == STRANGE
    assert read(ada, project)["technologies"] == ["日本語 🏳️‍🌈", "e\u0301"]
    changed = ada.patch(f"/projects/{project['id']}", {"name": f"{STRANGE}x", "description": f"x{STRANGE}"}).json
    assert [changed["name"], changed["description"]] == [f"{STRANGE}x", f"x{STRANGE}"]


def test_technologies_are_trimmed_and_none_comes_twice(ada: Api) -> None:
    given = [" Python ", "flask", "PYTHON", "Straße", "STRASSE", "Flask", "C++"]
    project = begin(ada, technologies=given)
    assert project["technologies"] == ["Python", "flask", "Straße", "C++"]
    changed = ada.patch(f"/projects/{project['id']}", {"technologies": ["zig", "ZIG"]}).json
    assert changed["technologies"] == ["zig"]
    assert ada.patch(f"/projects/{project['id']}", {"technologies": []}).json["technologies"] == []


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": " \n"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"name": 5}, "name"),
        ({"description": None}, "description"),
        ({"description": "a\x00"}, "description"),
        ({"description": "x" * 50_001}, "description"),
        ({"technologies": None}, "technologies"),
        ({"technologies": "python"}, "technologies"),
        ({"technologies": [" "]}, "technologies.0"),
        ({"technologies": ["a", "x" * 101]}, "technologies.1"),
        ({"technologies": ["a\x00"]}, "technologies.0"),
        ({"technologies": [str(number) for number in range(51)]}, "technologies"),
        ({"status": "ACTIVE"}, "status"),
        ({"status": "deleted"}, "status"),
        ({"status": None}, "status"),
        ({"id": 5}, "id"),
        ({"tasks": {}}, "tasks"),
        ({"bookmark_count": 1}, "bookmark_count"),
        ({"organization_id": 1}, "organization_id"),
    ],
)
def test_what_is_not_valid_is_422_and_named(ada: Api, fields: dict[str, Any], fault: str) -> None:
    project = begin(ada, "Before")
    assert set(field_errors(ada.post("/projects", {"name": "New", **fields}))) == {f"body.{fault}"}
    assert set(field_errors(ada.patch(f"/projects/{project['id']}", fields))) == {f"body.{fault}"}
    assert ada.get("/projects").json["items"] == [project]


def test_the_most_that_fits(ada: Api) -> None:
    fields = {"description": "word " * 10_000, "technologies": [f"{number:0100}" for number in range(50)]}
    project = begin(ada, "日" * 200, **fields)
    assert read(ada, project)["description"] == fields["description"]
    assert names(ada, sort="name") == ["日" * 200]


def test_a_patch_changes_what_it_names_and_nothing_else(ada: Api) -> None:
    project = begin(ada, "Before", description="d", technologies=["t"])
    for change in ({"name": "After"}, {"status": "paused"}, {"description": ""}, {"technologies": []}, {}):
        changed = ada.patch(f"/projects/{project['id']}", change)
        assert changed.status_code == 200
        assert changed.json["updated_at"] > project["updated_at"]
        project = {**project, **change, "updated_at": changed.json["updated_at"]}
        assert changed.json == read(ada, project) == project


def test_a_name_may_be_given_twice(ada: Api) -> None:
    assert begin(ada, "Same")["id"] != begin(ada, "Same")["id"]


@pytest.mark.parametrize("status", ["active", "paused", "done", "archived"])
def test_every_status_can_be_given_and_asked_for(ada: Api, status: str) -> None:
    for each in ("active", "paused", "done", "archived"):
        begin(ada, each, status=each)
    assert names(ada, status=status) == [status]
    assert len(names(ada)) == 4


@pytest.mark.parametrize(("q", "found"), FOUND)
def test_a_query_finds_words_and_how_they_begin(ada: Api, q: str, found: list[int]) -> None:
    for name, description in TEXTS:
        begin(ada, name, description=description)
    assert names(ada, q=q, sort="created_at") == [TEXTS[place][0] for place in found]


def test_what_is_found_follows_a_change(ada: Api) -> None:
    project = begin(ada, "walrus", description="otter")
    ada.patch(f"/projects/{project['id']}", {"name": "lynx"})
    assert [len(names(ada, q=q)) for q in ("walrus", "lynx", "otter")] == [0, 1, 1]
    ada.patch(f"/projects/{project['id']}", {"description": "puma"})
    assert [len(names(ada, q=q)) for q in ("lynx", "otter", "puma")] == [1, 0, 1]


def test_filters_hold_together(ada: Api) -> None:
    for place, status in enumerate(("active", "done", "done")):
        begin(ada, f"zebra {place}", status=status)
    begin(ada, "other", status="done")
    assert names(ada, q="zebra", status="done", sort="name") == ["zebra 1", "zebra 2"]


def test_lists_are_sorted_as_asked(ada: Api) -> None:
    projects = [begin(ada, name) for name in ("b", "C", "ä", "A")]
    ada.patch(f"/projects/{projects[0]['id']}", {"status": "done"})
    assert names(ada) == names(ada, sort="-created_at") == ["A", "ä", "C", "b"]
    assert names(ada, sort="created_at") == ["b", "C", "ä", "A"]
    assert names(ada, sort="-updated_at")[0] == "b"
    assert names(ada, sort="updated_at")[-1] == "b"
    assert names(ada, sort="name") == ["A", "b", "C", "ä"]
    assert names(ada, sort="-name") == ["ä", "C", "b", "A"]


def test_names_are_sorted_without_case_in_all_scripts(ada: Api) -> None:
    for name in ("STRASSE b", "straße c", "Straße a", "ЯБЛОКО б", "яблоко а"):
        begin(ada, name)
    assert names(ada, sort="name") == ["Straße a", "STRASSE b", "straße c", "яблоко а", "ЯБЛОКО б"]


@pytest.mark.parametrize("sort", ["created_at", "-updated_at", "name", "-name"])
def test_a_cursor_goes_through_the_whole_list_once(ada: Api, sort: str) -> None:
    for place in range(7):
        begin(ada, f"same {place % 2}")
    whole = [item["id"] for item in ada.get("/projects", sort=sort).json["items"]]
    seen, cursor = [], None
    while cursor is not None or not seen:
        page = ada.get("/projects", sort=sort, page_size=2, **({"cursor": cursor} if cursor else {})).json
        assert page["total"] == 7
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == whole


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "deleted"),
        ("status", ""),
        ("q", "x" * 201),
        ("sort", "status"),
        ("deleted", "any"),
        ("cursor", "x"),
        ("page", "0"),
        ("page_size", "101"),
        ("name", "x"),
    ],
)
def test_a_filter_that_makes_no_sense_is_422_and_named(ada: Api, name: str, value: str) -> None:
    assert set(field_errors(ada.get("/projects", **{name: value}))) == {f"query.{name}"}


def test_a_trashed_one_is_gone_everywhere_but_in_the_trash(ada: Api) -> None:
    project = begin(ada, "Gone", description="walrus", status="paused")
    begin(ada, "Stays")
    answer = ada.delete(f"/projects/{project['id']}")
    assert (answer.status_code, answer.data) == (204, b"")
    path = f"/projects/{project['id']}"
    for response in (ada.get(path), ada.patch(path, {"name": "New"}), ada.delete(path), ada.get(f"{path}/bookmarks")):
        assert response.status_code == 404
    assert names(ada) == ["Stays"]
    [trashed] = ada.get("/projects", deleted="true").json["items"]
    assert trashed == {**project, "deleted_at": trashed["deleted_at"]}
    assert trashed["deleted_at"].endswith("Z")
    assert names(ada, deleted="true", status="paused", q="walrus") == ["Gone"]
    assert names(ada, deleted="true", status="active") == []


def test_a_restored_one_is_as_it_was(ada: Api) -> None:
    project = begin(ada, "Back", description="d", technologies=["t"], status="done")
    ada.delete(f"/projects/{project['id']}")
    restored = ada.post(f"/projects/{project['id']}/restore")
    assert restored.status_code == 200
    assert restored.json == {**project, "updated_at": restored.json["updated_at"]}
    assert restored.json["updated_at"] > project["updated_at"]
    assert names(ada, deleted="true") == []
    # Once more is nothing new.
    assert ada.post(f"/projects/{project['id']}/restore").json == restored.json


@pytest.mark.parametrize("trashed", [False, True])
def test_deleting_for_good_leaves_nothing(ada: Api, trashed: bool) -> None:
    project = begin(ada)
    if trashed:
        ada.delete(f"/projects/{project['id']}")
    assert ada.delete(f"/projects/{project['id']}", permanent="true").status_code == 204
    assert ada.delete(f"/projects/{project['id']}", permanent="true").status_code == 404
    assert ada.post(f"/projects/{project['id']}/restore").status_code == 404
    assert names(ada) == names(ada, deleted="true") == []


def test_the_trash_is_emptied_of_what_has_lain_in_it_long_enough(ada: Api, context: Flask) -> None:
    projects = [begin(ada, name) for name in ("old", "new", "live")]
    for project in projects[:2]:
        ada.delete(f"/projects/{project['id']}")
    age = text("UPDATE projects SET deleted_at = now() - make_interval(days => 31) WHERE id = :id")
    db.session.execute(age, {"id": projects[0]["id"]})
    db.session.commit()
    purge_trash()
    assert names(ada, deleted="true") == ["new"]
    assert names(ada) == ["live"]
    assert "projects.purge_trash" in [work.function for work in scheduled_jobs(60) if work.cron]


def test_nobody_sees_or_changes_those_of_another_organization(ada: Api, bob: Api) -> None:
    project = begin(ada, "Secret")
    path = f"/projects/{project['id']}"
    calls = [("GET", path, None), ("PATCH", path, {"name": "x"}), ("DELETE", path, None)]
    calls += [("DELETE", f"{path}?permanent=true", None), ("POST", f"{path}/restore", None)]
    for method, where, body in calls:
        foreign = bob.request(method, where, json=body)
        missing = bob.request(method, where.replace(path, "/projects/999999"), json=body)
        assert [foreign.status_code, missing.status_code] == [404, 404]
        assert foreign.json["detail"] == missing.json["detail"]
    assert names(bob) == names(bob, q="secret") == names(bob, deleted="true") == []
    assert read(ada, project) == project


def test_a_team_shares_its_projects_and_viewers_only_look(ada: Api, bob: Api, context: Flask) -> None:
    team = make_team("Team", owner=ada, viewer=bob)
    header = {"X-Organization-ID": str(team)}
    project = ada.post("/projects", {"name": "Shared"}, headers=header).json
    path = f"/projects/{project['id']}"
    assert bob.request("GET", path, headers=header).json == project
    assert bob.request("GET", "/projects", headers=header).json["total"] == 1
    assert bob.request("GET", f"{path}/bookmarks", headers=header).json["total"] == 0
    assert bob.post("/projects", {"name": "Own"}, headers=header).status_code == 403
    assert bob.patch(path, {"name": "x"}, headers=header).status_code == 403
    assert bob.request("DELETE", path, headers=header).status_code == 403
    assert bob.post(f"{path}/restore", headers=header).status_code == 403
    assert ada.get(path).status_code == 404
    assert ada.request("GET", path, headers=header).json == project


def test_a_project_outlives_who_began_it(ada: Api, bob: Api, context: Flask) -> None:
    team = make_team("Team", owner=ada, editor=bob)
    header = {"X-Organization-ID": str(team)}
    project = bob.post("/projects", {"name": "Bob's"}, headers=header).json
    saved = bob.post("/bookmarks", {"url": "https://example.org/", "capture": False}, headers=header).json
    bob.put(f"/projects/{project['id']}/bookmarks/{saved['id']}", {"note": "kept"}, headers=header)
    db.session.execute(text("DELETE FROM users WHERE id = :id"), {"id": bob.user_id})
    db.session.commit()
    [kept] = ada.request("GET", f"/projects/{project['id']}/bookmarks", headers=header).json["items"]
    assert [kept["id"], kept["note"]] == [saved["id"], "kept"]
    assert ada.request("GET", f"/projects/{project['id']}", headers=header).json["bookmark_count"] == 1


def test_the_database_refuses_a_status_that_is_none(ada: Api, context: Flask) -> None:
    begin(ada)
    with pytest.raises(Exception, match="ck_projects_status"):
        db.session.execute(text("UPDATE projects SET status = 'deleted'"))
    db.session.rollback()
