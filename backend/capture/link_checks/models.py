"""What is known of captured links from checking them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base


class LinkCheck(Base):
    """The checks of one bookmark's link.

    `url` is the address that the rest is about: what is known of another one counts for nothing.
    `failures` counts days on which nothing answered, the last of them `failed_on`; `is_dead` says that the bookmark was
    marked. `due_at` is the next check; a worker that takes it moves it past its lease.
    """

    __tablename__ = "link_checks"
    __table_args__ = (Index("ix_link_checks_due_at", "due_at"),)

    bookmark_id: Mapped[int] = mapped_column(ForeignKey("bookmarks.id", ondelete="CASCADE"), primary_key=True)
    due_at: Mapped[datetime]
    url: Mapped[str | None]
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    failures: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    failed_on: Mapped[date | None]
    is_dead: Mapped[bool] = mapped_column(server_default=text("false"))
