"""Teams for tests: made and joined through the API, so that everything that hangs on it happens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from werkzeug.test import TestResponse

from backend.extensions import db
from backend.redis.client import redis_client
from tests.support.api import Api
from tests.support.factories import make_person


@dataclass
class Outbox:
    """What was mailed, newest last: address, template, values."""

    mails: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def token(self, person: Api) -> str:
        """The token of the newest mail to a person."""
        return next(values["token"] for to, _, values in reversed(self.mails) if to == address(person))


def address(person: Api) -> str:
    return str(person.session["user"]["email"])


def make_team(owner: Api, name: str = "Team", **fields: Any) -> int:
    """A new organization; its id."""
    response = owner.post("/organizations", {"name": name, **fields})
    assert response.status_code == 201, response.get_data(as_text=True)
    return int(response.json["id"])


def invite(owner: Api, team: int, person: Api, role: str = "editor") -> TestResponse:
    return owner.post(f"/organizations/{team}/invitations", {"email": address(person), "role": role})


def accept(person: Api, token: str) -> TestResponse:
    return person.post("/invitations/accept", {"token": token})


def join(owner: Api, team: int, person: Api, role: str, outbox: Outbox) -> None:
    """Invite a person, who accepts."""
    assert invite(owner, team, person, role).status_code == 201
    assert accept(person, outbox.token(person)).status_code == 200


def roles(member: Api, team: int) -> dict[str, str]:
    """Who belongs to a team, in which role."""
    response = member.get(f"/organizations/{team}/members", page_size=100)
    assert response.status_code == 200, response.get_data(as_text=True)
    return {item["username"]: item["role"] for item in response.json["items"]}


def fill_with_members(owner: Api, team: int, number: int) -> None:
    """People who never log in, put right into the tables."""
    for _ in range(number):
        person = make_person(owner.app)
        insert = "INSERT INTO memberships (user_id, organization_id, role) VALUES (:user, :team, 'viewer')"
        write(owner, insert, user=person.user_id, team=team)


def settle(*people: Api) -> None:
    """As if time had gone by: nothing is marked as changed any more, and all processes know these people."""
    with people[0].app.app_context():
        redis_client().flushall()
    for person in people:
        assert person.get("/profile").status_code == 200


def write(person: Api, statement: str, **values: Any) -> None:
    """A statement of SQL, committed."""
    with person.app.app_context():
        db.session.execute(text(statement), values)
        db.session.commit()
        db.session.remove()
