"""Imports: the uploaded file in pieces, how far it has been read, and the lines that could not be taken."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base

OUTCOMES = "('skipped', 'failed', 'mended')"


class Import(Base):
    """A file that is imported by the job of the same id.

    `position` is how many of its records have been dealt with, each of which was created, a duplicate, skipped or
    failed; it moves in the transaction that deals with them. `mended` are those among the created and the duplicates
    of which something could not be taken as it is. `total` is set once the records have been counted.
    `restore_stage` and `restored_items` are how far the rest of an account has been restored. `ended_at` is set when
    nothing more will be read, and `error` where the file could not be read to its end.
    """

    __tablename__ = "imports"
    __table_args__ = (
        CheckConstraint("position = created + duplicates + skipped + failed", name="counts"),
        Index("ix_imports_created_at", "created_at"),
    )

    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), index=True)
    format: Mapped[str]
    size: Mapped[int]
    total: Mapped[int | None]
    position: Mapped[int] = mapped_column(server_default="0")
    created: Mapped[int] = mapped_column(server_default="0")
    duplicates: Mapped[int] = mapped_column(server_default="0")
    skipped: Mapped[int] = mapped_column(server_default="0")
    failed: Mapped[int] = mapped_column(server_default="0")
    mended: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    restore_stage: Mapped[int] = mapped_column(server_default="0")
    restored_items: Mapped[int] = mapped_column(server_default="0")
    ended_at: Mapped[datetime | None]
    error: Mapped[str | None]


class UploadPart(Base):
    """A piece of an uploaded file, 1 MiB but for the last; positions count from 0. Deleted when the import ends."""

    __tablename__ = "upload_parts"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("imports.job_id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class ImportedId(Base):
    """A bookmark that an import has made, until the import ends: what the file says of it later is united with it.

    Without a foreign key to the bookmark: an id that is gone is found nowhere, and harms nothing.
    """

    __tablename__ = "imported_ids"

    job_id: Mapped[UUID] = mapped_column(ForeignKey("imports.job_id", ondelete="CASCADE"), primary_key=True)
    bookmark_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class ImportRemark(Base):
    """What became of a line that was not taken as it is: skipped, failed, or taken with something mended, and why.

    `position` is the place of its record in the file, from 0; `line` is what a person finds it by.
    """

    __tablename__ = "import_remarks"
    __table_args__ = (CheckConstraint(f"outcome in {OUTCOMES}", name="outcome"),)

    job_id: Mapped[UUID] = mapped_column(ForeignKey("imports.job_id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    outcome: Mapped[str]
    line: Mapped[int]
    url: Mapped[str]
    reason: Mapped[str]
