"""Queries of authentication: the person of a session, an API token or an id. One statement each."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Row, Select, func, select

from backend.auth.models import ApiToken, Session, User
from backend.auth.session_cache import CachedPerson, CachedToken
from backend.errors import Unauthenticated
from backend.extensions import db
from backend.organizations.models import Membership

MEMBERSHIPS = (
    select(func.json_object_agg(Membership.organization_id, Membership.role))
    .where(Membership.user_id == User.id)
    .correlate(User)
    .scalar_subquery()
)


def load_person(user_id: int) -> CachedPerson | None:
    """Load a person whose account is not deleted; ends the transaction."""
    row = db.session.execute(_select_person().where(User.id == user_id, User.deleted_at.is_(None))).one_or_none()
    db.session.rollback()
    return _person(row) if row else None


def load_session(session_id: UUID, user_id: int) -> CachedPerson:
    """Load the person of a live session.

    Raises:
        Unauthenticated: the session is revoked or expired, or is not the person's.
    """
    row = db.session.execute(
        _select_person()
        .join(Session, Session.user_id == User.id)
        .where(Session.id == session_id, User.id == user_id, Session.revoked_at.is_(None))
        .where(Session.expires_at > func.now())
    ).one_or_none()
    if row is None:
        raise Unauthenticated
    return _person(row)


def load_token(hashed: bytes) -> tuple[CachedToken, CachedPerson]:
    """Load an API token by its hash, and its person.

    Raises:
        Unauthenticated: there is no such token.
    """
    row = db.session.execute(
        _select_person()
        .add_columns(ApiToken.id.label("token_id"), ApiToken.organization_id, ApiToken.scopes, ApiToken.expires_at)
        .join(ApiToken, ApiToken.user_id == User.id)
        .where(ApiToken.token_hash == hashed)
    ).one_or_none()
    if row is None:
        raise Unauthenticated
    expires_at = row.expires_at.timestamp() if row.expires_at else None
    token = CachedToken(row.token_id, row.id, row.organization_id, frozenset(row.scopes), expires_at)
    return token, _person(row)


def _select_person() -> Select[tuple[object, ...]]:
    return select(
        User.id, User.role, User.disabled_at, User.personal_organization_id, MEMBERSHIPS.label("memberships")
    ).select_from(User)


def _person(row: Row[tuple[object, ...]]) -> CachedPerson:
    values = row._mapping
    return CachedPerson(
        user_id=values["id"],
        is_admin=values["role"] == "admin",
        is_disabled=values["disabled_at"] is not None,
        personal_organization_id=values["personal_organization_id"],
        memberships={int(id_): role for id_, role in (values["memberships"] or {}).items()},
    )
