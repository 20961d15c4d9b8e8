"""Feeds are made, listed and deleted by their owner, and read by whoever knows the token."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import orjson
from sqlalchemy import Row, delete, func, select

from backend.actor import Actor, Role
from backend.auth.events import record_event
from backend.auth.models import User
from backend.auth.remaining_access import lock_for_new_access
from backend.auth.tokens import token_hash
from backend.bookmarks.list_filters import filter_conditions
from backend.bookmarks.models import Bookmark
from backend.bookmarks.queries import TAG_NAMES
from backend.bookmarks.schemas import ActionFilter
from backend.errors import Conflict, Invalid, NotFound
from backend.extensions import current_settings, db
from backend.http.pagination import Sort, page_of, paginate
from backend.http.truncation import beginning
from backend.organizations.models import Membership
from backend.transfer.feeds.models import Feed
from backend.transfer.feeds.schemas import FeedIn, FeedListQuery, FeedOut, FeedPage

MOST_FEEDS = 50
NEWEST = 50
TOKEN_BYTES = 24
# So that all of a person's feeds fit into one list.
MOST_FILTER_BYTES = 16 * 1024
ENTRY_COLUMNS = (
    Bookmark.id, Bookmark.url, Bookmark.title, beginning(Bookmark.description), Bookmark.created_at,
    Bookmark.updated_at, TAG_NAMES,
)  # fmt: skip


@dataclass(frozen=True)
class FeedContent:
    """What a feed says now: its newest bookmarks as rows of `ENTRY_COLUMNS`. `site` is where the web client is."""

    id: int
    name: str
    created_at: datetime
    entries: Sequence[Row[Any]]
    site: str


def create_feed(actor: Actor, given: FeedIn) -> tuple[FeedOut, str]:
    """Make a feed of the organization; its token beside it, which is told this once.

    Raises:
        Invalid: the filters are too many, or too long.
        Conflict: the person has as many feeds as one may have.
        Unauthenticated: the session has just ended.
    """
    stored = _stored(actor, given.filter)
    lock_for_new_access(actor)
    _refuse_too_many(actor)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    feed = Feed(
        user_id=actor.user_id,
        organization_id=actor.organization_id,
        name=given.name,
        filter=stored,
        token_hash=token_hash(token),
    )
    db.session.add(feed)
    db.session.flush()
    record_event(actor.user_id, "feed_created", organization_id=actor.organization_id, detail={"name": feed.name})
    made = _feed_out(feed)
    db.session.commit()
    return made, token


def list_feeds(actor: Actor, query: FeedListQuery) -> FeedPage:
    """List the person's own feeds in all organizations, the newest first."""
    columns = (Feed.id, Feed.organization_id, Feed.name, Feed.filter, Feed.created_at)
    sort = Sort("-created_at", Feed.created_at, Feed.id)
    found = paginate([Feed.user_id == actor.user_id], select(*columns), sort, query)
    return page_of(FeedPage, found, [_feed_out(row) for row in found.rows])


def delete_feed(actor: Actor, feed_id: int) -> None:
    """Delete a feed; its address leads nowhere from now on.

    Raises:
        NotFound: it is not the person's, or never was.
    """
    mine = delete(Feed).where(Feed.id == feed_id, Feed.user_id == actor.user_id)
    gone = db.session.execute(mine.returning(Feed.name, Feed.organization_id)).one_or_none()
    if gone is None:
        raise NotFound
    record_event(actor.user_id, "feed_deleted", organization_id=gone.organization_id, detail={"name": gone.name})
    db.session.commit()


def read_feed(token: str) -> FeedContent:
    """Read the newest bookmarks of a feed, as its owner may see them now. At most three statements.

    Raises:
        NotFound: there is no such feed, its owner is gone or disabled, or does not belong to the organization any more.
    """
    row = db.session.execute(
        select(Feed.id, Feed.user_id, Feed.organization_id, Feed.name, Feed.filter, Feed.created_at, Membership.role)
        .join(User, User.id == Feed.user_id)
        .join(Membership, (Membership.user_id == User.id) & (Membership.organization_id == Feed.organization_id))
        .where(Feed.token_hash == token_hash(token), User.disabled_at.is_(None), User.deleted_at.is_(None))
    ).one_or_none()
    if row is None:
        raise NotFound
    actor = Actor(row.user_id, row.organization_id, cast(Role, row.role))
    which = select(*ENTRY_COLUMNS).where(*filter_conditions(actor, _filter(row.filter)))
    entries = db.session.execute(which.order_by(Bookmark.created_at.desc(), Bookmark.id.desc()).limit(NEWEST)).all()
    site = current_settings().FRONTEND_URL
    return FeedContent(row.id, row.name, row.created_at, cast("Sequence[Row[Any]]", entries), site)


def _refuse_too_many(actor: Actor) -> None:
    """Count the feeds of a person who is held: two requests at once must not both take the last place."""
    count = db.session.scalar(select(func.count()).where(Feed.user_id == actor.user_id)) or 0
    if count >= MOST_FEEDS:
        raise Conflict(f"You have {count} feeds; {MOST_FEEDS} is the most. Delete one first.", limit=MOST_FEEDS)


def _stored(actor: Actor, given: ActionFilter) -> dict[str, Any]:
    """Check a filter as the list does; the form in which it is stored."""
    filter_conditions(actor, given)
    stored = given.model_dump(mode="json", exclude_defaults=True)
    if len(orjson.dumps(stored)) > MOST_FILTER_BYTES:
        raise Invalid.field("body.filter", f"A filter takes at most {MOST_FILTER_BYTES} bytes.", "too_long")
    return stored


def _feed_out(feed: Any) -> FeedOut:
    return FeedOut(
        id=feed.id,
        organization_id=feed.organization_id,
        name=feed.name,
        filter=_filter(feed.filter),
        created_at=feed.created_at,
    )


def _filter(stored: dict[str, Any]) -> ActionFilter:
    return ActionFilter.model_validate_json(orjson.dumps(stored))
