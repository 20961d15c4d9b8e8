"""Memberships of the actor, as far as the credential reaches."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import aliased

from backend.actor import Actor
from backend.extensions import db
from backend.organizations.models import Membership


def own_memberships(actor: Actor, membership: type[Membership] = Membership) -> list[ColumnElement[bool]]:
    """Return the conditions for the actor's memberships; with an API token, that in its organization only."""
    conditions = [membership.user_id == actor.user_id]
    if not actor.is_login:
        conditions.append(membership.organization_id == actor.organization_id)
    return conditions


def is_member(actor: Actor, organization_id: int, *roles: str) -> ColumnElement[bool]:
    """Return the condition that the actor belongs to the organization, in one of these roles if any are named."""
    membership = aliased(Membership)
    conditions: list[Any] = [membership.organization_id == organization_id, *own_memberships(actor, membership)]
    if roles:
        conditions.append(membership.role.in_(roles))
    return select(membership.user_id).where(*conditions).exists()


def role_in(actor: Actor, organization_id: int) -> str | None:
    """Return the actor's role in an organization; None without a membership that the credential reaches."""
    conditions = [Membership.organization_id == organization_id, *own_memberships(actor)]
    role: str | None = db.session.scalar(select(Membership.role).where(*conditions))
    return role
