"""Jobs of organizations: purges."""

from __future__ import annotations

from collections import deque

from sqlalchemy import Table, delete, func, select, text

from backend.database import execute_in_batches
from backend.extensions import Base, db
from backend.jobs.registry import job
from backend.organizations.models import Invitation, Organization

# Small enough to end long before the statement time-out, also with large bookmarks and all that cascades.
BATCH = 1_000


@job("organizations.purge_deleted_organizations")
def purge_deleted_organizations() -> None:
    """Delete the rows of deleted organizations, and then these. Idempotent, also when run concurrently."""
    for organization_id in db.session.scalars(
        select(Organization.id).where(Organization.deleted_at.is_not(None))
    ).all():
        for table in reversed(Base.metadata.sorted_tables):
            if _cascades(table):
                _empty(table, organization_id)
        # The cascade deletes rows that were written meanwhile.
        db.session.execute(delete(Organization).where(Organization.id == organization_id))
        db.session.commit()


@job("organizations.purge_invitations")
def purge_invitations() -> None:
    """Delete invitations that expired more than a month ago."""
    month_ago = func.now() - text("interval '30 days'")
    db.session.execute(delete(Invitation).where(Invitation.expires_at < month_ago))
    db.session.commit()


def _cascades(table: Table) -> bool:
    column = table.columns.get("organization_id")
    return column is not None and any(key.ondelete == "CASCADE" for key in column.foreign_keys)


def _empty(table: Table, organization_id: int) -> None:
    """Delete the organization's rows, a batch in each transaction; locked rows are left to the cascade."""
    keys = list(table.primary_key.columns)
    rows = select(*keys).where(table.c.organization_id == organization_id).limit(BATCH)
    # A CTE chooses the rows once; a subquery of IN may run for each row, and choose others each time.
    batch = rows.with_for_update(skip_locked=True).cte("batch")
    deque(execute_in_batches(delete(table).where(*(key == batch.c[key.name] for key in keys))), maxlen=0)
