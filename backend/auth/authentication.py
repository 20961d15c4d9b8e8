"""From the headers of a request to the actor."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from werkzeug.datastructures import Headers

from backend.actor import ALL_SCOPES, Actor
from backend.auth import session_cache
from backend.auth.api_tokens import PREFIX, is_well_formed, record_use
from backend.auth.entry_signing import EntrySigner
from backend.auth.models import ApiToken, Session, User
from backend.auth.session_cache import CachedPerson, CachedToken
from backend.auth.tokens import TokenClaims, read_token, token_hash
from backend.errors import NotFound, Unauthenticated
from backend.extensions import db
from backend.http.field_types import MAX_ID
from backend.organizations.models import Membership

BEARER = re.compile(r"Bearer ([\w.~+/=-]+)", re.IGNORECASE)
MEMBERSHIPS = (
    select(func.json_object_agg(Membership.organization_id, Membership.role))
    .where(Membership.user_id == User.id)
    .correlate(User)
    .scalar_subquery()
)


@dataclass(frozen=True)
class Credential:
    """What a request shows, its form and signature checked, nothing looked up.

    Attributes:
        asked: The organization that X-Organization-ID names; 0 when it names none that could be.
        claims: Of an access token.
        token_hash: Of an API token.
    """

    asked: int | None
    claims: TokenClaims | None = None
    token_hash: bytes = b""

    @property
    def is_login(self) -> bool:
        """Whether it is an access token, not an API token."""
        return self.claims is not None

    @property
    def expires_at(self) -> float:
        """The end of an access token, in seconds since 1970; that of an API token is looked up."""
        return self.claims.expires_at if self.claims else math.inf

    @property
    def subject(self) -> str:
        """Who this is to the rate limits: the API token, else the person."""
        return subject_of_person(self.claims.user_id) if self.claims else f"token:{self.token_hash.hex()[:32]}"

    @property
    def question(self) -> tuple[str, str, int]:
        """What to ask Redis with `LUA_CREDENTIALS`: the kind, the session or token, and its person (0: not known)."""
        if self.claims:
            return "session", str(self.claims.session_id), self.claims.user_id
        return "token", self.token_hash.hex(), 0


def subject_of_person(user_id: int) -> str:
    """Who a person is to the rate limits; requests by their API tokens count for them too."""
    return f"user:{user_id}"


def read_credential(headers: Headers) -> Credential:
    """What the headers show.

    Raises:
        Unauthenticated: no token, or one that is malformed, forged or expired.
    """
    found = BEARER.fullmatch(headers.get("Authorization", ""))
    if not found:
        raise Unauthenticated
    token = found.group(1)
    asked = _asked_organization(headers.get("X-Organization-ID"))
    if not token.startswith(PREFIX):
        return Credential(asked, claims=read_token(token, "access"))
    if not is_well_formed(token):
        raise Unauthenticated
    return Credential(asked, token_hash=token_hash(token))


def actor_of(credential: Credential, answer: Any) -> Actor:
    """Who acts, in which organization. One SQL statement, and another round trip, when Redis does not know.

    Args:
        credential: What the request shows.
        answer: Redis's answer to its question; None while it is away.

    Raises:
        Unauthenticated: the token is revoked or expired, or the person disabled.
        NotFound: X-Organization-ID names an organization that the person does not belong to, or the token not to.
    """
    if credential.claims:
        return _by_access_token(credential.claims, credential.asked, answer)
    return _by_api_token(credential.token_hash, credential.asked, answer)


def cached_actor(credential: Credential, answer: Any, signer: EntrySigner) -> Actor | None:
    """The same as far as Redis knows, without a context; None if PostgreSQL is to be asked, or told.

    To be asked while Redis is trusted.

    Raises:
        Unauthenticated: the token is revoked or expired, or the person disabled.
        NotFound: X-Organization-ID names an organization that the person does not belong to, or the token not to.
    """
    if credential.claims:
        claims = credential.claims
        live, person = session_cache.decode_session_reply(answer, claims.session_id, claims.user_id, signer)
        return _of_session(claims, credential.asked, person) if live and person else None
    known, person, first_use = session_cache.decode_token_reply(answer, credential.token_hash, signer)
    if not isinstance(known, CachedToken) or person is None or first_use:
        return None
    return _of_token(known, credential.asked, person)


def _asked_organization(header: str | None) -> int | None:
    if header is None:
        return None
    # What is no id cannot be an organization of anybody: the same answer as for someone else's.
    return int(header) if re.fullmatch(r"[0-9]{1,18}", header) and int(header) <= MAX_ID else 0


def _by_access_token(claims: TokenClaims, asked: int | None, answer: Any) -> Actor:
    live, person = session_cache.cached_session(answer, claims.session_id, claims.user_id)
    if live is False:
        raise Unauthenticated
    if live is None or person is None:
        person = _load_session(claims.session_id, claims.user_id)
        session_cache.store_session(claims.session_id, person, answer)
    return _of_session(claims, asked, person)


def _of_session(claims: TokenClaims, asked: int | None, person: CachedPerson) -> Actor:
    organization_id = person.personal_organization_id if asked is None else asked
    return _actor(person, organization_id, is_login=True, session_id=claims.session_id)


def _by_api_token(hashed: bytes, asked: int | None, answer: Any) -> Actor:
    known, person, first_use = session_cache.cached_token(answer, hashed)
    if known is False:
        raise Unauthenticated
    if not isinstance(known, CachedToken) or person is None:
        known, person = _load_token(hashed)
        session_cache.store_token(hashed, known, person, answer)
        first_use = True
    actor = _of_token(known, asked, person)
    if first_use:
        record_use(known.token_id)
    return actor


def _of_token(known: CachedToken, asked: int | None, person: CachedPerson) -> Actor:
    if known.expires_at is not None and known.expires_at <= time.time():
        raise Unauthenticated
    if asked not in (None, known.organization_id):
        raise NotFound
    return _actor(person, known.organization_id, is_login=False, scopes=known.scopes, token_id=known.token_id)


def _actor(
    person: CachedPerson,
    organization_id: int,
    *,
    is_login: bool,
    session_id: UUID | None = None,
    scopes: frozenset[str] = ALL_SCOPES,
    token_id: int | None = None,
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
        is_admin=person.is_admin and is_login,
        token_id=token_id,
        is_login=is_login,
    )


def actor_of_login(user_id: int) -> Actor | None:
    """The person as a login of theirs would act that names no organization, for work ahead of it; None if they may not
    log in.

    One SQL statement; ends its transaction.
    """
    found = db.session.execute(_select_person().where(User.id == user_id, User.deleted_at.is_(None))).one_or_none()
    db.session.rollback()
    person = _person(found) if found else None
    if person is None or person.is_disabled:
        return None
    return _actor(person, person.personal_organization_id, is_login=True)


def _load_session(session_id: UUID, user_id: int) -> CachedPerson:
    found = db.session.execute(
        _select_person()
        .join(Session, Session.user_id == User.id)
        .where(Session.id == session_id, User.id == user_id, Session.revoked_at.is_(None))
        .where(Session.expires_at > func.now())
    ).one_or_none()
    if found is None:
        raise Unauthenticated
    return _person(found)


def _load_token(hashed: bytes) -> tuple[CachedToken, CachedPerson]:
    found = db.session.execute(
        _select_person()
        .add_columns(ApiToken.id.label("token_id"), ApiToken.organization_id, ApiToken.scopes, ApiToken.expires_at)
        .join(ApiToken, ApiToken.user_id == User.id)
        .where(ApiToken.token_hash == hashed)
    ).one_or_none()
    if found is None:
        raise Unauthenticated
    expires_at = found.expires_at.timestamp() if found.expires_at else None
    token = CachedToken(found.token_id, found.id, found.organization_id, frozenset(found.scopes), expires_at)
    return token, _person(found)


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
