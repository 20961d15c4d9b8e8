"""Changes to single bookmarks, and bulk saves. Every public function commits once and sends messages after the
commit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete, func, select, update

from backend.activity.log import record_activity
from backend.activity.types import ActivityType
from backend.actor import Actor
from backend.bookmarks import queries
from backend.bookmarks.attachments.project_links import set_projects
from backend.bookmarks.locking import lock_bookmark
from backend.bookmarks.messages import capture_message
from backend.bookmarks.models import Bookmark
from backend.bookmarks.pending_capture import finish_capture_jobs, pending_capture_values
from backend.bookmarks.provenance import delete_page, person_values, values_for_new_page
from backend.bookmarks.schemas import (
    MAX_TAGS,
    BookmarkIn,
    BookmarkOut,
    BookmarkPatch,
    BulkOut,
    BulkResult,
    OnDuplicate,
)
from backend.bookmarks.search_documents import refresh_documents
from backend.bookmarks.tags.assignment import TooManyTags, replace_tags
from backend.bookmarks.upsert import (
    INTERACTIVE_PRIORITY,
    MAX_ROUNDS,
    NOT_REQUESTED,
    DuplicateLink,
    SaveResult,
    update_fields,
    upsert_bookmarks,
)
from backend.clock import utc_now
from backend.database import retry_on_conflict
from backend.errors import NotFound, Unavailable
from backend.extensions import db
from backend.index.messages import embed_message, statistics_message
from backend.jobs.models import Job
from backend.jobs.queue import Message, send
from backend.jobs.service import add_job
from backend.projects.service import lock_projects
from backend.text.tag_names import tag_key
from backend.text.urls import domain_of, url_hash

PLAIN_FIELDS = ("notes", "is_read", "is_favorite", "is_archived", "created_at")
# This many new links in one request make corpus statistics stale.
MANY = 50
EMBEDDED_FIELDS = {"title", "description", "notes"}
NOT_CAPTURED = {"capture_status": "skipped", "capture_error": NOT_REQUESTED, "capture_due_at": None}


@retry_on_conflict
def save_bookmark(actor: Actor, item: BookmarkIn, on_duplicate: OnDuplicate) -> tuple[BookmarkOut, bool]:
    """Save a link; False beside it means that it was saved before, and was merged or left as it is.

    Raises:
        DuplicateLink: it was saved before, and `on_duplicate` is error; carries `existing_id`.
        Invalid: a project that the organization does not have.
    """
    saved = upsert_bookmarks(actor, [item], on_duplicate)[0]
    if not saved.created and on_duplicate == "error":
        raise DuplicateLink(saved.id)
    bookmark = queries.get_bookmark(actor, saved.id) if saved.row is None else queries.bookmark_out(saved.row)
    if saved.row is not None:
        kind = ActivityType.BOOKMARK_CREATED if saved.created else ActivityType.BOOKMARK_MERGED
        record_activity(actor, kind, saved.id)
    db.session.commit()
    if saved.is_capture_due:
        send([capture_message(saved.id)])
    elif saved.is_vector_due:
        send([embed_message()])
    return bookmark, saved.created


@retry_on_conflict
def save_bookmarks(actor: Actor, raw_items: Sequence[object], on_duplicate: OnDuplicate) -> BulkOut:
    """Save many links; an invalid one does not affect the others."""
    items, saved = _save_valid(actor, _refuse_overfull([_validate(raw) for raw in raw_items]), on_duplicate)
    record_saved(actor, ActivityType.BOOKMARK_CREATED, saved)
    db.session.commit()
    send(_follow_ups(saved))
    save_results = iter(saved)
    results = []
    for index, item in enumerate(items):
        if isinstance(item, str):
            results.append(BulkResult(index=index, status="invalid", error=item))
        else:
            result = next(save_results)
            results.append(BulkResult(index=index, status="created" if result.created else "duplicate", id=result.id))
    count = [result.status for result in results].count
    return BulkOut(results=results, created=count("created"), duplicates=count("duplicate"), invalid=count("invalid"))


@retry_on_conflict
def update_bookmark(actor: Actor, bookmark_id: int, patch: BookmarkPatch) -> BookmarkOut:
    """Change the fields that the patch sets.

    Raises:
        NotFound: there is no such bookmark outside the trash.
        DuplicateLink: its new URL is saved already; carries `existing_id`.
        Invalid: a project that the organization does not have.
    """
    sent_fields = patch.model_fields_set
    values = {name: getattr(patch, name) for name in PLAIN_FIELDS if name in sent_fields}
    values |= person_values(patch.title, patch.description)
    if sent_fields & EMBEDDED_FIELDS:
        values["embedding_due_at"] = func.now()
    if patch.url is not None:
        values |= _url_values(actor, bookmark_id, patch.url, patch)
    if not update_fields(actor, bookmark_id, values):
        raise NotFound
    if patch.tags is not None:
        replace_tags(actor, bookmark_id, patch.tags)
    if patch.project_ids is not None:
        set_projects(actor, bookmark_id, patch.project_ids)
    if sent_fields & (EMBEDDED_FIELDS | {"tags", "url"}):
        bookmark = queries.bookmark_out(refresh_documents([bookmark_id])[bookmark_id])
    else:
        bookmark = queries.get_bookmark(actor, bookmark_id)
    record_activity(actor, ActivityType.BOOKMARK_UPDATED, bookmark_id, fields=sorted(sent_fields))
    db.session.commit()
    if values.get("capture_status") == "pending":
        send([capture_message(bookmark_id)])
    elif values.get("embedding_due_at") is not None:
        send([embed_message()])
    return bookmark


@retry_on_conflict
def delete_bookmark(actor: Actor, bookmark_id: int, *, permanent: bool) -> None:
    """Move a bookmark to the trash, or delete it for good (also from the trash).

    Raises:
        NotFound: there is no such bookmark.
    """
    own = (Bookmark.id == bookmark_id, Bookmark.organization_id == actor.organization_id)
    if permanent:
        deleted_id = db.session.scalar(delete(Bookmark).where(*own).returning(Bookmark.id))
    else:
        deleted_id = db.session.scalar(
            update(Bookmark)
            .where(*own, Bookmark.deleted_at.is_(None))
            .values(deleted_at=utc_now())
            .returning(Bookmark.id)
        )
    if deleted_id is None:
        raise NotFound
    record_activity(actor, ActivityType.BOOKMARK_DELETED, bookmark_id, permanent=permanent or None)
    db.session.commit()


@retry_on_conflict
def restore_bookmark(actor: Actor, bookmark_id: int) -> BookmarkOut:
    """Take a bookmark out of the trash; one that is not in the trash is returned unchanged.

    Raises:
        NotFound: there is no such bookmark.
        DuplicateLink: the link was saved again in the meantime; carries `existing_id`.
    """
    row = db.session.execute(
        select(Bookmark.url, Bookmark.deleted_at).where(
            Bookmark.id == bookmark_id, Bookmark.organization_id == actor.organization_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    if row.deleted_at is not None:
        _refuse_taken_url(actor, bookmark_id, row.url)
        db.session.execute(
            update(Bookmark).where(Bookmark.id == bookmark_id).values(deleted_at=None, updated_at=utc_now())
        )
        record_activity(actor, ActivityType.BOOKMARK_RESTORED, bookmark_id)
    bookmark = queries.get_bookmark(actor, bookmark_id)
    db.session.commit()
    return bookmark


def recapture_bookmark(actor: Actor, bookmark_id: int) -> Job:
    """Capture the page again, as a job that clients can watch.

    Raises:
        NotFound: there is no such bookmark outside the trash.
    """
    if not update_fields(actor, bookmark_id, pending_capture_values(INTERACTIVE_PRIORITY)):
        raise NotFound
    job = add_job(actor, "capture", {"bookmark_id": bookmark_id})
    record_activity(actor, ActivityType.CAPTURE_REQUESTED, bookmark_id)
    db.session.commit()
    send([capture_message(bookmark_id)])
    return job


def record_saved(actor: Actor, kind: ActivityType, saved: Sequence[SaveResult]) -> None:
    """Record a batch of saved links as one event of this kind; as a merge where none of them is new."""
    created = sum(result.created for result in saved)
    merged = sum(result.row is not None and not result.created for result in saved)
    if created:
        record_activity(actor, kind, count=created, merged=merged or None)
    elif merged:
        record_activity(actor, ActivityType.BOOKMARK_MERGED, count=merged)


def _follow_ups(saved: Sequence[SaveResult]) -> list[Message]:
    captures = [capture_message()] if any(result.is_capture_due for result in saved) else []
    vectors = [embed_message()] if any(result.is_vector_due for result in saved) else []
    return [*captures, *vectors, *([statistics_message()] if sum(result.created for result in saved) >= MANY else [])]


def _validate(raw: object) -> BookmarkIn | str:
    try:
        return BookmarkIn.model_validate_json(json.dumps(raw))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        return f"{where}: {message}" if where else message


def _save_valid(
    actor: Actor, items: Sequence[BookmarkIn | str], on_duplicate: OnDuplicate
) -> tuple[list[BookmarkIn | str], list[SaveResult]]:
    """Save the valid items in the current transaction; items with too many tags become refusals."""
    for _ in range(MAX_ROUNDS):
        checked = _refuse_unknown_projects(actor, items)
        valid = [item for item in checked if isinstance(item, BookmarkIn)]
        try:
            return checked, upsert_bookmarks(actor, valid, on_duplicate, "import") if valid else []
        except TooManyTags as fault:
            db.session.rollback()
            items = [_tags_refusal(item, fault) or item for item in checked]
    raise Unavailable("Another client keeps changing these tags. Try again shortly.")


def _tags_refusal(item: BookmarkIn | str, fault: TooManyTags) -> str | None:
    if isinstance(item, str) or not item.tags:
        return None
    is_at_fault = url_hash(item.url) in fault.links or not fault.tag_keys.isdisjoint(map(tag_key, item.tags))
    return f"tags: {fault.message}" if is_at_fault else None


def _refuse_overfull(items: Iterable[BookmarkIn | str]) -> list[BookmarkIn | str]:
    """Replace items by refusals where all items of one link together have more tags than a bookmark may have."""
    tags: dict[bytes, set[str]] = {}
    checked: list[BookmarkIn | str] = []
    for item in items:
        if isinstance(item, BookmarkIn) and item.tags:
            union = tags.setdefault(url_hash(item.url), set()) | set(map(tag_key, item.tags))
            if len(union) > MAX_TAGS:
                checked.append(f"tags: {TooManyTags.on_bookmarks(()).message}")
                continue
            tags[url_hash(item.url)] = union
        checked.append(item)
    return checked


def _refuse_unknown_projects(actor: Actor, items: Sequence[BookmarkIn | str]) -> list[BookmarkIn | str]:
    project_ids = {project_id for item in items if isinstance(item, BookmarkIn) for project_id in item.project_ids}
    unknown = project_ids - lock_projects(actor, project_ids)
    return [_project_refusal(item, unknown) or item for item in items]


def _project_refusal(item: BookmarkIn | str, unknown: set[int]) -> str | None:
    refused = [project_id for project_id in getattr(item, "project_ids", ()) if project_id in unknown]
    return f"project_ids: There is no project {refused[0]}." if refused else None


def _url_values(actor: Actor, bookmark_id: int, url: str, patch: BookmarkPatch) -> dict[str, Any]:
    """Return the columns that a new URL changes. A URL of another page deletes the stored page; another spelling of
    the same URL only captures it again.

    Raises:
        NotFound: there is no such bookmark outside the trash.
        DuplicateLink: the URL is saved already; carries `existing_id`.
    """
    own = (queries.not_trashed(actor), Bookmark.id == bookmark_id)
    before = lock_bookmark(*own, columns=(Bookmark.url, Bookmark.url_hash))
    if before is None:
        raise NotFound
    if before.url == url:
        return {}
    _refuse_taken_url(actor, bookmark_id, url)
    captures = patch.capture is not False
    pending = pending_capture_values(INTERACTIVE_PRIORITY)
    values = {"url": url, "url_hash": url_hash(url), "domain": domain_of(url)}
    if values["url_hash"] == before.url_hash:
        return values | (pending if captures else {})
    delete_page(bookmark_id)
    values |= values_for_new_page(patch.title, patch.description) | pending
    if captures:
        return values | {"embedding_due_at": None}  # The end of the capture makes the vector due.
    finish_capture_jobs(bookmark_id, "skipped", NOT_REQUESTED)
    return values | NOT_CAPTURED | {"embedding_due_at": func.now()}


def _refuse_taken_url(actor: Actor, bookmark_id: int, url: str) -> None:
    taken_by = db.session.scalar(
        select(Bookmark.id).where(
            queries.not_trashed(actor), Bookmark.url_hash == url_hash(url), Bookmark.id != bookmark_id
        )
    )
    if taken_by is not None:
        raise DuplicateLink(taken_by)
