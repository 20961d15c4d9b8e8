"""Making organizations."""

from __future__ import annotations

import re
import secrets

from backend.extensions import db
from backend.organizations.models import Membership, Organization


def add_personal_organization(username: str) -> Organization:
    """A new person's own organization, added to the transaction at hand and flushed for its id."""
    organization = Organization(name=username, slug=unique_slug(username), personal=True)
    db.session.add(organization)
    db.session.flush()
    return organization


def add_owner(organization: Organization, user_id: int) -> None:
    """Make a person the owner, in the transaction at hand."""
    db.session.add(Membership(user_id=user_id, organization_id=organization.id, role="owner"))


def unique_slug(name: str) -> str:
    """A readable part and enough chance that it is new."""
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"{readable}-{secrets.token_hex(4)}".lstrip("-")
