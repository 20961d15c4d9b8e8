"""Recipients of digests: people whose digest is due, claimed one at a time, and what they set."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Update, select, update

from backend.auth.models import User
from backend.auth.preferences import time_zone_named
from backend.extensions import db
from backend.leases import DueRows, seconds_from_now
from backend.mail.languages import LANGUAGES

# Longer than a digest takes to make.
LEASE_SECONDS = 600
RETRY_SECONDS = 3_600
DUE = DueRows(User.digest_due_at)


@dataclass(frozen=True)
class Recipient:
    """A person, as the digest is made for them. `claim` is the due time that the claim has set: its fencing token."""

    id: int
    email: str
    email_key: str
    email_verified_at: datetime | None
    disabled_at: datetime | None
    deleted_at: datetime | None
    language: str | None
    time_zone: str
    week_start: str
    personal_organization_id: int
    claim: datetime | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The person's time zone."""
        return time_zone_named(self.time_zone)

    @property
    def mail_language(self) -> str:
        """The language of the mail."""
        return self.language or LANGUAGES[0]

    @property
    def may_receive(self) -> bool:
        """Whether the person may act, and the address is known to be theirs."""
        return self.email_verified_at is not None and self.disabled_at is None and self.deleted_at is None


COLUMNS = [getattr(User, field.name) for field in fields(Recipient) if field.name not in ("id", "claim")]


def claim_recipient() -> Recipient | None:
    """Claim the person whose digest has been due longest; None where none is due. Commits.

    One at a time: who makes the process die keeps nobody else waiting for the end of the lease.
    """
    claimed = DUE.claim(*COLUMNS, batch=1, lease_seconds=LEASE_SECONDS)
    return _recipient(claimed[0]) if claimed else None


def find_recipient(user_id: int) -> Recipient:
    """Return a person without a claim."""
    return _recipient(db.session.execute(select(User.id, *COLUMNS).where(User.id == user_id)).one())


def hold(recipient: Recipient) -> bool:
    """Lock the person until the commit; tell whether the claim still stands, and the address and account are good."""
    held = select(User.id).where(User.id == recipient.id, User.digest_due_at == recipient.claim)
    good = (User.email == recipient.email, User.email_verified_at.is_not(None), User.disabled_at.is_(None))
    return db.session.scalar(held.where(*good).with_for_update(key_share=True)) is not None


def schedule(recipient: Recipient, due_at: datetime) -> None:
    """Set when the next digest is due, in the current transaction, while the claim stands."""
    db.session.execute(_claimed(recipient).values(digest_due_at=due_at))


def put_off(recipient: Recipient) -> None:
    """Have the digest due again in an hour, while the claim stands. Commits."""
    db.session.execute(_claimed(recipient).values(digest_due_at=seconds_from_now(RETRY_SECONDS)))
    db.session.commit()


def _claimed(recipient: Recipient) -> Update:
    held = update(User).where(User.id == recipient.id, User.digest_due_at == recipient.claim)
    return held.execution_options(synchronize_session=False)


def _recipient(row: Row[Any]) -> Recipient:
    return Recipient(**row._mapping)
