"""The mails to send: a row here is committed with the change that asks for it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base


class Mail(Base):
    """A mail to one address. While it is queued, `due_at` is when the next try may start: a worker that takes it moves
    it past its lease. `values` fill the template and may hold a token: they are emptied as soon as the mail is sent or
    given up.

    `mailbox` and `domain` tell what the address is of (`addresses.mailbox`), `solicited` that its owner has confirmed
    it and asked for such mails, and `started_at` when a worker last began to send it: `bounds.py` counts them.
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
    values: Mapped[dict[str, str]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(server_default="queued")
    attempts: Mapped[int] = mapped_column(server_default="0")
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
