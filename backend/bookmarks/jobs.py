"""Worker jobs for bookmarks: load by id, call a service. Each is safe to run twice."""

from __future__ import annotations

from sqlalchemy import func, select, text

from backend.bookmarks.messages import refresh_message
from backend.bookmarks.models import Bookmark
from backend.bookmarks.search_documents import refresh_documents, reindex_pages
from backend.bookmarks.statistics_refresh import refresh_statistics
from backend.database import execute_in_batches
from backend.extensions import current_settings, db
from backend.http.response_cache.invalidation import invalidate, invalidate_everything
from backend.index.messages import statistics_message
from backend.index.statistics import changed_organizations
from backend.jobs.queue import send
from backend.jobs.registry import job
from backend.jobs.turns import Turn
from backend.text.terms import UNMARKED

REFRESH_BATCH = 50
LONGEST_TURN_SECONDS = 300.0
# ARRAY chooses the rows once, not for each row as IN may.
CLAIM_DOCUMENTS = text("""
    UPDATE bookmarks SET document_due_at = NULL
     WHERE id = ANY (ARRAY(SELECT id FROM bookmarks WHERE document_due_at <= now()
                            ORDER BY document_due_at LIMIT :batch FOR UPDATE SKIP LOCKED))
    RETURNING id
""")
# When no document of an organization is due, all its stems name their language.
REMOVE_UNMARKED = text("""
    DELETE FROM search_languages l WHERE l.language = :marker AND NOT EXISTS (
        SELECT 1 FROM bookmarks b WHERE b.organization_id = l.organization_id AND b.document_due_at IS NOT NULL)
""")
PURGE_TRASH = text("""
    DELETE FROM bookmarks WHERE id IN (
        SELECT id FROM bookmarks WHERE deleted_at < now() - make_interval(days => :days) LIMIT 1000)
""")


@job("bookmarks.refresh_due_documents")
def refresh_due_documents() -> None:
    """Refresh search documents and the indexes of their pages until none is due, or others have their turn."""
    turn = Turn(LONGEST_TURN_SECONDS)
    while ids := list(db.session.scalars(CLAIM_DOCUMENTS, {"batch": REFRESH_BATCH})):
        reindex_pages(ids)
        # Documents with long texts may be deferred: they are due again at once.
        rows = refresh_documents(ids).values()
        db.session.commit()
        invalidate({row.organization_id for row in rows})
        if turn.is_over:
            send([refresh_message()])
            return
    db.session.execute(REMOVE_UNMARKED, {"marker": UNMARKED})
    db.session.commit()


@job("bookmarks.resend_due_documents")
def resend_due_documents() -> None:
    """Send the message again if search documents are due: it may have been lost."""
    if db.session.scalar(select(Bookmark.id).where(Bookmark.document_due_at <= func.now()).limit(1)):
        send([refresh_message()])


@job("bookmarks.refresh_changed_statistics")
def refresh_changed_statistics() -> None:
    """Refresh the corpus statistics of organizations whose documents have changed enough, until others have their
    turn."""
    turn = Turn(LONGEST_TURN_SECONDS)
    for organization_id in changed_organizations():
        if turn.is_over:
            send([statistics_message()])
            return
        refresh_statistics(organization_id)


@job("bookmarks.purge_trash")
def purge_trash() -> None:
    """Delete bookmarks whose retention period in the trash has ended."""
    if sum(execute_in_batches(PURGE_TRASH, {"days": current_settings().TRASH_RETENTION_DAYS})):
        invalidate_everything()
