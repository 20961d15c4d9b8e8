"""Saving links, one or a thousand, in a number of statements that does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, text, update
from sqlalchemy.dialects.postgresql import insert

from backend.actor import Actor
from backend.bookmarks.filing import file_bookmarks
from backend.bookmarks.fulltext.documents import refresh_documents
from backend.bookmarks.models import LIVE, Bookmark
from backend.bookmarks.schemas import BookmarkIn, OnDuplicate
from backend.bookmarks.tagging import TooManyTags, attach_tags
from backend.bookmarks.urls import domain_of, url_hash
from backend.errors import Conflict, Unavailable
from backend.extensions import db, utc_now

TITLE_KEY_LENGTH = 200
# How urgent a capture is beside others of the same person: `Bookmark.capture_priority`.
WAITED_FOR, ONE_OF_MANY = 1, 0
# A duplicate that is deleted between the insert and the look at it is inserted on the next round.
ROUNDS = 3
# Due times are compared with the database's clock, which may be behind this machine's.
CLOCK_SKEW = timedelta(minutes=1)

FILL_EMPTY = text("""
    UPDATE bookmarks b
       SET title = CASE WHEN b.title = '' THEN given.title ELSE b.title END,
           title_key = CASE WHEN b.title = '' THEN given.title_key ELSE b.title_key END,
           description = CASE WHEN b.description = '' THEN given.description ELSE b.description END,
           notes = CASE WHEN b.notes = '' THEN given.notes ELSE b.notes END,
           updated_at = now(),
           embedding_due_at = CASE WHEN (b.title = '' AND given.title <> '')
                                     OR (b.description = '' AND given.description <> '')
                                     OR (b.notes = '' AND given.notes <> '')
                                   THEN now() ELSE b.embedding_due_at END
      FROM unnest(CAST(:ids AS bigint[]), CAST(:titles AS text[]), CAST(:title_keys AS text[]),
                  CAST(:descriptions AS text[]), CAST(:notes AS text[]))
           AS given(id, title, title_key, description, notes)
     WHERE b.id = given.id
""")


@dataclass(frozen=True)
class Saved:
    """Where a draft ended: a new bookmark, or one that was there. `row` is the whole bookmark, as
    `queries.bookmark_out` reads it, unless nothing was changed."""

    id: int
    created: bool
    row: Row[Any] | None


@dataclass(frozen=True)
class _Draft:
    """All that one request says about one link; later mentions fill what earlier ones left empty."""

    first: BookmarkIn
    title: str
    description: str
    notes: str
    tags: tuple[str, ...]
    project_ids: frozenset[int]


def save_drafts(actor: Actor, items: Sequence[BookmarkIn], on_duplicate: OnDuplicate) -> list[Saved]:
    """Save links in the transaction at hand; the answers stand in the order of the items.

    Raises:
        Conflict: with `on_duplicate` error and a single item, when the link is saved already.
        Invalid: a project that does not exist.
        TooManyTags: for a bookmark, or for the organization.
    """
    hashes = [url_hash(item.url) for item in items]
    drafts = _united(zip(hashes, items, strict=True))
    created, existing = _insert_or_find(actor, drafts)
    if existing and on_duplicate == "merge":
        _fill_empty(existing, drafts)
    touched = {**created, **existing} if on_duplicate == "merge" else created
    _attach_tags(actor, touched, drafts)
    asked = {project_id for item in items for project_id in item.project_ids}
    file_bookmarks(actor, {id_: drafts[key].project_ids for key, id_ in touched.items()}, asked)
    rows = refresh_documents(sorted(touched.values()))
    seen: set[bytes] = set()
    saved = []
    for key in hashes:
        id_ = created.get(key) or existing[key]
        saved.append(Saved(id_, key in created and key not in seen, rows.get(id_)))
        seen.add(key)
    return saved


def _attach_tags(actor: Actor, touched: dict[bytes, int], drafts: dict[bytes, _Draft]) -> None:
    try:
        attach_tags(actor, {id_: drafts[key].tags for key, id_ in touched.items() if drafts[key].tags})
    except TooManyTags as fault:
        fault.links = frozenset(key for key, id_ in touched.items() if id_ in fault.bookmark_ids)
        raise


def title_key(title: str) -> str:
    """What lists are sorted by: the title without case, cut to what an index entry can hold."""
    return title.casefold()[:TITLE_KEY_LENGTH]


def refuse_duplicate(existing_id: int) -> Conflict:
    """The refusal that names the bookmark which is there already."""
    return Conflict("This link is already saved.", existing_id=existing_id)


def _united(pairs: Iterable[tuple[bytes, BookmarkIn]]) -> dict[bytes, _Draft]:
    drafts: dict[bytes, _Draft] = {}
    for key, item in pairs:
        before = drafts.get(key)
        drafts[key] = _Draft(
            first=before.first if before else item,
            title=(before.title if before else "") or item.title or "",
            description=(before.description if before else "") or item.description or "",
            notes=(before.notes if before else "") or item.notes or "",
            tags=(*(before.tags if before else ()), *item.tags),
            project_ids=frozenset(item.project_ids).union(before.project_ids if before else ()),
        )
    return drafts


def _insert_or_find(actor: Actor, drafts: dict[bytes, _Draft]) -> tuple[dict[bytes, int], dict[bytes, int]]:
    created: dict[bytes, int] = {}
    existing: dict[bytes, int] = {}
    for _ in range(ROUNDS):
        missing = {key: draft for key, draft in drafts.items() if key not in created and key not in existing}
        if not missing:
            return created, existing
        created |= _insert(actor, missing)
        if len(created) + len(existing) < len(drafts):
            existing |= _find(actor, [key for key in missing if key not in created])
    if len(created) + len(existing) < len(drafts):
        raise Unavailable("Another client keeps changing these links. Try again shortly.")
    return created, existing


def _insert(actor: Actor, drafts: dict[bytes, _Draft]) -> dict[bytes, int]:
    # Inserted in the order of the unique index, so that two requests with the same links cannot dead-lock.
    now = utc_now()
    priority = WAITED_FOR if len(drafts) == 1 else ONE_OF_MANY
    rows = [
        # Of links saved together each is newer than the one before it, so that lists keep their order.
        _row(actor, key, draft, now + timedelta(microseconds=place)) | {"capture_priority": priority}
        for place, (key, draft) in enumerate(drafts.items())
    ]
    rows.sort(key=lambda row: row["url_hash"])
    statement = (
        insert(Bookmark)
        .on_conflict_do_nothing(index_elements=["organization_id", "url_hash"], index_where=LIVE)
        .returning(Bookmark.url_hash, Bookmark.id)
    )
    # Nulls are written out, or links with and without capture would go in by as many statements as they alternate.
    inserted = db.session.execute(statement, rows, execution_options={"render_nulls": True})
    return {bytes(key): id_ for key, id_ in inserted}


def _find(actor: Actor, keys: Sequence[bytes]) -> dict[bytes, int]:
    rows = db.session.execute(
        select(Bookmark.url_hash, Bookmark.id)
        .where(Bookmark.organization_id == actor.organization_id, Bookmark.deleted_at.is_(None))
        .where(Bookmark.url_hash.in_(keys))
        .order_by(Bookmark.id)
        .with_for_update(key_share=True)
    )
    return {bytes(key): id_ for key, id_ in rows}


def _row(actor: Actor, key: bytes, draft: _Draft, now: datetime) -> dict[str, Any]:
    first = draft.first
    return {
        "organization_id": actor.organization_id,
        "user_id": actor.user_id,
        "url": first.url,
        "url_hash": key,
        "domain": domain_of(first.url),
        "title": draft.title,
        "title_key": title_key(draft.title),
        "description": draft.description,
        "notes": draft.notes,
        "is_read": first.is_read,
        "is_favorite": first.is_favorite,
        "is_archived": first.is_archived,
        "is_tagged": bool(draft.tags),
        "capture_status": "pending" if first.capture else "skipped",
        "capture_error": None if first.capture else "Capture was not asked for.",
        "capture_due_at": now - CLOCK_SKEW if first.capture else None,
        # A capture asks for the vector when it ends, so that it is made once, from the whole page.
        "embedding_due_at": None if first.capture else now - CLOCK_SKEW,
        "created_at": first.created_at or now,
        "updated_at": now,
    }


def _fill_empty(existing: dict[bytes, int], drafts: dict[bytes, _Draft]) -> None:
    found = [(id_, drafts[key]) for key, id_ in sorted(existing.items(), key=lambda pair: pair[1])]
    db.session.execute(
        FILL_EMPTY,
        {
            "ids": [id_ for id_, _ in found],
            "titles": [draft.title for _, draft in found],
            "title_keys": [title_key(draft.title) for _, draft in found],
            "descriptions": [draft.description for _, draft in found],
            "notes": [draft.notes for _, draft in found],
        },
    )


def change_fields(actor: Actor, bookmark_id: int, values: dict[str, Any]) -> bool:
    """Set columns of a live bookmark in the transaction at hand; False if there is none."""
    changed = db.session.scalar(
        update(Bookmark)
        .where(Bookmark.id == bookmark_id, Bookmark.organization_id == actor.organization_id)
        .where(Bookmark.deleted_at.is_(None))
        .values(updated_at=utc_now(), **values)
        .returning(Bookmark.id)
    )
    return changed is not None
