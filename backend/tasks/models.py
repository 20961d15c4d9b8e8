"""Tables of tasks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    func,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, column_property, mapped_column

from backend.extensions import Base

MAX_DEPTH = 5
# Sort keys of tasks without a due date: after all others in both directions.
NEVER, EVER = "'9999-01-01 00:00:00+00'::timestamp with time zone", "'0001-01-01 00:00:00+00'::timestamp with time zone"
RANK = "CASE priority WHEN 'low' THEN 1 WHEN 'normal' THEN 2 WHEN 'high' THEN 3 ELSE 4 END"


def _listed(name: str, *columns: str, where: str = "deleted_at IS NULL") -> Index:
    # Lists filter by the project's trash state: with `project_key` in the index, counts need no heap access.
    return Index(
        name,
        "organization_id",
        *(text(column) for column in columns),
        postgresql_where=text(where),
        postgresql_include=["project_key"],
    )


class Task(Base):
    """A task; with `parent_id` a subtask.

    One foreign key guards the tree: a subtask is one level deeper than its parent, in the same project and
    organization. Depths grow along every path, so that cycles are impossible, and end at five. A move therefore updates
    the whole subtree in one statement.

    `position` orders siblings, including those in the trash. `parent_depth`, `parent_key` and `project_key` replace
    nulls, which would not be equal, in that foreign key and in the unique constraint on positions; `priority_rank` and
    `due_key` are sort keys, `words` is the search key (`text/sort_keys.py`).
    """

    __tablename__ = "tasks"
    __table_args__ = (
        CheckConstraint("status in ('todo', 'in_progress', 'blocked', 'done')", name="status"),
        CheckConstraint("priority in ('low', 'normal', 'high', 'urgent')", name="priority"),
        CheckConstraint("(completed_at IS NOT NULL) = (status = 'done')", name="completed_at"),
        CheckConstraint(f"depth BETWEEN 1 AND {MAX_DEPTH}", name="depth"),
        CheckConstraint("(parent_id IS NULL) = (depth = 1)", name="parent_id"),
        UniqueConstraint("id", "depth", "project_key", "organization_id"),
        ForeignKeyConstraint(
            ["parent_id", "parent_depth", "project_key", "organization_id"],
            ["tasks.id", "tasks.depth", "tasks.project_key", "tasks.organization_id"],
            ondelete="CASCADE",
        ),
        # Deferrable, so that one statement can renumber a whole list.
        UniqueConstraint(
            "organization_id", "project_key", "parent_key", "position", deferrable=True, initially="IMMEDIATE"
        ),
        Index(None, "parent_id", "parent_depth", "project_key", "organization_id"),
        # Covers the counts of a project's tasks.
        Index("ix_tasks_project", "project_id", "position", "id", postgresql_include=["status", "deleted_at"]),
        _listed("ix_tasks_created", "created_at DESC", "id DESC"),
        _listed("ix_tasks_updated", "updated_at DESC", "id DESC"),
        _listed("ix_tasks_due", "due_key", "id"),
        _listed("ix_tasks_priority", "priority_rank DESC", "id DESC"),
        _listed("ix_tasks_trash", "created_at DESC", "id DESC", where="deleted_at IS NOT NULL"),
        Index("ix_tasks_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
        Index("ix_tasks_embedding_due", "embedding_due_at", postgresql_where=text("embedding_due_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    parent_id: Mapped[int | None]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    title: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    words: Mapped[str] = mapped_column(server_default="", deferred=True)
    status: Mapped[str] = mapped_column(server_default="todo")
    priority: Mapped[str] = mapped_column(server_default="normal")
    due_at: Mapped[datetime | None] = mapped_column()
    completed_at: Mapped[datetime | None]
    depth: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    position: Mapped[int]
    parent_depth: Mapped[int] = mapped_column(SmallInteger, Computed("depth - 1", persisted=True))
    parent_key: Mapped[int] = mapped_column(Computed("COALESCE(parent_id, 0::bigint)", persisted=True))
    project_key: Mapped[int] = mapped_column(Computed("COALESCE(project_id, 0::bigint)", persisted=True))
    priority_rank: Mapped[int] = mapped_column(SmallInteger, Computed(RANK, persisted=True))
    due_key: Mapped[datetime] = mapped_column(Computed(f"COALESCE(due_at, {NEVER})", persisted=True))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]
    # Set while a changed text has no embedding yet; recommendations use the embedding.
    embedding_due_at: Mapped[datetime | None] = mapped_column(server_default=func.now(), deferred=True)

    latest_due_key: Mapped[datetime] = column_property(
        func.coalesce(due_at, literal_column(EVER, DateTime(timezone=True))), deferred=True
    )
