"""From the headers of a request to the actor."""

from __future__ import annotations

import re
from typing import cast
from uuid import UUID

from flask import Request, g
from sqlalchemy import and_, func, select

from backend.actor import Actor, Role
from backend.api import MAX_ID
from backend.auth.models import Session, User
from backend.auth.tokens import read_token
from backend.errors import NotFound, Unauthenticated
from backend.extensions import db
from backend.organizations.models import Membership

BEARER = re.compile(r"Bearer ([\w.~+/=-]+)", re.IGNORECASE)


def authenticate(request: Request) -> Actor:
    """Who sends this request, in which organization. One SQL statement.

    Raises:
        Unauthenticated: no token, or one that is malformed, expired or revoked.
        NotFound: X-Organization-ID names an organization that the person does not belong to.
    """
    found = BEARER.fullmatch(request.headers.get("Authorization", ""))
    if not found:
        raise Unauthenticated
    claims = read_token(found.group(1), "access")
    organization_id = _asked_organization(request.headers.get("X-Organization-ID"))
    actor = _load_actor(claims.session_id, claims.user_id, organization_id)
    g.actor = actor
    return actor


def _asked_organization(header: str | None) -> int | None:
    if header is None:
        return None
    # What is no id cannot be an organization of anybody: the same answer as for someone else's.
    return int(header) if re.fullmatch(r"[0-9]{1,18}", header) and int(header) <= MAX_ID else 0


def _load_actor(session_id: UUID, user_id: int, organization_id: int | None) -> Actor:
    wanted = User.personal_organization_id if organization_id is None else organization_id
    row = db.session.execute(
        select(User.id, User.role, Membership.organization_id, Membership.role.label("membership_role"))
        .join(Session, Session.user_id == User.id)
        .outerjoin(Membership, and_(Membership.user_id == User.id, Membership.organization_id == wanted))
        .where(Session.id == session_id, User.id == user_id, Session.revoked_at.is_(None))
        .where(Session.expires_at > func.now())
    ).one_or_none()
    if row is None:
        raise Unauthenticated
    if row.organization_id is None:
        raise NotFound
    return Actor(
        user_id=row.id,
        organization_id=row.organization_id,
        role=cast(Role, row.membership_role),
        session_id=session_id,
        is_admin=row.role == "admin",
    )
