"""Table of digests: one row for each person and week."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ARRAY, BigInteger, ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base


class Digest(Base):
    """The digest of a person for the week that begins on `week`. The key keeps a second one from being made.

    Without `is_mailed` there was nothing to say. `bookmark_ids` are the recommended bookmarks, which the next digests
    leave out.
    """

    __tablename__ = "digests"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    week: Mapped[date] = mapped_column(primary_key=True)
    is_mailed: Mapped[bool]
    bookmark_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
