"""Tasks and their subtasks."""

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
# Where tasks without a due date stand when sorted by it: behind all others, in both directions.
NEVER, EVER = "'9999-01-01 00:00:00+00'::timestamp with time zone", "'0001-01-01 00:00:00+00'::timestamp with time zone"
RANK = "CASE priority WHEN 'low' THEN 1 WHEN 'normal' THEN 2 WHEN 'high' THEN 3 ELSE 4 END"


def _listed(name: str, *columns: str, where: str = "deleted_at IS NULL") -> Index:
    # Lists leave out what belongs to a project in the trash: with that column in it, counting reads nothing else.
    return Index(
        name,
        "organization_id",
        *(text(column) for column in columns),
        postgresql_where=text(where),
        postgresql_include=["project_key"],
    )


class Task(Base):
    """Something to be done; with `parent_id` a step of another task.

    The tree is held by one foreign key: a subtask stands one level deeper than its parent, in the same project and
    organization. Depths grow along every path, so that there can be no cycle, and end at five. That is why whoever
    moves a task changes its whole subtree in one statement.

    `position` orders the siblings, those in the trash among them. `parent_depth`, `parent_key` and `project_key` are
    what that key and the uniqueness of places compare, where null would be unlike itself; `priority_rank` and `due_key`
    are what lists are sorted by, and `words` what they are searched in (`projects/wording.py`).
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
        # Checked at the end of a statement, so that one can spread a whole list anew.
        UniqueConstraint(
            "organization_id", "project_key", "parent_key", "position", deferrable=True, initially="IMMEDIATE"
        ),
        Index(None, "parent_id", "parent_depth", "project_key", "organization_id"),
        # With what the counts of a project's tasks read.
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
    # While its text waits for a vector, by which things are recommended for it.
    embedding_due_at: Mapped[datetime | None] = mapped_column(server_default=func.now(), deferred=True)

    latest_due_key: Mapped[datetime] = column_property(
        func.coalesce(due_at, literal_column(EVER, DateTime(timezone=True))), deferred=True
    )
