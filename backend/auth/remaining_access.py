"""Access that remains without the password of an account: API tokens, feeds, the own language model provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import column, delete, exists, func, or_, select, table

from backend.actor import Actor
from backend.auth.models import ApiToken, Session, User
from backend.errors import Unauthenticated
from backend.extensions import db

# The features `ai` and `transfer` use this one: their tables are named here, their models are not.
PROVIDERS = table("ai_providers", column("user_id"), column("updated_at"))
FEEDS = table("feeds", column("user_id"), column("created_at"))


@dataclass(frozen=True)
class RemainingAccess:
    """Remaining and ended access: `ended` are hashes of tokens, for `invalidate_tokens` after the commit.

    `ended_unproven`: access from before the confirmation of the mail address has ended.
    """

    tokens: int
    has_provider: bool
    ended: Sequence[bytes] = ()
    ended_unproven: bool = False

    @property
    def detail(self) -> dict[str, Any]:
        """Return the detail of the security event of the new password."""
        return {"tokens_ended": len(self.ended), "tokens_left": self.tokens, "provider_left": self.has_provider}


def lock_for_new_access(actor: Actor) -> User:
    """Lock the person until the commit, before they create access that needs no password.

    A password change that came first has revoked the session; the new access would outlive it.

    Raises:
        Unauthenticated: the session has just been revoked.
    """
    user = db.session.get_one(User, actor.user_id, with_for_update={"key_share": True}, populate_existing=True)
    live = select(Session.id).where(Session.id == actor.session_id, Session.revoked_at.is_(None))
    if db.session.scalar(live) is None:
        raise Unauthenticated
    return user


def end_unproven_access(user_id: int, since: datetime | None, *, all_tokens: bool) -> RemainingAccess:
    """End access from before the confirmation of the mail address (`since`), in the current transaction.

    The person who registered an address first may not own it: without a confirmation all access ends. With `all_tokens`
    the other API tokens end too.
    """
    old_tokens = [ApiToken.created_at < since] if since is not None and not all_tokens else []
    ended = db.session.execute(
        delete(ApiToken)
        .where(ApiToken.user_id == user_id, *old_tokens)
        .returning(ApiToken.token_hash, ApiToken.created_at)
    ).all()
    old_feeds = [FEEDS.c.created_at < since] if since is not None and not all_tokens else []
    feeds = delete(FEEDS).where(FEEDS.c.user_id == user_id, *old_feeds).cte("ended_feeds")
    old_provider = [PROVIDERS.c.updated_at < since] if since is not None else []
    provider = db.session.scalar(
        delete(PROVIDERS)
        .where(PROVIDERS.c.user_id == user_id, *old_provider)
        .returning(PROVIDERS.c.user_id)
        .add_cte(feeds)
    )
    unproven = provider is not None or any(_is_before(row.created_at, since) for row in ended)
    tokens, has_provider = _count_remaining(user_id)
    return RemainingAccess(tokens, has_provider, [row.token_hash for row in ended], unproven)


def end_tokens(user: User, *, all_tokens: bool) -> RemainingAccess:
    """End the API tokens and feeds, if that is asked for, in the current transaction."""
    ended: Sequence[bytes] = ()
    if all_tokens:
        feeds = delete(FEEDS).where(FEEDS.c.user_id == user.id).cte("ended_feeds")
        mine = delete(ApiToken).where(ApiToken.user_id == user.id).add_cte(feeds)
        ended = db.session.scalars(mine.returning(ApiToken.token_hash)).all()
    return RemainingAccess(*_count_remaining(user.id), ended)


def _count_remaining(user_id: int) -> tuple[int, bool]:
    usable = ApiToken.user_id == user_id, or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > func.now())
    tokens = select(func.count()).select_from(ApiToken).where(*usable).scalar_subquery()
    row = db.session.execute(select(tokens, exists().where(PROVIDERS.c.user_id == user_id))).one()
    return row[0], row[1]


def _is_before(moment: datetime, since: datetime | None) -> bool:
    return since is None or moment < since
