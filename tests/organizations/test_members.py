"""Who belongs to an organization, and in which role."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.organizations.teams import Outbox, fill_with_members, join, make_team, roles, settle, write
from tests.support.api import Api, field_errors

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


@pytest.fixture
def shared(ada: Api, bob: Api, team: int, outbox: Outbox) -> int:
    """A team of Ada's and Bob's, both owners."""
    join(ada, team, bob, "owner", outbox)
    return team


def at_once(calls: list[Callable[[], TestResponse]]) -> Counter[int]:
    """The statuses of calls that run side by side."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return Counter(answer.status_code for answer in pool.map(lambda call: call(), calls))


def test_members_are_listed_with_who_they_are(ada: Api, bob: Api, team: int, outbox: Outbox) -> None:
    join(ada, team, bob, "viewer", outbox)
    listed = bob.get(f"/organizations/{team}/members").json
    assert listed["total"] == 2
    first, second = listed["items"]
    assert set(first) == {"user_id", "username", "email", "role", "joined_at"}
    assert [first["user_id"], first["username"], first["email"], first["role"]] == [
        ada.user_id, "ada", "ada@example.org", "owner",
    ]  # fmt: skip
    assert [second["user_id"], second["role"]] == [bob.user_id, "viewer"]
    assert second["joined_at"].endswith("Z")


def test_members_are_paged(ada: Api, team: int) -> None:
    fill_with_members(ada, team, 6)
    everybody = [item["user_id"] for item in ada.get(f"/organizations/{team}/members").json["items"]]
    assert everybody[0] == ada.user_id
    seen, query = [], {"page_size": 3}
    while True:
        page = ada.get(f"/organizations/{team}/members", **query).json
        seen += [item["user_id"] for item in page["items"]]
        if not page["has_next"]:
            break
        query = {"page_size": 3, "cursor": page["next_cursor"]}
    assert seen == everybody
    assert len(set(everybody)) == page["total"] == 7
    assert ada.get(f"/organizations/{team}/members", page=3, page_size=5).json["items"] == []


def test_a_role_takes_effect_at_once(ada: Api, bob: Api, team: int, outbox: Outbox, events: list[Any]) -> None:
    join(ada, team, bob, "viewer", outbox)
    settle(ada, bob)
    chosen = {"X-Organization-ID": str(team)}
    link = {"url": "https://example.org/", "capture": False}
    assert bob.request("GET", "/bookmarks", headers=chosen).status_code == 200
    assert bob.post("/bookmarks", link, headers=chosen).status_code == 403
    events.clear()
    changed = ada.patch(f"/organizations/{team}/members/{bob.user_id}", {"role": "editor"})
    assert changed.status_code == 200
    assert [changed.json["username"], changed.json["role"]] == ["bob", "editor"]
    assert bob.post("/bookmarks", link, headers=chosen).status_code == 201
    assert bob.get(f"/organizations/{team}").json["role"] == "editor"
    detail = {"role": "editor", "former_role": "viewer", "by": ada.user_id}
    assert events == [(bob.user_id, "role_changed", team, detail)]
    ada.patch(f"/organizations/{team}/members/{bob.user_id}", {"role": "editor"})
    assert len(events) == 1


def test_an_organization_is_handed_on_by_making_another_its_owner(
    ada: Api, bob: Api, team: int, outbox: Outbox
) -> None:
    join(ada, team, bob, "viewer", outbox)
    mine = f"/organizations/{team}/members/{ada.user_id}"
    assert ada.patch(mine, {"role": "viewer"}).status_code == ada.delete(mine).status_code == 409
    assert ada.patch(f"/organizations/{team}/members/{bob.user_id}", {"role": "owner"}).status_code == 200
    assert ada.patch(mine, {"role": "viewer"}).status_code == 200
    assert roles(ada, team) == {"ada": "viewer", "bob": "owner"}
    assert ada.delete(mine).status_code == 204
    assert roles(bob, team) == {"bob": "owner"}
    assert bob.delete(f"/organizations/{team}/members/{bob.user_id}").status_code == 409


@pytest.mark.parametrize("role", ["editor", "viewer", "owner"])
def test_everybody_may_leave_and_has_nothing_there_any_more(
    ada: Api, bob: Api, team: int, outbox: Outbox, events: list[Any], role: str
) -> None:
    join(ada, team, bob, role, outbox)
    settle(ada, bob)
    events.clear()
    assert bob.delete(f"/organizations/{team}/members/{bob.user_id}").status_code == 204
    assert bob.request("GET", "/bookmarks", headers={"X-Organization-ID": str(team)}).status_code == 404
    assert bob.get(f"/organizations/{team}").status_code == 404
    assert roles(ada, team) == {"ada": "owner"}
    assert events == [(bob.user_id, "member_removed", team, {"role": role, "by": bob.user_id})]


def test_an_owner_removes_another(ada: Api, bob: Api, shared: int, events: list[Any]) -> None:
    settle(ada, bob)
    events.clear()
    assert ada.delete(f"/organizations/{shared}/members/{bob.user_id}").status_code == 204
    assert bob.get(f"/organizations/{shared}").status_code == 404
    assert bob.request("GET", "/bookmarks", headers={"X-Organization-ID": str(shared)}).status_code == 404
    assert events == [(bob.user_id, "member_removed", shared, {"role": "owner", "by": ada.user_id})]


def test_nobody_leaves_a_personal_organization(ada: Api) -> None:
    own = f"/organizations/{ada.organization_id}/members/{ada.user_id}"
    assert ada.delete(own).status_code == 409
    assert ada.patch(own, {"role": "viewer"}).status_code == 409
    assert ada.get("/bookmarks").status_code == 200


def test_who_is_no_member_cannot_be_changed_or_removed(ada: Api, bob: Api, team: int) -> None:
    for user_id in (bob.user_id, 10**9):
        assert ada.patch(f"/organizations/{team}/members/{user_id}", {"role": "viewer"}).status_code == 404
        assert ada.delete(f"/organizations/{team}/members/{user_id}").status_code == 404


def test_roles_are_these_three(ada: Api, team: int) -> None:
    for role in ("admin", "", None, "Owner"):
        response = ada.patch(f"/organizations/{team}/members/{ada.user_id}", {"role": role})
        assert "body.role" in field_errors(response)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_two_owners_who_unseat_each_other_leave_one(ada: Api, bob: Api, shared: int, method: str) -> None:
    for _ in range(5):
        body = {"json": {"role": "editor"}} if method == "PATCH" else {}

        def unseat(who: Api, whom: Api, body: dict[str, Any] = body) -> TestResponse:
            return Api(who.app, session=who.session).request(
                method, f"/organizations/{shared}/members/{whom.user_id}", **body
            )

        ends = at_once([lambda: unseat(ada, bob), lambda: unseat(bob, ada)])
        assert ends in ({200: 1, 403: 1}, {204: 1, 404: 1})
        ada_stays = ada.get(f"/organizations/{shared}").json.get("role") == "owner"
        stays, goes = (ada, bob) if ada_stays else (bob, ada)
        assert list(roles(stays, shared).values()).count("owner") == 1
        seat(stays, shared, goes)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_of_two_owners_who_resign_at_once_one_stays(ada: Api, bob: Api, shared: int, method: str) -> None:
    for _ in range(5):
        body = {"json": {"role": "editor"}} if method == "PATCH" else {}

        def resign(who: Api, body: dict[str, Any] = body) -> TestResponse:
            path = f"/organizations/{shared}/members/{who.user_id}"
            return Api(who.app, session=who.session).request(method, path, **body)

        ends = at_once([lambda: resign(ada), lambda: resign(bob)])
        assert ends in ({200: 1, 409: 1}, {204: 1, 409: 1})
        ada_stays = ada.get(f"/organizations/{shared}").json.get("role") == "owner"
        stays, goes = (ada, bob) if ada_stays else (bob, ada)
        assert list(roles(stays, shared).values()).count("owner") == 1
        seat(stays, shared, goes)


def seat(owner: Api, team: int, person: Api) -> None:
    """Make a person an owner, whatever they were."""
    write(
        owner,
        "INSERT INTO memberships (user_id, organization_id, role) VALUES (:user, :team, 'owner')"
        " ON CONFLICT (user_id, organization_id) DO UPDATE SET role = 'owner'",
        user=person.user_id,
        team=team,
    )
    # What authentication remembers of the person does not matter here: these routes read memberships anew.
    assert roles(owner, team)["ada"] == roles(owner, team)["bob"] == "owner"


def test_several_teams_do_not_mix(ada: Api, bob: Api, team: int, outbox: Outbox) -> None:
    other = make_team(bob, "Other")
    join(ada, team, bob, "viewer", outbox)
    assert roles(bob, other) == {"bob": "owner"}
    assert bob.delete(f"/organizations/{team}/members/{bob.user_id}").status_code == 204
    assert roles(bob, other) == {"bob": "owner"}
