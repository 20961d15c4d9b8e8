"""Authentication: from the headers of a request to the actor."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Container
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from werkzeug.datastructures import Headers

from backend.actor import ALL_SCOPES, Actor
from backend.auth import session_cache
from backend.auth.api_tokens import PREFIX, is_well_formed, record_use
from backend.auth.entry_signing import EntrySigner
from backend.auth.person_queries import load_person, load_session, load_token
from backend.auth.session_cache import CachedPerson, CachedToken
from backend.auth.tokens import TokenClaims, read_token, token_hash
from backend.errors import NotFound, Unauthenticated
from backend.http.dialects import BEARER
from backend.http.field_types import MAX_ID

AUTHORIZATION = re.compile(r"(?P<scheme>\w+) (?P<token>[\w.~+/=-]+)")


@dataclass(frozen=True)
class TokenCredential:
    """TokenCredential of a request: its form and signature are checked, nothing is looked up.

    Attributes:
        asked: The organization that X-Organization-ID names; 0 where that cannot be an id.
        claims: The claims of an access token.
        token_hash: The hash of an API token.
    """

    asked: int | None
    claims: TokenClaims | None = None
    token_hash: bytes = b""

    @property
    def is_login(self) -> bool:
        """Tell whether it is an access token, not an API token."""
        return self.claims is not None

    @property
    def expires_at(self) -> float:
        """Return the end of an access token, in seconds since 1970; that of an API token is looked up."""
        return self.claims.expires_at if self.claims else math.inf

    @property
    def subject(self) -> str:
        """Return the subject of the rate limits: the API token, else the person."""
        return subject_of_person(self.claims.user_id) if self.claims else f"token:{self.token_hash.hex()[:32]}"

    @property
    def question(self) -> tuple[str, str, int]:
        """Return the lookup for `LUA_CREDENTIALS`: the kind, the session or token, and its person (0: not known)."""
        if self.claims:
            return "session", str(self.claims.session_id), self.claims.user_id
        return "token", self.token_hash.hex(), 0


def subject_of_person(user_id: int) -> str:
    """Return the subject of the rate limits of a person; requests by their API tokens count for it too."""
    return f"user:{user_id}"


def read_credential(headers: Headers, schemes: Container[str] = BEARER) -> TokenCredential:
    """Read the credential of a request, with one of these schemes, in lower case, before the token.

    Raises:
        Unauthenticated: no token, or one that is malformed, forged or expired.
    """
    header = AUTHORIZATION.fullmatch(headers.get("Authorization", ""))
    if not header or header["scheme"].lower() not in schemes:
        raise Unauthenticated
    token = header["token"]
    asked = _asked_organization(headers.get("X-Organization-ID"))
    if not token.startswith(PREFIX):
        return TokenCredential(asked, claims=read_token(token, "access"))
    if not is_well_formed(token):
        raise Unauthenticated
    return TokenCredential(asked, token_hash=token_hash(token))


def actor_of(credential: TokenCredential, reply: Any) -> Actor:
    """Authenticate a credential. One SQL statement, and another round trip to Redis, on a cache miss.

    Args:
        credential: The credential of the request.
        reply: Redis's reply to `credential.question`; None while it is away.

    Raises:
        Unauthenticated: the token is revoked or expired, or the person disabled.
        NotFound: X-Organization-ID names an organization that the person does not belong to, or the token not to.
    """
    if credential.claims:
        return _by_access_token(credential.claims, credential.asked, reply)
    return _by_api_token(credential.token_hash, credential.asked, reply)


def cached_actor(credential: TokenCredential, reply: Any, signer: EntrySigner) -> Actor | None:
    """Authenticate a credential from the cache alone, outside any context; None where PostgreSQL is needed.

    Call it only while Redis is trusted.

    Raises:
        Unauthenticated: the token is revoked or expired, or the person disabled.
        NotFound: X-Organization-ID names an organization that the person does not belong to, or the token not to.
    """
    if credential.claims:
        claims = credential.claims
        live, person = session_cache.decode_session_reply(reply, claims.session_id, claims.user_id, signer)
        return _of_session(claims, credential.asked, person) if live and person else None
    known, person, first_use = session_cache.decode_token_reply(reply, credential.token_hash, signer)
    if not isinstance(known, CachedToken) or person is None or first_use:
        return None
    return _of_token(known, credential.asked, person)


def _asked_organization(header: str | None) -> int | None:
    if header is None:
        return None
    # A text that is no id gets the same response as somebody else's organization.
    return int(header) if re.fullmatch(r"[0-9]{1,18}", header) and int(header) <= MAX_ID else 0


def _by_access_token(claims: TokenClaims, asked: int | None, reply: Any) -> Actor:
    live, person = session_cache.cached_session(reply, claims.session_id, claims.user_id)
    if live is False:
        raise Unauthenticated
    if live is None or person is None:
        person = load_session(claims.session_id, claims.user_id)
        session_cache.store_session(claims.session_id, person, reply)
    return _of_session(claims, asked, person)


def _of_session(claims: TokenClaims, asked: int | None, person: CachedPerson) -> Actor:
    organization_id = person.personal_organization_id if asked is None else asked
    return _actor(person, organization_id, is_login=True, session_id=claims.session_id)


def _by_api_token(hashed: bytes, asked: int | None, reply: Any) -> Actor:
    known, person, first_use = session_cache.cached_token(reply, hashed)
    if known is False:
        raise Unauthenticated
    if not isinstance(known, CachedToken) or person is None:
        known, person = load_token(hashed)
        session_cache.store_token(hashed, known, person, reply)
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
        # The API token of an administrator reaches its organization only.
        is_admin=person.is_admin and is_login,
        token_id=token_id,
        is_login=is_login,
    )


def actor_of_login(user_id: int) -> Actor | None:
    """Return the actor that a login of the person would have, for work ahead of it; None if they may not log in.

    One SQL statement; ends its transaction.
    """
    person = load_person(user_id)
    if person is None or person.is_disabled:
        return None
    return _actor(person, person.personal_organization_id, is_login=True)
