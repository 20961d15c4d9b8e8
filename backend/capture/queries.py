"""Queries on the progress of captures."""

from __future__ import annotations

from backend.actor import Actor
from backend.capture.schemas import CaptureBacklogOut
from backend.extensions import db
from backend.named_blocks import read_statements

SQL = read_statements(__file__)


def capture_backlog(actor: Actor) -> CaptureBacklogOut:
    """Count the organization's captures by status. One statement."""
    row = db.session.execute(SQL["backlog"], {"organization_id": actor.organization_id}).one()
    return CaptureBacklogOut(**row.numbers, in_progress=row.in_progress, oldest_due_at=row.oldest_due_at)
