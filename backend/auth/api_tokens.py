"""API tokens: for scripts and extensions, with scopes, for one organization.

`fz_`, thirty letters and digits by chance, six that check them: a typo, or what only looks like a token to a secret
scanner, is told apart without a look-up.
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
TOKEN_PATTERN = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{CHANCE_LENGTH}}})([0-9A-Za-z]{{{CHECK_LENGTH}}})")
USE_INTERVAL = timedelta(minutes=1)


def create_token(actor: Actor, given: TokenIn) -> TokenCreatedOut:
    """A new token; the only time that it is told.

    Raises:
        Invalid: it would have expired already, or is for an organization that the person does not belong to.
        Conflict: the person has as many as one may have.
        Unauthenticated: the session has just ended.
    """
    if given.expires_at is not None and given.expires_at <= utc_now():
        raise Invalid.field("body.expires_at", "This time is over.", "past")
    organization_id = actor.organization_id if given.organization_id is None else given.organization_id
    if given.organization_id is not None and not _belongs(actor, organization_id):
        raise Invalid.field("body.organization_id", "You do not belong to this organization.", "unknown_organization")
    user, token = lock_for_new_access(actor), generate_token()
    _refuse_too_many(actor)
    row = ApiToken(
        user_id=actor.user_id,
        organization_id=organization_id,
        name=given.name,
        prefix=token[:SHOWN_LENGTH],
        token_hash=token_hash(token),
        scopes=_distinct(given.scopes),
        expires_at=given.expires_at,
    )
    db.session.add(row)
    db.session.flush()
    record_event(actor.user_id, "token_created", organization_id=organization_id, detail={"name": given.name})
    created = TokenCreatedOut.model_validate({**TokenOut.model_validate(row).model_dump(), "token": token})
    notices = notify_new_token(user)
    db.session.commit()
    send(notices)
    return created


def list_tokens(actor: Actor, query: TokenListQuery) -> TokenPage:
    """The person's own tokens, the newest first."""
    sort = Sort("-created_at", ApiToken.created_at, ApiToken.id)
    found = paginate([ApiToken.user_id == actor.user_id], select(*ApiToken.__table__.columns), sort, query)
    return page_of(TokenPage, found, [TokenOut.model_validate(row) for row in found.rows])


def delete_token(actor: Actor, token_id: int) -> None:
    """The token stops working at once.

    Raises:
        NotFound: it is not the person's, or never was.
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
    """A new token, known to nobody."""
    chance = "".join(secrets.choice(DIGITS) for _ in range(RANDOM_LENGTH))
    return f"{PREFIX}{chance}{_check(chance)}"


def is_well_formed(token: str) -> bool:
    """Whether its last six characters check the others."""
    found = TOKEN_PATTERN.fullmatch(token)
    return found is not None and _check(found[1]) == found[2]


def record_use(token_id: int) -> None:
    """Write down that a token is used, at most once a minute. One statement, committed."""
    long_ago = ApiToken.last_used_at < func.now() - USE_INTERVAL
    db.session.execute(
        update(ApiToken)
        .where(ApiToken.id == token_id, or_(ApiToken.last_used_at.is_(None), long_ago))
        .values(last_used_at=func.now())
    )
    db.session.commit()


def _refuse_too_many(actor: Actor) -> None:
    """Hold the person's row before: two requests at once must not both count the one left."""
    most = current_settings().MAX_API_TOKENS_PER_PERSON
    count = db.session.scalar(select(func.count()).where(ApiToken.user_id == actor.user_id)) or 0
    if count >= most:
        raise Conflict(f"You have {count} API tokens; {most} is the most. Delete one first.", limit=most)


def _check(chance: str) -> str:
    number, check = crc32(chance.encode()), ""
    for _ in range(CHECK_LENGTH):
        number, digit = divmod(number, len(DIGITS))
        check = DIGITS[digit] + check
    return check


def _distinct(scopes: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(scopes))


def _belongs(actor: Actor, organization_id: int) -> bool:
    mine = select(Membership.user_id).where(
        Membership.user_id == actor.user_id, Membership.organization_id == organization_id
    )
    return db.session.scalar(mine) is not None
