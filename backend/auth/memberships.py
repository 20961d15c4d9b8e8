"""Memberships of the acting person, as far as the credential reaches."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import aliased

from backend.actor import Actor
from backend.extensions import db
from backend.organizations.models import Membership


def own_memberships(actor: Actor, membership: type[Membership] = Membership) -> list[ColumnElement[bool]]:
    """The person's memberships; with an API token, only that in the organization the token is for."""
    conditions = [membership.user_id == actor.user_id]
    if not actor.is_login:
        conditions.append(membership.organization_id == actor.organization_id)
    return conditions


def is_member(actor: Actor, organization_id: int, *roles: str) -> ColumnElement[bool]:
    """Whether the person belongs to the organization, in one of these roles if any are named."""
    mine = aliased(Membership)
    conditions: list[Any] = [mine.organization_id == organization_id, *own_memberships(actor, mine)]
    if roles:
        conditions.append(mine.role.in_(roles))
    return select(mine.user_id).where(*conditions).exists()


def role_in(actor: Actor, organization_id: int) -> str | None:
    """The person's role in an organization; None if they do not belong to it, or the credential does not reach it."""
    conditions = [Membership.organization_id == organization_id, *own_memberships(actor)]
    role: str | None = db.session.scalar(select(Membership.role).where(*conditions))
    return role
