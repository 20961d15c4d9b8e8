"""Capturing: claim a pending bookmark, fetch and read its page, write what was found in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from loguru import logger
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from backend.bookmarks.capture.extract import ExtractedPage, UnreadablePage, UnsupportedMedia, extract_page
from backend.bookmarks.capture.fetch import FetchError, FetchPolicy, fetch_page
from backend.bookmarks.fulltext.documents import index_stored_pages, refresh_documents
from backend.bookmarks.models import Bookmark, BookmarkContent
from backend.bookmarks.provenance import found_on_page
from backend.cache.changes import announce_change_of_bookmark
from backend.extensions import current_settings, db, utc_now

MAX_ATTEMPTS = 3
MAX_TITLE = 2_000
MAX_DESCRIPTION = 50_000


@dataclass(frozen=True)
class Outcome:
    """How a capture ended. `retry_seconds` is set while it stays pending; `busy` means that another worker has it."""

    status: Literal["pending", "captured", "failed", "skipped", "gone", "busy"]
    reason: str | None = None
    retry_seconds: float = 0


@dataclass(frozen=True)
class _Claim:
    bookmark_id: int
    organization_id: int
    url: str
    attempt: int


def capture(bookmark_id: int) -> Outcome:
    """Read the page of a pending bookmark whose time has come. Safe to call twice, and from two workers at once."""
    claim = _claim(bookmark_id)
    if claim is None:
        return _why_not(bookmark_id)
    if claim.attempt > MAX_ATTEMPTS:  # Earlier ones neither ended nor gave up: their workers died of the page.
        return _end(claim, "failed", "This page could not be read: reading it never came to an end.")
    try:
        page = _read(claim.url)
    except UnsupportedMedia as unsupported:
        return _end(claim, "skipped", f"This is {unsupported.media_type}, which has no text to read.")
    except UnreadablePage as unreadable:
        return _end(claim, "failed", unreadable.reason)
    except FetchError as error:
        return _retry_or_fail(claim, error)
    except Exception as error:
        logger.opt(exception=error).error("capture of bookmark {} failed", bookmark_id)
        return _retry_or_fail(claim, FetchError("The page could not be read.", retryable=True))
    return _store(claim, page)


def due_captures(limit: int) -> list[int]:
    """Bookmarks that wait for a capture which nobody works on, the longest waiting first."""
    return list(
        db.session.scalars(
            select(Bookmark.id)
            .where(Bookmark.capture_status == "pending", Bookmark.capture_due_at <= func.now())
            .where(Bookmark.deleted_at.is_(None))
            .order_by(Bookmark.capture_due_at)
            .limit(limit)
        )
    )


def _claim(bookmark_id: int) -> _Claim | None:
    lease = timedelta(seconds=current_settings().capture_lease_seconds)
    row = db.session.execute(
        update(Bookmark)
        .where(Bookmark.id == bookmark_id, Bookmark.capture_status == "pending")
        .where(Bookmark.capture_due_at <= func.now(), Bookmark.deleted_at.is_(None))
        .values(capture_attempts=Bookmark.capture_attempts + 1, capture_due_at=func.now() + lease)
        .returning(Bookmark.organization_id, Bookmark.url, Bookmark.capture_attempts)
    ).one_or_none()
    db.session.commit()
    return _Claim(bookmark_id, row.organization_id, row.url, row.capture_attempts) if row else None


def _why_not(bookmark_id: int) -> Outcome:
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


def _read(url: str) -> ExtractedPage:
    settings = current_settings()
    policy = FetchPolicy(
        allowed_networks=settings.CAPTURE_ALLOWED_NETWORKS,
        timeout_seconds=settings.CAPTURE_TIMEOUT_SECONDS,
        max_bytes=settings.CAPTURE_MAX_BYTES,
    )
    fetched = fetch_page(url, policy)
    return extract_page(
        fetched.body,
        url=fetched.url,
        media_type=fetched.media_type,
        charset=fetched.charset,
        truncated=fetched.truncated,
    )


def _retry_or_fail(claim: _Claim, error: FetchError) -> Outcome:
    if not error.retryable or claim.attempt >= MAX_ATTEMPTS:
        return _end(claim, "failed", error.reason)
    wait = error.retry_after_seconds or current_settings().CAPTURE_RETRY_SECONDS * 4 ** (claim.attempt - 1)
    _change(claim, capture_due_at=func.now() + timedelta(seconds=wait), capture_error=error.reason)
    _commit(claim)
    return Outcome("pending", error.reason, wait)


def _end(claim: _Claim, status: Literal["failed", "skipped"], reason: str) -> Outcome:
    _change(claim, capture_status=status, capture_error=reason, capture_due_at=None, embedding_due_at=func.now())
    _commit(claim)
    return Outcome(status, reason)


def _store(claim: _Claim, page: ExtractedPage) -> Outcome:
    title, description = (page.title or "")[:MAX_TITLE], (page.description or "")[:MAX_DESCRIPTION]
    mine = _change(
        claim,
        capture_status="captured",
        capture_error=None,
        capture_due_at=None,
        captured_at=func.now(),
        embedding_due_at=func.now(),
        **found_on_page(title, description),
        site_name=page.site_name,
        author=page.author,
        published_at=page.published_at,
        image_url=page.image_url,
        language=page.language,
        word_count=page.word_count,
    )
    if mine:
        store_content(claim.bookmark_id, page)
        refresh_documents([claim.bookmark_id])
    _commit(claim)
    return Outcome("captured") if mine else Outcome("gone")


def store_content(bookmark_id: int, page: ExtractedPage) -> None:
    """Keep what was read, and index its words, in the transaction at hand; the search document is then out of date."""
    values = {
        "title": page.title or "",
        "byline": page.author,
        "text": page.text,
        "html": page.html,
        "word_count": page.word_count,
        "vector": "",
        "captured_at": func.now(),
    }
    db.session.execute(
        insert(BookmarkContent)
        .values(bookmark_id=bookmark_id, **values)
        .on_conflict_do_update(index_elements=["bookmark_id"], set_=values)
    )
    index_stored_pages([bookmark_id])


def _commit(claim: _Claim) -> None:
    db.session.commit()
    announce_change_of_bookmark(claim.organization_id, claim.bookmark_id, retagged=False)


def _change(claim: _Claim, **values: Any) -> bool:
    # A claim whose lease ran out and that another worker took over must not write any more, nor what was read at an
    # address that is no longer the bookmark's.
    changed = db.session.scalar(
        update(Bookmark)
        .where(Bookmark.id == claim.bookmark_id, Bookmark.capture_status == "pending")
        .where(Bookmark.capture_attempts == claim.attempt, Bookmark.url == claim.url)
        .values(updated_at=func.now(), **values)
        .returning(Bookmark.id)
    )
    return changed is not None
