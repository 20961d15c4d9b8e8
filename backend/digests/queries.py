"""Queries of digests: a fixed number of statements for each person, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, exists, select

from backend.auth.models import User
from backend.digests.models import Digest
from backend.digests.recipients import Recipient
from backend.extensions import db
from backend.leases import is_due
from backend.named_blocks import read_statements
from backend.organizations.models import Membership, Organization

SQL = read_statements(__file__)
# Rows that are looked at in each organization, and rows of a list in the mail.
LOOKED_AT, MOST_SHOWN = 200, 5
# Recommendations are not repeated within so many weeks.
EARLIER_DIGESTS = 8


def is_any_due() -> bool:
    """Tell whether a digest is due."""
    return bool(db.session.scalar(select(exists().where(is_due(User.digest_due_at)))))


def earlier_digests(user_id: int) -> Sequence[Row[Any]]:
    """Return week, time and recommended bookmarks of the last eight digests, the newest first."""
    digests = select(Digest.week, Digest.created_at, Digest.bookmark_ids).where(Digest.user_id == user_id)
    newest = digests.order_by(Digest.week.desc()).limit(EARLIER_DIGESTS)
    return cast("Sequence[Row[Any]]", db.session.execute(newest).all())


def hold_memberships(user_id: int) -> dict[int, str]:
    """Return the person's organizations by id, with the names of teams.

    Nobody can remove the person from one before the end of the transaction.
    """
    rows = db.session.execute(
        select(Organization.id, Organization.name, Organization.personal)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(Membership.user_id == user_id)
        .with_for_update(of=Membership, read=True, key_share=True)
    )
    return {row.id: "" if row.personal else row.name for row in rows}


def recommending_place(recipient: Recipient) -> Row[Any] | None:
    """Return the organization to recommend bookmarks from, with the person's role; None where nothing is unread."""
    values = {"user": recipient.id, "personal": recipient.personal_organization_id}
    return db.session.execute(SQL["place"], values).one_or_none()


def new_bookmarks(organization_ids: Collection[int], since: datetime) -> Sequence[Row[Any]]:
    """Return the new and unread bookmarks that are most worth reading; `total` counts up to 200 an organization."""
    values = {"organizations": list(organization_ids), "since": since, "looked_at": LOOKED_AT, "most": MOST_SHOWN}
    return db.session.execute(SQL["new"], values).all()


def due_tasks(
    recipient: Recipient, organization_ids: Collection[int], since: datetime, until: datetime
) -> Sequence[Row[Any]]:
    """Return the open tasks that are due in a period, the first due first; `total` counts as for bookmarks."""
    values = {"user": recipient.id, "personal": recipient.personal_organization_id, "since": since, "until": until}
    bounds = {"organizations": list(organization_ids), "looked_at": LOOKED_AT, "most": MOST_SHOWN}
    return db.session.execute(SQL["tasks"], values | bounds).all()
