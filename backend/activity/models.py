"""Tables of the activity log, of its roll-ups, and how far these have come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base

MAX_DATA_BYTES = 2_000


def _newest_first(name: str, *columns: str) -> Index:
    return Index(name, *columns, text("created_at DESC"), text("id DESC"))


class Activity(Base):
    """Something that somebody did; one row for all objects of a bulk write, with their number in `data.count`.

    `user_id` is null where the worker did it, and once the account is deleted. Partitioned by month of `created_at`
    (UTC). A trigger refuses every update but that of `user_id` to null.
    """

    __tablename__ = "activity"
    __table_args__ = (
        CheckConstraint(f"pg_column_size(data) <= {MAX_DATA_BYTES}", name="data"),
        _newest_first("ix_activity_organization", "organization_id"),
        _newest_first("ix_activity_type", "organization_id", "type"),
        _newest_first("ix_activity_object", "organization_id", "object_type", "object_id"),
        _newest_first("ix_activity_user", "user_id", "organization_id"),
        {"postgresql_partition_by": "RANGE (created_at)"},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    type: Mapped[str]
    object_type: Mapped[str]
    object_id: Mapped[int | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    request_id: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(primary_key=True, server_default=func.clock_timestamp())


class ActivityCount(Base):
    """How often something happened in a quarter of an hour from `bucket` on.

    `source` is empty for what is counted from the log, else the name of a count in Redis: what one Redis has lost,
    another one does not overwrite.
    """

    __tablename__ = "activity_counts"

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True)
    series: Mapped[str] = mapped_column(primary_key=True)
    bucket: Mapped[datetime] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True, server_default="")
    count: Mapped[int]


class RollUpProgress(Base):
    """The one row that says up to when the log is rolled up, and up to when its rows are purged."""

    __tablename__ = "activity_progress"
    __table_args__ = (CheckConstraint("id = 1", name="id"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    rolled_up_to: Mapped[datetime | None]
    purged_to: Mapped[datetime | None]
