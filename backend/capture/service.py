"""Outcomes of captures: a claimed bookmark's page, or the reason why there is none, stored in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pgvector.sqlalchemy import SPARSEVEC
from sqlalchemy import Text, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import TSVECTOR, insert

from backend.activity.log import record_activity_in
from backend.activity.types import ActivityType
from backend.bookmarks.document_analysis import PageIndex
from backend.bookmarks.models import Bookmark, BookmarkContent
from backend.bookmarks.pending_capture import finish_capture_jobs, postpone_capture_jobs
from backend.bookmarks.provenance import page_values
from backend.bookmarks.search_documents import refresh_documents, reindex_pages
from backend.capture.extract.page import ExtractedPage, UnreadablePage, UnsupportedMedia
from backend.capture.extract.reading import ExtractionResult, IndexedPage
from backend.capture.fetch import FetchPolicy
from backend.capture.turns import Claim, release_claims
from backend.clock import utc_now
from backend.extensions import current_settings, db
from backend.http.response_cache.invalidation import invalidate_bookmark
from backend.leases import BackOff, seconds_from_now
from backend.outbound.failures import FetchError
from config import Settings

MAX_ATTEMPTS = 3
MAX_TITLE = 2_000
MAX_DESCRIPTION = 50_000
UNEXPECTED = FetchError("The page could not be read.", retryable=True)
# Earlier claims neither finished nor were released: the page killed their processes.
NEVER_FINISHED = UnreadablePage("This page could not be read: reading it never came to an end.")


@dataclass(frozen=True)
class Outcome:
    """The outcome of a capture. `retry_seconds` is set while the bookmark stays pending; `busy` means that a worker
    holds it, `released` that its claim was released without a result."""

    status: Literal["pending", "captured", "failed", "skipped", "gone", "busy", "released"]
    reason: str | None = None
    retry_seconds: float = 0


def capture_outcome(bookmark_id: int) -> Outcome:
    """Return the outcome of a bookmark's last capture, or that it is pending."""
    row = db.session.execute(
        select(Bookmark.capture_status, Bookmark.capture_error, Bookmark.capture_due_at, Bookmark.deleted_at).where(
            Bookmark.id == bookmark_id
        )
    ).one_or_none()
    db.session.rollback()
    if row is None or row.deleted_at is not None:
        return Outcome("gone")
    if row.capture_status == "pending":
        wait = (row.capture_due_at - utc_now()).total_seconds() if row.capture_due_at else 0
        return Outcome("busy", row.capture_error, max(wait, 1))
    return Outcome(row.capture_status, row.capture_error)


def fetch_policy(settings: Settings) -> FetchPolicy:
    """Build the fetch policy of the settings."""
    return FetchPolicy(
        allowed_networks=settings.CAPTURE_ALLOWED_NETWORKS,
        timeout_seconds=settings.CAPTURE_TIMEOUT_SECONDS,
        max_bytes=settings.CAPTURE_MAX_BYTES,
    )


def store_outcome(claim: Claim, result: ExtractionResult) -> Outcome:
    """Store the result of a claim, in one transaction, unless the bookmark has lost the claim or has another URL."""
    match result:
        case IndexedPage():
            return _store(claim, result)
        case UnsupportedMedia():
            return _end(claim, "skipped", f"This is {result.media_type}, which has no text to read.")
        case UnreadablePage():
            return _end(claim, "failed", result.reason)
        case FetchError():
            return _retry_or_fail(claim, result)


def _retry_or_fail(claim: Claim, error: FetchError) -> Outcome:
    back_off = BackOff.exponential(current_settings().CAPTURE_RETRY_SECONDS, attempts=MAX_ATTEMPTS)
    delay = back_off.delay_after(claim.attempt)
    if not error.retryable or delay is None:
        return _end(claim, "failed", error.reason)
    wait = error.retry_after_seconds or delay
    if not _change(claim, capture_due_at=seconds_from_now(wait), capture_error=error.reason):
        return _lost(claim)
    postpone_capture_jobs(claim.bookmark_id, wait)
    _commit(claim)
    return Outcome("pending", error.reason, wait)


def _end(claim: Claim, status: Literal["failed", "skipped"], reason: str) -> Outcome:
    values = {"capture_status": status, "capture_error": reason, "capture_due_at": None, "capture_host": None}
    if not _change(claim, embedding_due_at=func.now(), **values):
        return _lost(claim)
    finish_capture_jobs(claim.bookmark_id, status, reason)
    _commit(claim)
    return Outcome(status, reason)


def _store(claim: Claim, indexed: IndexedPage) -> Outcome:
    page = indexed.page
    title, description = (page.title or "")[:MAX_TITLE], (page.description or "")[:MAX_DESCRIPTION]
    is_held = _change(
        claim,
        capture_status="captured",
        capture_error=indexed.note,
        capture_due_at=None,
        capture_host=None,
        captured_at=func.now(),
        embedding_due_at=func.now(),
        **page_values(title, description),
        site_name=page.site_name,
        author=page.author,
        published_at=page.published_at,
        image_url=page.image_url,
        language=page.language,
        word_count=page.word_count,
    )
    if not is_held:
        return _lost(claim)
    store_content(claim.bookmark_id, page, indexed.index)
    refresh_documents([claim.bookmark_id], indexed.index.language)
    finish_capture_jobs(claim.bookmark_id, "captured", indexed.note)
    record_activity_in(claim.organization_id, None, ActivityType.BOOKMARK_CAPTURED, claim.bookmark_id)
    _commit(claim)
    return Outcome("captured", indexed.note)


def _lost(claim: Claim) -> Outcome:
    """Roll back and release the claim. If the bookmark's URL has changed, the new one is due at once."""
    db.session.rollback()
    return Outcome("pending") if release_claims([claim]) else Outcome("gone")


def store_content(bookmark_id: int, page: ExtractedPage, index: PageIndex | None = None) -> None:
    """Store the captured page and the index of its words, in the current transaction; the search document is then out
    of date. Without an index the words are indexed here."""
    values: dict[str, Any] = {
        "title": page.title or "",
        "byline": page.author,
        "text": page.text,
        "html": page.html,
        "word_count": page.word_count,
        "vector": "",
        "captured_at": func.now(),
    }
    if index is not None:
        values |= {
            "vector": cast(literal(index.vector, Text), TSVECTOR),
            "impacts": cast(literal(index.impacts, Text), SPARSEVEC(1_000_000_000)),
            "length": index.length,
            "average": index.average,
        }
    db.session.execute(
        insert(BookmarkContent)
        .values(bookmark_id=bookmark_id, **values)
        .on_conflict_do_update(index_elements=["bookmark_id"], set_=values)
    )
    if index is None:
        reindex_pages([bookmark_id])


def _commit(claim: Claim) -> None:
    db.session.commit()
    invalidate_bookmark(claim.organization_id, claim.bookmark_id, retagged=False)


def _change(claim: Claim, **values: Any) -> bool:
    # A claim that another worker has taken over must not write, nor must a result of an earlier URL.
    changed = db.session.scalar(
        update(Bookmark)
        .where(Bookmark.id == claim.bookmark_id, Bookmark.capture_status == "pending")
        .where(Bookmark.capture_attempts == claim.attempt, Bookmark.capture_claimed_at == claim.claimed_at)
        .where(Bookmark.url == claim.url)
        .values(updated_at=func.now(), capture_claimed_at=None, **values)
        .returning(Bookmark.id)
    )
    return changed is not None
