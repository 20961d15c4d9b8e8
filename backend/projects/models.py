"""Tables of projects and of the bookmarks attached to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base


def _listed(name: str, *columns: str, where: str = "deleted_at IS NULL") -> Index:
    return Index(name, "organization_id", *(text(column) for column in columns), postgresql_where=text(where))


class Project(Base):
    """A piece of work. `name_key` is its sort key, `words` its search key; both are made by `text/sort_keys.py`."""

    __tablename__ = "projects"
    __table_args__ = (
        CheckConstraint("status in ('active', 'paused', 'done', 'archived')", name="status"),
        _listed("ix_projects_created", "created_at DESC", "id DESC"),
        _listed("ix_projects_updated", "updated_at DESC", "id DESC"),
        _listed("ix_projects_name", "name_key", "id"),
        _listed("ix_projects_trash", "created_at DESC", "id DESC", where="deleted_at IS NOT NULL"),
        Index("ix_projects_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
        Index("ix_projects_embedding_due", "embedding_due_at", postgresql_where=text("embedding_due_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    name: Mapped[str]
    name_key: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    technologies: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    words: Mapped[str] = mapped_column(server_default="")
    status: Mapped[str] = mapped_column(server_default="active")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]
    # Set while a changed text has no embedding yet; recommendations use the embedding.
    embedding_due_at: Mapped[datetime | None] = mapped_column(server_default=func.now(), deferred=True)


class ProjectBookmark(Base):
    """A bookmark attached to a project, with a note.

    The row stays while the project or the bookmark is in the trash, and counts again after a restore.
    """

    __tablename__ = "project_bookmarks"
    __table_args__ = (
        Index("ix_project_bookmarks_attached", "project_id", text("attached_at DESC"), text("bookmark_id DESC")),
        Index("ix_project_bookmarks_bookmark_id_project_id", "bookmark_id", "project_id"),
    )

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    bookmark_id: Mapped[int] = mapped_column(ForeignKey("bookmarks.id", ondelete="CASCADE"), primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), index=True)
    note: Mapped[str] = mapped_column(server_default="")
    attached_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    attached_at: Mapped[datetime] = mapped_column(server_default=func.now())
