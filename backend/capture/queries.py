"""How far the captures of an organization have come."""

from __future__ import annotations

from sqlalchemy import text

from backend.actor import Actor
from backend.capture.schemas import CaptureBacklogOut
from backend.extensions import db

# Counts are sums of what triggers keep; what is being read is a few of all, by its own index; and of what waits only
# the first entry of an index is read: the cost does not grow with the backlog.
BACKLOG = text("""
    WITH counted AS (
        SELECT capture_status, sum(bookmarks) AS number FROM bookmark_counts
         WHERE organization_id = :organization_id AND NOT is_deleted GROUP BY capture_status),
    status AS (SELECT * FROM unnest(ARRAY['pending', 'captured', 'failed', 'skipped']) AS s(name))
    SELECT jsonb_object_agg(s.name, CAST(coalesce(c.number, 0) AS bigint)) AS numbers,
           (SELECT count(*) FROM bookmarks
             WHERE capture_claimed_at IS NOT NULL AND capture_status = 'pending' AND capture_due_at > now()
               AND organization_id = :organization_id AND deleted_at IS NULL) AS in_progress,
           (SELECT capture_due_at FROM bookmarks
             WHERE organization_id = :organization_id AND capture_status = 'pending' AND deleted_at IS NULL
             ORDER BY capture_due_at LIMIT 1) AS oldest_due_at
      FROM status s LEFT JOIN counted c ON c.capture_status = s.name
""")


def capture_backlog(actor: Actor) -> CaptureBacklogOut:
    """Count the organization's captures by how far they have come. One statement."""
    row = db.session.execute(BACKLOG, {"organization_id": actor.organization_id}).one()
    return CaptureBacklogOut(**row.numbers, in_progress=row.in_progress, oldest_due_at=row.oldest_due_at)
