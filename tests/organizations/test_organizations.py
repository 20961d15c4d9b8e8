"""Organizations: made, listed, changed, deleted."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from backend.extensions import Base, db
from backend.jobs.queue import rq_queue
from backend.jobs.scheduler import scheduled_jobs
from backend.organizations import jobs
from tests.organizations.teams import Outbox, join, make_team, roles, settle
from tests.support.api import Api, field_errors
from tests.support.pages import add_page, add_vector

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
PURGE = "organizations.purge_deleted_organizations"


def test_everybody_has_a_personal_one(ada: Api) -> None:
    listed = ada.get("/organizations").json
    assert listed["total"] == 1
    [own] = listed["items"]
    assert own == ada.get(f"/organizations/{ada.organization_id}").json
    assert [own["id"], own["name"], own["personal"], own["role"]] == [ada.organization_id, "ada", True, "owner"]


def test_who_makes_one_owns_it(ada: Api) -> None:
    response = ada.post("/organizations", {"name": "Analytical Engines", "slug": "engines"})
    assert response.status_code == 201
    made = response.json
    assert set(made) >= {"id", "name", "slug", "personal", "role"}
    assert [made["name"], made["slug"], made["personal"], made["role"]] == [
        "Analytical Engines", "engines", False, "owner",
    ]  # fmt: skip
    assert response.headers["Location"] == f"/api/v1/organizations/{made['id']}"
    assert ada.get(f"/organizations/{made['id']}").json == made
    assert roles(ada, made["id"]) == {"ada": "owner"}


def test_it_can_be_worked_in_at_once(ada: Api, team: int) -> None:
    chosen = {"X-Organization-ID": str(team)}
    assert ada.request("GET", "/bookmarks", headers=chosen).json["total"] == 0
    saved = ada.post("/bookmarks", {"url": "https://example.org/", "capture": False}, headers=chosen)
    assert saved.status_code == 201
    assert ada.get(f"/bookmarks/{saved.json['id']}").status_code == 404


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Analytical Engines", "analytical-engines"),
        ("  Équipe & Söhne!  ", "equipe-sohne"),
        ("x" * 39 + " yz", "x" * 39),
        ("team-2", "team-2"),
    ],
)
def test_a_slug_is_made_from_the_name(ada: Api, name: str, slug: str) -> None:
    first, second = (ada.post("/organizations", {"name": name}).json for _ in range(2))
    assert [first["name"], first["slug"]] == [name, slug]
    assert second["slug"].startswith(f"{slug}-")


@pytest.mark.parametrize("name", ["東京", "A", "--", "\U0001f680"])
def test_a_name_without_words_of_plain_letters_has_a_slug_too(ada: Api, name: str) -> None:
    made = ada.post("/organizations", {"name": name}).json
    assert made["name"] == name
    again = ada.post("/organizations", {"name": "x", "slug": made["slug"]})
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "a"),
        ("slug", "a" * 65),
        ("slug", "-ab"),
        ("slug", "ab-"),
        ("slug", "a--b"),
        ("slug", "a b"),
        ("slug", "a_b"),
        ("slug", "ab\n"),
        ("slug", "äb"),
        ("slug", ""),
        ("name", ""),
        ("name", " \t"),
        ("name", "x" * 101),
        ("name", "a\x00b"),
        ("name", 7),
    ],
)
def test_bad_names_and_slugs_are_refused(ada: Api, team: int, field: str, value: object) -> None:
    for response in (
        ada.post("/organizations", {"name": "Fine", field: value}),
        ada.patch(f"/organizations/{team}", {field: value}),
    ):
        assert f"body.{field}" in field_errors(response)


def test_a_slug_is_taken_whatever_its_case_and_the_refusal_names_it(ada: Api, bob: Api) -> None:
    taken, other = make_team(ada, "First", slug="Shared-Slug"), make_team(bob, "Second")
    assert ada.get(f"/organizations/{taken}").json["slug"] == "shared-slug"
    for slug in ("shared-slug", "SHARED-slug"):
        for response in (
            bob.post("/organizations", {"name": "Third", "slug": slug}),
            bob.patch(f"/organizations/{other}", {"slug": slug, "name": "Lost"}),
        ):
            assert response.status_code == 409
            assert "shared-slug" in response.json["detail"]
    assert bob.get(f"/organizations/{other}").json["name"] == "Second"
    assert ada.patch(f"/organizations/{taken}", {"slug": "SHARED-SLUG"}).status_code == 200


def test_an_owner_changes_name_and_slug_and_leaves_the_rest(ada: Api, team: int) -> None:
    before = ada.get(f"/organizations/{team}").json
    assert ada.patch(f"/organizations/{team}", {"name": "New"}).json == {**before, "name": "New"}
    changed = ada.patch(f"/organizations/{team}", {"slug": "other"}).json
    assert changed == {**before, "name": "New", "slug": "other"} == ada.get(f"/organizations/{team}").json
    assert ada.patch(f"/organizations/{team}", {}).json == changed
    assert field_errors(ada.patch(f"/organizations/{team}", {"name": None})) == {"body.name": "value_error"}


def test_the_list_shows_the_personal_one_first_then_by_name_whatever_one_acts_in(ada: Api, bob: Api) -> None:
    make_team(bob, "Of Bob")
    ids = {name: make_team(ada, name) for name in ("beta", "Alpha", "1st", "gamma", "Delta")}
    order = ["ada", "1st", "Alpha", "beta", "Delta", "gamma"]
    listed = ada.request("GET", "/organizations", headers={"X-Organization-ID": str(ids["beta"])}).json
    assert [item["name"] for item in listed["items"]] == order
    names, query = [], {"page_size": 2}
    while True:
        page = ada.get("/organizations", **query).json
        names += [item["name"] for item in page["items"]]
        assert page["total"] == 6
        if not page["has_next"]:
            break
        query = {"page_size": 2, "cursor": page["next_cursor"]}
    assert names == order
    assert [item["name"] for item in ada.get("/organizations", page=2, page_size=4).json["items"]] == order[4:]
    assert ada.get("/organizations", page=9).json["items"] == []


def test_deleting_needs_the_exact_name(ada: Api, team: int) -> None:
    for name in ("team", "Team ", "", "Other"):
        response = ada.request("DELETE", f"/organizations/{team}", json={"name": name})
        assert field_errors(response) == {"body.name": "name_mismatch"}
        assert field_errors(ada.delete(f"/organizations/{team}", name=name)) == {"body.name": "name_mismatch"}
    for sent in ({"json": {}}, {}, {"headers": {"Content-Type": "application/json"}}):
        assert field_errors(ada.request("DELETE", f"/organizations/{team}", **sent)) == {"body.name": "missing_name"}
    assert ada.get(f"/organizations/{team}").status_code == 200


def test_the_name_may_come_in_the_query_from_clients_that_send_no_body_with_delete(ada: Api) -> None:
    team = make_team(ada, "Team é & 🚀")
    other = ada.request(
        "DELETE", f"/organizations/{team}", json={"name": "Other"}, query_string={"name": "Team é & 🚀"}
    )
    assert field_errors(other) == {"body.name": "name_mismatch"}
    assert ada.delete(f"/organizations/{team}", name="Team é & 🚀").status_code == 204
    assert ada.get(f"/organizations/{team}").status_code == 404


def test_a_personal_one_cannot_be_deleted(ada: Api) -> None:
    response = ada.request("DELETE", f"/organizations/{ada.organization_id}", json={"name": "ada"})
    assert response.status_code == 409
    assert ada.get("/bookmarks").status_code == 200


def test_a_deleted_one_is_gone_at_once_for_everybody(
    ada: Api, bob: Api, outbox: Outbox, events: list[Any], context: Flask
) -> None:
    team = make_team(ada, slug="free")
    join(ada, team, bob, "editor", outbox)
    settle(ada, bob)
    events.clear()
    assert ada.request("DELETE", f"/organizations/{team}", json={"name": "Team"}).status_code == 204
    for person in (ada, bob):
        assert person.get(f"/organizations/{team}").status_code == 404
        assert person.get(f"/organizations/{team}/members").status_code == 404
        assert person.request("GET", "/bookmarks", headers={"X-Organization-ID": str(team)}).status_code == 404
        assert person.get("/organizations").json["total"] == 1
    assert ada.request("DELETE", f"/organizations/{team}", json={"name": "Team"}).status_code == 404
    assert make_team(bob, slug="free") != team
    detail = {"name": "Team", "by": ada.user_id}
    assert sorted(events, key=lambda event: int(event[0])) == [
        (ada.user_id, "organization_deleted", team, detail),
        (bob.user_id, "organization_deleted", team, detail),
    ]
    assert PURGE in [job.func_name for job in rq_queue("bulk").get_jobs()]


def test_the_scheduler_sees_to_it_that_what_was_deleted_is_removed() -> None:
    assert PURGE in [work.function for work in scheduled_jobs(60) if work.seconds]


def test_the_worker_removes_all_that_was_in_it_and_nothing_else(
    ada: Api, bob: Api, team: int, outbox: Outbox, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BATCH", 3)
    join(ada, team, bob, "viewer", outbox)
    ada.post(f"/organizations/{team}/invitations", {"email": "new@example.org", "role": "viewer"})
    for headers in ({"X-Organization-ID": str(team)}, {}):
        project = ada.post("/projects", {"name": "Project"}, headers=headers).json["id"]
        items = [
            {"url": f"https://example.org/{place}", "tags": [f"t{place}"], "project_ids": [project]}
            for place in range(8)
        ]
        answer = ada.post("/bookmarks/bulk", {"items": items}, headers=headers).json
        for result in answer["results"]:
            add_page(result["id"], "walrus")
            add_vector(result["id"], [1, 0, 0])
        ada.post(f"/bookmarks/{answer['results'][0]['id']}/capture", headers=headers)
        parent = ada.post("/tasks", {"title": "Parent", "project_id": project}, headers=headers).json["id"]
        items = [{"title": str(place), "parent_id": parent} for place in range(4)]
        ada.post("/tasks/bulk", {"items": [*items, {"title": "free"}]}, headers=headers)
    before, all_before = rows_of(ada.organization_id), all_rows()
    tables = ("bookmarks", "projects", "project_bookmarks", "tasks")
    assert [rows_of(team)[table] for table in tables] == [8, 1, 8, 6]
    assert ada.request("DELETE", f"/organizations/{team}", json={"name": "Team"}).status_code == 204
    jobs.purge_deleted_organizations()
    assert rows_of(team) == {}
    assert db.session.scalar(text("SELECT count(*) FROM organizations WHERE id = :id"), {"id": team}) == 0
    assert rows_of(ada.organization_id) == before
    # Of what hangs on bookmarks, half is gone.
    for table in ("bookmarks", "bookmark_tags", "bookmark_contents", "bookmark_documents", "bookmark_embeddings"):
        assert all_rows()[table] * 2 == all_before[table] > 0
    jobs.purge_deleted_organizations()
    assert rows_of(ada.organization_id) == before


def test_nothing_is_removed_of_what_is_not_deleted(ada: Api, team: int, context: Flask) -> None:
    before = all_rows()
    jobs.purge_deleted_organizations()
    assert all_rows() == before


def rows_of(organization_id: int) -> dict[str, int]:
    """How many rows of an organization each table holds, those with none left out."""
    counts = {
        table.name: db.session.scalar(select(func.count()).where(table.c.organization_id == organization_id)) or 0
        for table in Base.metadata.sorted_tables
        if "organization_id" in table.c and table.name != "security_events"  # What happened stays told.
    }
    db.session.rollback()
    return {name: count for name, count in counts.items() if count}


def all_rows() -> dict[str, int]:
    """How many rows each table holds."""
    tables = Base.metadata.sorted_tables
    counts = {table.name: db.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
    db.session.rollback()
    return counts


def script(person: Api, organization_id: int) -> Api:
    """A client with an API token of the person's for one organization."""
    body = {"name": "script", "scopes": ["*:read", "*:write"], "organization_id": organization_id}
    return Api(person.app, token=person.post("/auth/tokens", body).json["token"])


def test_an_api_token_reaches_only_the_organization_it_is_for(ada: Api, team: int) -> None:
    other = make_team(ada, "Other")
    token = script(ada, team)
    assert [item["id"] for item in token.get("/organizations").json["items"]] == [team]
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "Team"}),
        ("GET", "/members", None),
        ("PATCH", f"/members/{ada.user_id}", {"role": "owner"}),
        ("GET", "/invitations", None),
    ):
        for id_, status in ((team, 200), (other, 404), (ada.organization_id, 404)):
            response = token.request(method, f"/organizations/{id_}{path}", **({"json": body} if body else {}))
            assert response.status_code == status, f"{method} {path}"
    assert token.request("DELETE", f"/organizations/{other}", json={"name": "Other"}).status_code == 404


def test_an_api_token_makes_an_organization_that_it_cannot_reach_and_accepts_no_invitation(ada: Api, team: int) -> None:
    made = script(ada, team).post("/organizations", {"name": "New"})
    assert made.status_code == 201
    assert ada.get(made.headers["Location"]).json["role"] == "owner"
    assert script(ada, team).get(made.headers["Location"]).status_code == 404
    assert script(ada, team).post("/invitations/accept", {"token": "any"}).status_code == 403


def test_api_tokens_for_an_organization_end_with_the_membership(ada: Api, bob: Api, team: int, outbox: Outbox) -> None:
    join(ada, team, bob, "editor", outbox)
    settle(ada, bob)
    token = script(bob, team)
    assert token.get("/bookmarks").status_code == 200
    assert ada.delete(f"/organizations/{team}/members/{bob.user_id}").status_code == 204
    assert token.get("/bookmarks").status_code == token.get(f"/organizations/{team}").status_code == 404
