"""Owner, editor, viewer, stranger: each route about an organization, whichever organization the person acts in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.organizations.teams import Outbox, join, make_team
from tests.support.api import Api

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]

BASE = "/organizations/<id:organization_id>"
EVERYBODY = {"owner": 200, "editor": 200, "viewer": 200, "stranger": 404}


def owners(status: int) -> dict[str, int]:
    return {"owner": status, "editor": 403, "viewer": 403, "stranger": 404}


# Every route about an organization: what to send, and the answer for each role.
MATRIX: dict[tuple[str, str], tuple[Any, dict[str, int]]] = {
    ("GET", BASE): (None, EVERYBODY),
    ("PATCH", BASE): ({"name": "New"}, owners(200)),
    ("DELETE", BASE): ({"name": "Team"}, owners(204)),
    ("GET", f"{BASE}/members"): (None, EVERYBODY),
    ("PATCH", f"{BASE}/members/<id:user_id>"): ({"role": "viewer"}, owners(200)),
    ("DELETE", f"{BASE}/members/<id:user_id>"): (None, owners(204)),
    ("GET", f"{BASE}/invitations"): (None, owners(200)),
    ("POST", f"{BASE}/invitations"): ({"email": "new@example.org", "role": "viewer"}, owners(201)),
    ("DELETE", f"{BASE}/invitations/<id:invitation_id>"): (None, owners(204)),
}


@dataclass
class Team:
    """A team with somebody in each role, an open invitation, and a member to be changed."""

    id: int
    people: dict[str, Api]
    ids: dict[str, int]

    def send(self, who: str, method: str, rule: str, ids: dict[str, int] | None = None, **options: Any) -> TestResponse:
        path = rule
        for name, value in (ids or self.ids).items():
            path = path.replace(f"<id:{name}>", str(value))
        body = MATRIX[method, rule][0]
        return self.people[who].request(method, path, **({"json": body} if body else {}), **options)


@pytest.fixture
def staffed(ada: Api, team: int, outbox: Outbox, person: Callable[..., Api]) -> Team:
    people = {"owner": ada, "editor": person("eve"), "viewer": person("vic"), "stranger": person("mal")}
    target = person("tom")
    for role in ("editor", "viewer"):
        join(ada, team, people[role], role, outbox)
    join(ada, team, target, "editor", outbox)
    body = {"email": "open@example.org", "role": "viewer"}
    invitation = ada.post(f"/organizations/{team}/invitations", body).json
    ids = {"organization_id": team, "user_id": target.user_id, "invitation_id": invitation["id"]}
    return Team(team, people, ids)


def test_the_matrix_names_every_route(app: Flask) -> None:
    found = {
        (method, rule.rule.removeprefix("/api/v1"))
        for rule in app.url_map.iter_rules()
        if "organization_id" in rule.arguments
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert found == set(MATRIX)


@pytest.mark.parametrize("who", ["owner", "editor", "viewer", "stranger"])
@pytest.mark.parametrize("route", MATRIX, ids=" ".join)
def test_each_role_may_do_what_it_may(staffed: Team, route: tuple[str, str], who: str) -> None:
    assert staffed.send(who, *route).status_code == MATRIX[route][1][who]


@pytest.mark.parametrize("route", MATRIX, ids=" ".join)
def test_a_stranger_learns_nothing(staffed: Team, route: tuple[str, str]) -> None:
    before = state(staffed)
    foreign = staffed.send("stranger", *route)
    missing = staffed.send("stranger", *route, ids={**staffed.ids, "organization_id": 10**9})
    assert told(foreign) == told(missing)
    assert state(staffed) == before


@pytest.mark.parametrize("who", ["editor", "viewer"])
def test_a_refusal_changes_nothing(staffed: Team, who: str) -> None:
    before = state(staffed)
    for route, (_, expected) in MATRIX.items():
        if expected[who] == 403:
            assert staffed.send(who, *route).status_code == 403
    assert state(staffed) == before


@pytest.mark.parametrize("route", MATRIX, ids=" ".join)
def test_the_role_that_counts_is_that_in_the_organization_of_the_path(
    staffed: Team, outbox: Outbox, route: tuple[str, str]
) -> None:
    """An owner who acts as a viewer elsewhere is an owner; a viewer who acts as an owner elsewhere is a viewer."""
    other = make_team(staffed.people["stranger"], "Other")
    join(staffed.people["stranger"], other, staffed.people["owner"], "viewer", outbox)
    join(staffed.people["stranger"], other, staffed.people["viewer"], "owner", outbox)
    headers = {"X-Organization-ID": str(other)}
    for who in ("viewer", "owner"):
        assert staffed.send(who, *route, headers=headers).status_code == MATRIX[route][1][who]


def test_a_viewer_of_the_chosen_organization_can_still_make_one_and_accept(
    staffed: Team, outbox: Outbox, bob: Api
) -> None:
    vic, headers = staffed.people["viewer"], {"X-Organization-ID": str(staffed.id)}
    assert vic.post("/organizations", {"name": "Own"}, headers=headers).status_code == 201
    other = make_team(bob, "Other")
    bob.post(f"/organizations/{other}/invitations", {"email": "vic@example.org", "role": "editor"})
    assert vic.post("/invitations/accept", {"token": outbox.token(vic)}, headers=headers).status_code == 200


def test_what_is_in_another_organization_is_not_reached_through_ones_own(staffed: Team, bob: Api) -> None:
    own = make_team(bob, "Own")
    foreign, never = staffed.ids["invitation_id"], 10**9
    answers = [bob.delete(f"/organizations/{own}/invitations/{id_}") for id_ in (foreign, never)]
    assert told(answers[0]) == told(answers[1])
    assert answers[0].status_code == 404
    for id_ in (staffed.ids["user_id"], never):
        assert bob.delete(f"/organizations/{own}/members/{id_}").status_code == 404


def state(staffed: Team) -> list[Any]:
    owner = staffed.people["owner"]
    paths = ("", "/members", "/invitations")
    return [owner.get(f"/organizations/{staffed.id}{path}").json for path in paths]


def told(response: TestResponse) -> tuple[int, dict[str, Any]]:
    """What an answer says, but for what names the request itself."""
    body = {name: value for name, value in response.json.items() if name not in ("request_id", "instance")}
    return response.status_code, body
