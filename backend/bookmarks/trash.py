"""The trash of an organization as a whole."""

from __future__ import annotations

from sqlalchemy import text

from backend.activity.log import record_activity
from backend.activity.types import ActivityType
from backend.actor import Actor
from backend.database import retry_on_conflict
from backend.extensions import db

# A bookmark's page, vectors and tags go with it: so many in a transaction stay well within the statement timeout.
BATCH = 1_000
# ARRAY chooses the rows once, not for each row as IN may.
DELETE_BATCH = text("""
    DELETE FROM bookmarks
     WHERE id = ANY (ARRAY(SELECT id FROM bookmarks
                            WHERE organization_id = :organization_id AND deleted_at IS NOT NULL
                            ORDER BY id LIMIT :batch FOR UPDATE))
""")


def empty_trash(actor: Actor) -> int:
    """Delete for good what is in the trash, and return the number of bookmarks. One transaction for each thousand."""
    deleted = 0
    while count := _delete_batch(actor):
        deleted += count
    return deleted


@retry_on_conflict
def _delete_batch(actor: Actor) -> int:
    values = {"organization_id": actor.organization_id, "batch": BATCH}
    count: int = db.session.execute(DELETE_BATCH, values).rowcount  # type: ignore[attr-defined]
    if count:
        record_activity(actor, ActivityType.BOOKMARK_DELETED, count=count, permanent=True)
    db.session.commit()
    return count
