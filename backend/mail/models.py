"""Table of the outbox: a mail is committed with the change that causes it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base


class Mail(Base):
    """Mail to one address. While it is queued, `due_at` is the time of the next try; a claim moves it past the lease.
    `values` fill the template and may hold a token: they are emptied as soon as the mail is sent or has failed.

    `mailbox` and `domain` belong to the address (`addresses.mailbox`), `solicited` says that its owner has confirmed it
    and requested such mails, and `started_at` is the start of the last try: `bounds.py` counts them.
    """

    __tablename__ = "mails"
    __table_args__ = (
        CheckConstraint("status in ('queued', 'sent', 'failed')", name="status"),
        Index("ix_mails_due", "due_at", postgresql_where=text("status = 'queued'")),
        Index("ix_mails_mailbox_started_at", "mailbox", "started_at"),
        Index("ix_mails_domain_started_at", "domain", "started_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    to_address: Mapped[str]
    mailbox: Mapped[str] = mapped_column(server_default="")
    domain: Mapped[str] = mapped_column(server_default="")
    solicited: Mapped[bool] = mapped_column(server_default=text("false"))
    template: Mapped[str]
    language: Mapped[str]
    values: Mapped[dict[str, Any]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(server_default="queued")
    attempts: Mapped[int] = mapped_column(server_default="0")
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
