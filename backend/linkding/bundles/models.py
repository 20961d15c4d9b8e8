"""Bundles of an organization."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, func
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base

STATES = "('off', 'yes', 'no')"


class Bundle(Base):
    """A stored search. Tags are names with spaces between them, as the client wrote them; `position` is the place among
    the organization's bundles, which several may have."""

    __tablename__ = "bundles"
    __table_args__ = (
        CheckConstraint(f"filter_unread in {STATES}", name="filter_unread"),
        CheckConstraint(f"filter_shared in {STATES}", name="filter_shared"),
        Index("ix_bundles_organization_id_position", "organization_id", "position", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    name: Mapped[str]
    search: Mapped[str] = mapped_column(server_default="")
    any_tags: Mapped[str] = mapped_column(server_default="")
    all_tags: Mapped[str] = mapped_column(server_default="")
    excluded_tags: Mapped[str] = mapped_column(server_default="")
    filter_unread: Mapped[str] = mapped_column(server_default="off")
    filter_shared: Mapped[str] = mapped_column(server_default="off")
    position: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
