"""How many SQL statements a request about projects takes: few, and no more for more rows; and how they are found."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from backend.extensions import db
from tests.projects.work import begin
from tests.support.api import Api
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


def fill(api: Api, projects: int, bookmarks: int) -> list[int]:
    """So many projects, each with so many bookmarks; their ids."""
    ids = [begin(api, f"Project {place}")["id"] for place in range(projects)]
    items = [{"url": f"https://example.org/{n}", "project_ids": ids, "tags": ["t"]} for n in range(bookmarks)]
    assert api.post("/bookmarks/bulk", {"items": items}).json["created"] == bookmarks
    return ids


@pytest.mark.parametrize(("projects", "bookmarks"), [(1, 0), (1, 40), (30, 0), (30, 40)])
def test_a_list_takes_three_and_a_read_two(ada: Api, sql: SqlCounter, projects: int, bookmarks: int) -> None:
    """Who asks, how many there are, which these are."""
    ids = fill(ada, projects, bookmarks)
    queries: list[tuple[str, dict[str, Any]]] = [
        ("/projects", {"page_size": 100}),
        ("/projects", {"q": "proj", "status": "active", "sort": "name"}),
        ("/projects", {"deleted": "true"}),
        (f"/projects/{ids[0]}/bookmarks", {"page_size": 100}),
        ("/bookmarks", {"project_id": ids[0], "page_size": 100}),
        ("/bookmarks", {"q": f"project:{ids[0]}"}),
    ]
    for path, query in queries:
        with sql.at_most(3):
            assert ada.get(path, **query).status_code == 200
    with sql.at_most(2):
        assert ada.get(f"/projects/{ids[0]}").json["bookmark_count"] == bookmarks


def test_a_change_of_a_project_takes_few(ada: Api, sql: SqlCounter) -> None:
    with sql.at_most(4):
        project = begin(ada)
    path = f"/projects/{project['id']}"
    with sql.at_most(5):
        assert ada.patch(path, {"name": "New"}).status_code == 200
    # The vectors of its tasks hold the technologies.
    with sql.at_most(6):
        assert ada.patch(path, {"name": "Newer", "technologies": ["a"]}).status_code == 200
    with sql.at_most(3):
        assert ada.delete(path).status_code == 204
    with sql.at_most(4):
        assert ada.post(f"{path}/restore").status_code == 200
    saved = ada.save("https://example.org/")
    with sql.at_most(8):
        assert ada.put(f"{path}/bookmarks/{saved['id']}", {"note": "n"}).status_code == 201
    with sql.at_most(6):
        assert ada.delete(f"{path}/bookmarks/{saved['id']}").status_code == 204


@pytest.mark.parametrize("number", [1, 20])
def test_a_save_with_tags_and_projects_takes_eight_at_most_new_or_not(ada: Api, sql: SqlCounter, number: int) -> None:
    ids = [begin(ada)["id"] for _ in range(number)]
    body = {"url": "https://example.org/a", "title": "x", "tags": [f"t{n}" for n in range(number)], "project_ids": ids}
    for status in (201, 200):
        with sql.at_most(8):
            assert ada.post("/bookmarks", body).status_code == status


def test_a_change_of_everything_takes_eleven_at_most(ada: Api, sql: SqlCounter) -> None:
    saved = ada.save("https://example.org/a", tags=["old"], project_ids=[begin(ada)["id"]])
    ids = [begin(ada)["id"] for _ in range(5)]
    # What was read at the old address goes: one statement.
    with sql.at_most(11):
        body = {"url": "https://example.org/b", "title": "x", "tags": ["a", "b"], "project_ids": ids}
        assert ada.patch(f"/bookmarks/{saved['id']}", body).status_code == 200


def test_a_bulk_and_the_actions_take_as_many_for_many(ada: Api, sql: SqlCounter) -> None:
    ids = [begin(ada)["id"] for _ in range(3)]
    counts = []
    for number in (2, 200):
        items = [
            {"url": f"https://example.org/{number}/{n}", "tags": [f"t{n}"], "project_ids": ids[: n % 3]}
            for n in range(number)
        ]
        with sql.at_most(9):
            made = ada.post("/bookmarks/bulk", {"items": items}).json["results"]
        counted = [len(sql.statements)]
        for action in ("add_to_project", "remove_from_project"):
            body = {"action": action, "ids": [result["id"] for result in made], "project_id": ids[2]}
            with sql.at_most(5):
                assert ada.post("/bookmarks/actions", body).json["affected"] == number
            counted.append(len(sql.statements))
        counts.append(counted)
    assert counts[0] == counts[1]


def test_each_order_of_a_list_is_that_of_an_index(ada: Api, sql: SqlCounter, context: Flask) -> None:
    project = begin(ada)["id"]
    db.session.execute(
        text("""
            INSERT INTO projects (organization_id, name, name_key, created_at, updated_at, deleted_at)
            SELECT :organization, n, md5(n::text), now() - n * interval '1 minute', now() - n * interval '1 minute',
                   CASE WHEN n % 2 = 0 THEN now() END
              FROM generate_series(1, 4000) n
        """),
        {"organization": ada.organization_id},
    )
    db.session.execute(
        text("""
            INSERT INTO bookmarks (organization_id, url, url_hash, domain, capture_status)
            SELECT :organization, 'https://example.org/' || n, int8send(n), 'example.org', 'skipped'
              FROM generate_series(1, 4000) n
        """),
        {"organization": ada.organization_id},
    )
    db.session.execute(
        text("""
            INSERT INTO project_bookmarks (project_id, bookmark_id, organization_id, attached_at)
            SELECT :project, id, organization_id, now() - id * interval '1 second' FROM bookmarks
        """),
        {"project": project},
    )
    db.session.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE projects, project_bookmarks, bookmarks"))
    for path, query, index in [
        ("/projects", {"sort": "-created_at"}, "ix_projects_created"),
        ("/projects", {"sort": "updated_at"}, "ix_projects_updated"),
        ("/projects", {"sort": "name"}, "ix_projects_name"),
        ("/projects", {"sort": "-created_at", "deleted": "true"}, "ix_projects_trash"),
        (f"/projects/{project}/bookmarks", {"sort": "-attached_at"}, "ix_project_bookmarks_attached"),
        ("/bookmarks", {}, "ix_project_bookmarks_bookmark_id_project_id"),
    ]:
        sql.clear()
        assert ada.get(path, **query).status_code == 200
        assert any(index in plan for plan in sql.plans()), (query, sql.plans())
