"""From the headers of a request to the actor."""

from __future__ import annotations

import re
import time
from uuid import UUID

from flask import Request, g
from sqlalchemy import Row, Select, func, select

from backend.actor import ALL_SCOPES, Actor
from backend.api import MAX_ID
from backend.auth import session_state
from backend.auth.api_tokens import PREFIX, is_well_formed, note_use
from backend.auth.models import ApiToken, Session, User
from backend.auth.session_state import KnownToken, Person
from backend.auth.tokens import read_token, token_hash
from backend.errors import NotFound, Unauthenticated
from backend.extensions import db
from backend.organizations.models import Membership

BEARER = re.compile(r"Bearer ([\w.~+/=-]+)", re.IGNORECASE)
MEMBERSHIPS = (
    select(func.json_object_agg(Membership.organization_id, Membership.role))
    .where(Membership.user_id == User.id)
    .correlate(User)
    .scalar_subquery()
)


def authenticate(request: Request) -> Actor:
    """Who sends this request, in which organization. One round trip to Redis; one SQL statement when it does not know.

    Raises:
        Unauthenticated: no token, or one that is malformed, expired or revoked.
        NotFound: X-Organization-ID names an organization that the person does not belong to, or the token not to.
    """
    found = BEARER.fullmatch(request.headers.get("Authorization", ""))
    if not found:
        raise Unauthenticated
    asked = _asked_organization(request.headers.get("X-Organization-ID"))
    token = found.group(1)
    actor = _by_api_token(token, asked) if token.startswith(PREFIX) else _by_access_token(token, asked)
    g.actor = actor
    return actor


def _asked_organization(header: str | None) -> int | None:
    if header is None:
        return None
    # What is no id cannot be an organization of anybody: the same answer as for someone else's.
    return int(header) if re.fullmatch(r"[0-9]{1,18}", header) and int(header) <= MAX_ID else 0


def _by_access_token(token: str, asked: int | None) -> Actor:
    claims = read_token(token, "access")
    live, person = session_state.read_session(claims.session_id, claims.user_id)
    if live is False:
        raise Unauthenticated
    if live is None or person is None:
        person = _load_session(claims.session_id, claims.user_id)
        session_state.remember_session(claims.session_id, person)
    return _actor(person, person.personal_organization_id if asked is None else asked, session_id=claims.session_id)


def _by_api_token(token: str, asked: int | None) -> Actor:
    if not is_well_formed(token):
        raise Unauthenticated
    hashed = token_hash(token)
    known, person, first_use = session_state.read_token(hashed)
    if known is False:
        raise Unauthenticated
    if not isinstance(known, KnownToken) or person is None:
        known, person = _load_token(hashed)
        session_state.remember_token(hashed, known, person)
        first_use = True
    if known.expires_at is not None and known.expires_at <= time.time():
        raise Unauthenticated
    if asked not in (None, known.organization_id):
        raise NotFound
    actor = _actor(person, known.organization_id, scopes=known.scopes)
    if first_use:
        note_use(known.token_id)
    return actor


def _actor(
    person: Person, organization_id: int, *, session_id: UUID | None = None, scopes: frozenset[str] = ALL_SCOPES
) -> Actor:
    if person.is_disabled:
        raise Unauthenticated
    role = person.memberships.get(organization_id)
    if role is None:
        raise NotFound
    return Actor(
        user_id=person.user_id,
        organization_id=organization_id,
        role=role,
        session_id=session_id,
        scopes=scopes,
        # An API token is for one organization's things, whoever made it.
        is_admin=person.is_admin and session_id is not None,
    )


def _load_session(session_id: UUID, user_id: int) -> Person:
    found = db.session.execute(
        _select_person()
        .join(Session, Session.user_id == User.id)
        .where(Session.id == session_id, User.id == user_id, Session.revoked_at.is_(None))
        .where(Session.expires_at > func.now())
    ).one_or_none()
    if found is None:
        raise Unauthenticated
    return _person(found)


def _load_token(hashed: bytes) -> tuple[KnownToken, Person]:
    found = db.session.execute(
        _select_person()
        .add_columns(ApiToken.id.label("token_id"), ApiToken.organization_id, ApiToken.scopes, ApiToken.expires_at)
        .join(ApiToken, ApiToken.user_id == User.id)
        .where(ApiToken.token_hash == hashed)
    ).one_or_none()
    if found is None:
        raise Unauthenticated
    expires_at = found.expires_at.timestamp() if found.expires_at else None
    token = KnownToken(found.token_id, found.id, found.organization_id, frozenset(found.scopes), expires_at)
    return token, _person(found)


def _select_person() -> Select[tuple[object, ...]]:
    return select(
        User.id, User.role, User.disabled_at, User.personal_organization_id, MEMBERSHIPS.label("memberships")
    ).select_from(User)


def _person(row: Row[tuple[object, ...]]) -> Person:
    values = row._mapping
    return Person(
        user_id=values["id"],
        is_admin=values["role"] == "admin",
        is_disabled=values["disabled_at"] is not None,
        personal_organization_id=values["personal_organization_id"],
        memberships={int(id_): role for id_, role in (values["memberships"] or {}).items()},
    )
