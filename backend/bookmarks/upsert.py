"""Upsert of links, one or a thousand, in a number of statements that does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, TextClause, select, text, update
from sqlalchemy.dialects import postgresql

from backend.actor import Actor
from backend.bookmarks.attachments.project_links import attach_to_projects
from backend.bookmarks.models import Bookmark
from backend.bookmarks.provenance import Origin, origin_of
from backend.bookmarks.schemas import BookmarkIn, OnDuplicate
from backend.bookmarks.search_documents import KnownDocuments, refresh_documents
from backend.bookmarks.tags.assignment import TooManyTags, attach_tags
from backend.clock import utc_now
from backend.errors import Conflict, Unavailable
from backend.extensions import db
from backend.named_blocks import read_statements
from backend.text.sort_keys import sort_key
from backend.text.urls import domain_of, url_hash

NOT_REQUESTED = "Capture was not asked for."
# Values of `Bookmark.capture_priority`: a person waits for the page, or it is one of many.
INTERACTIVE_PRIORITY, BULK_PRIORITY = 1, 0
# A duplicate that is deleted between insert and select is inserted in the next round.
MAX_ROUNDS = 3
# The database's clock, by which due times are compared, may be behind this machine's.
CLOCK_SKEW = timedelta(minutes=1)
SQL = read_statements(__file__)


class DuplicateLink(Conflict):
    """A link that is saved already; the problem carries `existing_id`."""

    def __init__(self, existing_id: int) -> None:
        super().__init__("This link is already saved.", existing_id=existing_id)


@dataclass(frozen=True)
class SaveResult:
    """The result of saving a link: the id of a new or an existing bookmark. `row` is the whole bookmark for
    `queries.bookmark_out`, None if nothing was changed. The flags say which messages the caller sends."""

    id: int
    created: bool
    row: Row[Any] | None
    is_capture_due: bool = False
    is_vector_due: bool = False


@dataclass(frozen=True)
class _Draft:
    """All values of one request for one link; later items fill what earlier ones left empty.

    `asks_for_capture` is set where the request asks for a capture explicitly, `captures` also by default.
    """

    first: BookmarkIn
    title: str
    description: str
    notes: str
    tags: tuple[str, ...]
    project_ids: frozenset[int]
    is_read: bool
    is_favorite: bool
    is_archived: bool
    captures: bool
    asks_for_capture: bool


def upsert_bookmarks(
    actor: Actor,
    items: Sequence[BookmarkIn],
    on_duplicate: OnDuplicate,
    source: Origin = "person",
    *,
    is_import: bool = False,
    known_documents: KnownDocuments | None = None,
) -> list[SaveResult]:
    """Save links in the current transaction and return the results in the order of the items.

    Args:
        actor: who saves them.
        items: the links with their values.
        on_duplicate: what happens to existing bookmarks.
        source: the origin of titles and descriptions.
        is_import: whether even a single link is one of many, so that nobody waits for its page.
        known_documents: search documents that were analysed before.

    Raises:
        Invalid: a project that does not exist.
        TooManyTags: for a bookmark, or for the organization.
    """
    hashes = [url_hash(item.url) for item in items]
    drafts = _merged_drafts(zip(hashes, items, strict=True))
    priority = INTERACTIVE_PRIORITY if len(drafts) == 1 and not is_import else BULK_PRIORITY
    created, existing = _insert_or_find(actor, drafts, source, priority)
    merged = _merge(existing, drafts, source, priority) if existing and on_duplicate == "merge" else {}
    touched = {**created, **existing} if on_duplicate == "merge" else created
    _attach_tags(actor, touched, drafts)
    requested = {project_id for item in items for project_id in item.project_ids}
    attach_to_projects(actor, {id_: drafts[key].project_ids for key, id_ in touched.items()}, requested)
    rows = refresh_documents(sorted(touched.values()), known=known_documents)
    seen: set[bytes] = set()
    saved = []
    for key in hashes:
        id_ = created.get(key) or existing[key]
        if key in seen:
            saved.append(SaveResult(id_, created=False, row=rows.get(id_)))
        elif key in created:
            captures = drafts[key].captures
            saved.append(SaveResult(id_, True, rows.get(id_), is_capture_due=captures, is_vector_due=not captures))
        else:
            saved.append(SaveResult(id_, False, rows.get(id_), *merged.get(id_, ())))
        seen.add(key)
    return saved


def _attach_tags(actor: Actor, touched: dict[bytes, int], drafts: dict[bytes, _Draft]) -> None:
    try:
        attach_tags(actor, {id_: drafts[key].tags for key, id_ in touched.items() if drafts[key].tags})
    except TooManyTags as fault:
        fault.links = frozenset(key for key, id_ in touched.items() if id_ in fault.bookmark_ids)
        raise


def _merged_drafts(pairs: Iterable[tuple[bytes, BookmarkIn]]) -> dict[bytes, _Draft]:
    drafts: dict[bytes, _Draft] = {}
    for key, item in pairs:
        draft = _draft(item)
        drafts[key] = _merge_drafts(drafts[key], draft) if key in drafts else draft
    return drafts


def _draft(item: BookmarkIn) -> _Draft:
    return _Draft(
        first=item,
        title=item.title or "",
        description=item.description or "",
        notes=item.notes or "",
        tags=tuple(item.tags),
        project_ids=frozenset(item.project_ids),
        is_read=item.is_read,
        is_favorite=item.is_favorite,
        is_archived=item.is_archived,
        captures=item.capture,
        asks_for_capture=item.capture and "capture" in item.model_fields_set,
    )


def _merge_drafts(before: _Draft, later: _Draft) -> _Draft:
    return _Draft(
        first=before.first,
        title=before.title or later.title,
        description=before.description or later.description,
        notes=before.notes or later.notes,
        tags=(*before.tags, *later.tags),
        project_ids=before.project_ids | later.project_ids,
        is_read=before.is_read or later.is_read,
        is_favorite=before.is_favorite or later.is_favorite,
        is_archived=before.is_archived or later.is_archived,
        captures=before.captures or later.asks_for_capture,
        asks_for_capture=before.asks_for_capture or later.asks_for_capture,
    )


def _insert_or_find(
    actor: Actor, drafts: dict[bytes, _Draft], source: Origin, priority: int
) -> tuple[dict[bytes, int], dict[bytes, int]]:
    created: dict[bytes, int] = {}
    existing: dict[bytes, int] = {}
    for _ in range(MAX_ROUNDS):
        missing = {key: draft for key, draft in drafts.items() if key not in created and key not in existing}
        if not missing:
            return created, existing
        created |= _insert(actor, missing, source, priority)
        if len(created) + len(existing) < len(drafts):
            existing |= _find(actor, [key for key in missing if key not in created])
    if len(created) + len(existing) < len(drafts):
        raise Unavailable("Another client keeps changing these links. Try again shortly.")
    return created, existing


def _insert(actor: Actor, drafts: dict[bytes, _Draft], source: Origin, priority: int) -> dict[bytes, int]:
    # Inserts follow the order of the unique index, so that two requests with the same links cannot dead-lock.
    now = utc_now()
    rows = [
        # Each link is a microsecond newer than the one before it, so that lists preserve their order.
        _row(actor, key, draft, source, now + timedelta(microseconds=index)) | {"capture_priority": priority}
        for index, (key, draft) in enumerate(drafts.items())
    ]
    rows.sort(key=lambda row: row["url_hash"])
    inserted = db.session.execute(_INSERT, {name: [row[name] for row in rows] for name in _INSERTED})
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


def _row(actor: Actor, key: bytes, draft: _Draft, source: Origin, now: datetime) -> dict[str, Any]:
    first = draft.first
    return {
        "organization_id": actor.organization_id,
        "user_id": actor.user_id,
        "url": first.url,
        "url_hash": key,
        "domain": domain_of(first.url),
        "title": draft.title,
        "title_key": sort_key(draft.title),
        "title_from": origin_of(draft.title, source),
        "description": draft.description,
        "description_from": origin_of(draft.description, source),
        "notes": draft.notes,
        "is_read": draft.is_read,
        "is_favorite": draft.is_favorite,
        "is_archived": draft.is_archived,
        "is_tagged": bool(draft.tags),
        "capture_status": "pending" if draft.captures else "skipped",
        "capture_error": None if draft.captures else NOT_REQUESTED,
        "capture_due_at": now - CLOCK_SKEW if draft.captures else None,
        # The end of the capture makes the vector due, so that it is made once, from the whole page.
        "embedding_due_at": None if draft.captures else now - CLOCK_SKEW,
        "created_at": first.created_at or now,
        "updated_at": now,
    }


def _merge(
    existing: dict[bytes, int], drafts: dict[bytes, _Draft], source: Origin, priority: int
) -> dict[int, tuple[bool, bool]]:
    """Merge drafts into existing bookmarks; return by id whether a capture and a vector are now due."""
    pairs = [(id_, drafts[key]) for key, id_ in sorted(existing.items(), key=lambda pair: pair[1])]
    merged = [draft for _, draft in pairs]
    rows = db.session.execute(
        SQL["merge"],
        {
            "source": source,
            "not_asked": NOT_REQUESTED,
            "priority": priority,
            "ids": [id_ for id_, _ in pairs],
            "titles": [draft.title for draft in merged],
            "title_keys": [sort_key(draft.title) for draft in merged],
            "descriptions": [draft.description for draft in merged],
            "notes": [draft.notes for draft in merged],
            "read": [draft.is_read for draft in merged],
            "favorites": [draft.is_favorite for draft in merged],
            "archived": [draft.is_archived for draft in merged],
            "captures": [draft.captures for draft in merged],
            "asks": [draft.asks_for_capture for draft in merged],
        },
    )
    return {id_: (is_captured, is_embedded) for id_, is_captured, is_embedded in rows}


def _insert_statement() -> TextClause:
    # One array for each column: PostgreSQL takes twice as long to parse a value for each field of a thousand links.
    types = (Bookmark.__table__.columns[name].type.compile(postgresql.dialect()) for name in _INSERTED)  # type: ignore[no-untyped-call]
    arrays = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in zip(_INSERTED, types, strict=True))
    # Only names of columns and types stand in the text; values are parameters.
    statement = f"INSERT INTO bookmarks ({', '.join(_INSERTED)}) SELECT * FROM unnest({arrays}) AS given"  # nosec B608
    conflict = " ON CONFLICT (organization_id, url_hash) WHERE deleted_at IS NULL DO NOTHING RETURNING url_hash, id"
    return text(statement + conflict)


# The columns of a new bookmark: the keys of `_row`.
_INSERTED = (
    *("organization_id", "user_id", "url", "url_hash", "domain", "title", "title_key", "title_from", "description"),
    *("description_from", "notes", "is_read", "is_favorite", "is_archived", "is_tagged", "capture_status"),
    *("capture_error", "capture_due_at", "capture_priority", "embedding_due_at", "created_at", "updated_at"),
)
_INSERT = _insert_statement()


def update_fields(actor: Actor, bookmark_id: int, values: dict[str, Any]) -> bool:
    """Set columns of a bookmark outside the trash in the current transaction; return whether there is one."""
    changed = db.session.scalar(
        update(Bookmark)
        .where(Bookmark.id == bookmark_id, Bookmark.organization_id == actor.organization_id)
        .where(Bookmark.deleted_at.is_(None))
        .values(updated_at=utc_now(), **values)
        .returning(Bookmark.id)
    )
    return changed is not None
