"""Teams, made below the API."""

from __future__ import annotations

from backend.extensions import db
from backend.organizations.models import Membership, Organization
from backend.organizations.service import unique_slug
from tests.support.api import Api


def make_team(name: str, **roles: Api) -> int:
    """A team with these people, each under the role that the argument's name begins with; the team's id."""
    team = Organization(name=name, slug=unique_slug(name), personal=False)
    db.session.add(team)
    db.session.flush()
    for role, person in roles.items():
        membership = Membership(user_id=person.user_id, organization_id=team.id, role=role.partition("_")[0])
        db.session.add(membership)
    db.session.commit()
    return team.id
