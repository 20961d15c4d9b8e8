"""Tables of dashboard exports. They hold the files: web server and worker share no disk."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, LargeBinary, SmallInteger, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base


class DashboardExport(Base):
    """The file of the job of the same id, to download until it expires.

    `scopes` are those that its content asks for. `attempt` is the attempt of the job that has written it; with `size`,
    in bytes, and `digest`, its SHA-256, it is set once the file is complete.
    """

    __tablename__ = "dashboard_exports"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    format: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    attempt: Mapped[int | None]
    size: Mapped[int | None]
    digest: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)


class DashboardExportPart(Base):
    """Part of such a file, 1 MiB but for the last; positions count from 0.

    Each attempt of the job writes parts of its own: one that has lost its lease spoils nothing.
    """

    __tablename__ = "dashboard_export_parts"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("dashboard_exports.job_id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)
