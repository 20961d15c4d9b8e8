"""Feeds, which any client with their URL reads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base


class Feed(Base):
    """A saved filter of one organization, published for one person. `token_hash` is that of the token in its address,
    which is stored nowhere else; `filter` is the list's filter, as `ActionFilter` reads it."""

    __tablename__ = "feeds"
    __table_args__ = (
        # A feed ends with its owner's membership or account.
        ForeignKeyConstraint(
            ["user_id", "organization_id"],
            ["memberships.user_id", "memberships.organization_id"],
            ondelete="CASCADE",
        ),
        Index("ix_feeds_user_id_organization_id", "user_id", "organization_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int]
    organization_id: Mapped[int]
    name: Mapped[str]
    filter: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
