"""Idempotency keys and stored responses."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base


class IdempotencyKey(Base):
    """The first request of a person to a path with this key, and how it ended.

    `attempt` names who works on it, until `claimed_until`. `is_committed` is set in the transaction of the work itself:
    from then on nobody may try again, whatever becomes of the answer. `body` is encrypted, since it may hold a token.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_hash: Mapped[bytes]
    attempt: Mapped[UUID]
    claimed_until: Mapped[datetime]
    is_committed: Mapped[bool] = mapped_column(server_default="false")
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    body: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
