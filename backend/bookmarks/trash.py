"""The trash of an organization as a whole."""

from __future__ import annotations

from sqlalchemy import delete

from backend.activity.log import record_activity
from backend.activity.types import ActivityType
from backend.actor import Actor
from backend.bookmarks.models import Bookmark
from backend.database import retry_on_conflict
from backend.extensions import db


@retry_on_conflict
def empty_trash(actor: Actor) -> int:
    """Delete for good what is in the trash, and return the number of bookmarks."""
    trashed = (Bookmark.organization_id == actor.organization_id, Bookmark.deleted_at.is_not(None))
    count = len(db.session.scalars(delete(Bookmark).where(*trashed).returning(Bookmark.id)).all())
    if count:
        record_activity(actor, ActivityType.BOOKMARK_DELETED, count=count, permanent=True)
    db.session.commit()
    return count
