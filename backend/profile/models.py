"""Exports of personal data, kept in the database: the web tier has no disk in common with the worker."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base


class Export(Base):
    """A zip file that its owner may download until it expires, while they belong to all organizations that it holds
    texts of. `size`, in bytes, is set once it is complete."""

    __tablename__ = "exports"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    organization_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    size: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]


class ExportPart(Base):
    """A piece of an export's zip file, 1 MiB but for the last; positions count from 0."""

    __tablename__ = "export_parts"

    export_id: Mapped[UUID] = mapped_column(ForeignKey("exports.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)
