"""API tokens: credentials of scripts and extensions, with scopes, for one organization.

A token is `fz_`, thirty random letters and digits, and a checksum of six: typos, and what only looks like a token to a
secret scanner, are rejected without a lookup.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Sequence
from datetime import timedelta
from zlib import crc32

from sqlalchemy import func, or_, select, update

from backend.actor import Actor
from backend.auth.events import record_event
from backend.auth.models import ApiToken
from backend.auth.notices import notify_new_token
from backend.auth.remaining_access import lock_for_new_access
from backend.auth.schemas import TokenCreatedOut, TokenIn, TokenListQuery, TokenOut, TokenPage
from backend.auth.session_cache import invalidate_token
from backend.auth.tokens import token_hash
from backend.clock import utc_now
from backend.errors import Conflict, Invalid, NotFound
from backend.extensions import current_settings, db
from backend.http.pagination import Sort, page_of, paginate
from backend.jobs.queue import send
from backend.jobs.rights import cancel_jobs_by_token
from backend.organizations.models import Membership

PREFIX = "fz_"
DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_LENGTH, CHECK_LENGTH, SHOWN_LENGTH = 30, 6, 8
TOKEN_PATTERN = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{RANDOM_LENGTH}}})([0-9A-Za-z]{{{CHECK_LENGTH}}})")
USE_INTERVAL = timedelta(minutes=1)


def create_token(actor: Actor, data: TokenIn) -> TokenCreatedOut:
    """Create an API token, and return it this once.

    Raises:
        Invalid: the expiry has passed, or the person does not belong to the organization.
        Conflict: the person has the maximum number of tokens.
        Unauthenticated: the session has just ended.
    """
    if data.expires_at is not None and data.expires_at <= utc_now():
        raise Invalid.field("body.expires_at", "This time is over.", "past")
    organization_id = actor.organization_id if data.organization_id is None else data.organization_id
    if data.organization_id is not None and not _belongs(actor, organization_id):
        raise Invalid.field("body.organization_id", "You do not belong to this organization.", "unknown_organization")
    user, token = lock_for_new_access(actor), generate_token()
    _refuse_too_many(actor)
    row = ApiToken(
        user_id=actor.user_id,
        organization_id=organization_id,
        name=data.name,
        prefix=token[:SHOWN_LENGTH],
        token_hash=token_hash(token),
        scopes=_distinct(data.scopes),
        expires_at=data.expires_at,
    )
    db.session.add(row)
    db.session.flush()
    record_event(actor.user_id, "token_created", organization_id=organization_id, detail={"name": data.name})
    created = TokenCreatedOut.model_validate({**TokenOut.model_validate(row).model_dump(), "token": token})
    notices = notify_new_token(user)
    db.session.commit()
    send(notices)
    return created


def list_tokens(actor: Actor, query: TokenListQuery) -> TokenPage:
    """List the person's own tokens, the newest first."""
    sort = Sort("-created_at", ApiToken.created_at, ApiToken.id)
    page = paginate([ApiToken.user_id == actor.user_id], select(*ApiToken.__table__.columns), sort, query)
    return page_of(TokenPage, page, [TokenOut.model_validate(row) for row in page.rows])


def delete_token(actor: Actor, token_id: int) -> None:
    """Delete a token, in all processes at once.

    Raises:
        NotFound: it does not exist, or is not the person's.
    """
    token = db.session.scalar(select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == actor.user_id))
    if token is None:
        raise NotFound
    db.session.delete(token)
    cancel_jobs_by_token(token_id)
    record_event(actor.user_id, "token_deleted", organization_id=token.organization_id, detail={"name": token.name})
    db.session.commit()
    invalidate_token(token.token_hash)


def generate_token() -> str:
    """Generate a random token."""
    body = "".join(secrets.choice(DIGITS) for _ in range(RANDOM_LENGTH))
    return f"{PREFIX}{body}{_checksum(body)}"


def is_well_formed(token: str) -> bool:
    """Tell whether a token has the right form and checksum."""
    match = TOKEN_PATTERN.fullmatch(token)
    return match is not None and _checksum(match[1]) == match[2]


def record_use(token_id: int) -> None:
    """Record the use of a token, at most once a minute. One statement, committed."""
    is_old = ApiToken.last_used_at < func.now() - USE_INTERVAL
    db.session.execute(
        update(ApiToken)
        .where(ApiToken.id == token_id, or_(ApiToken.last_used_at.is_(None), is_old))
        .values(last_used_at=func.now())
    )
    db.session.commit()


def _refuse_too_many(actor: Actor) -> None:
    """Refuse more than the maximum. Lock the person's row before: concurrent requests must not count the same."""
    most = current_settings().MAX_API_TOKENS_PER_PERSON
    count = db.session.scalar(select(func.count()).where(ApiToken.user_id == actor.user_id)) or 0
    if count >= most:
        raise Conflict(f"You have {count} API tokens; {most} is the most. Delete one first.", limit=most)


def _checksum(body: str) -> str:
    number, checksum = crc32(body.encode()), ""
    for _ in range(CHECK_LENGTH):
        number, digit = divmod(number, len(DIGITS))
        checksum = DIGITS[digit] + checksum
    return checksum


def _distinct(scopes: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(scopes))


def _belongs(actor: Actor, organization_id: int) -> bool:
    membership = select(Membership.user_id).where(
        Membership.user_id == actor.user_id, Membership.organization_id == organization_id
    )
    return db.session.scalar(membership) is not None
