"""Tables of recommendation sets, feedback, and embeddings of projects and tasks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Computed, ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.extensions import Base

# For each person, bookmark and subject: one verdict, and one row for each kind of implicit feedback.
SLOT = "CASE kind WHEN 'opened' THEN 'opened' WHEN 'saved' THEN 'saved' ELSE 'verdict' END"


class SubjectEmbedding(Base):
    """The embedding of a project's or task's text under one model, made by the worker when `embedding_due_at` has
    come."""

    __tablename__ = "subject_embeddings"
    __table_args__ = (
        CheckConstraint("(project_id IS NULL) <> (task_id IS NULL)", name="subject"),
        Index("uq_subject_embeddings_project_id_model", "project_id", "model", unique=True),
        Index("uq_subject_embeddings_task_id_model", "task_id", "model", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), index=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    model: Mapped[str]
    embedding: Mapped[Any] = mapped_column(HALFVEC())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RecommendationSet(Base):
    """A recommendation set: the bookmarks offered to a person for a subject in one response.

    The bookmark at index n has the recommendation id `id * 64 + n`. `shares` holds for each bookmark the engines'
    shares in its score, with sum 1; feedback is credited by them. Deleted after 90 days.
    """

    __tablename__ = "recommendation_sets"
    __table_args__ = (
        Index("ix_recommendation_sets_created_at", "created_at"),
        Index("ix_recommendation_sets_project_id", "project_id"),
        Index("ix_recommendation_sets_task_id", "task_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    subject: Mapped[str]
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    engine: Mapped[str]
    bookmark_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    shares: Mapped[list[dict[str, float]]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Feedback(Base):
    """Feedback of a person on a bookmark for a subject.

    `subject` is `project:7`, `task:3`, `bookmark:9`, `text:` and a hash, or `person`. `shares` are those of the
    recommendation, empty without one.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        CheckConstraint("kind in ('relevant', 'not_relevant', 'opened', 'saved', 'dismissed')", name="kind"),
        Index(
            "uq_feedback_user_id_organization_id_subject_bookmark_id_slot",
            *("user_id", "organization_id", "subject", "bookmark_id", "slot"),
            unique=True,
        ),
        Index("ix_feedback_subject", "organization_id", "subject", text("updated_at DESC")),
        Index("ix_feedback_latest", "organization_id", text("updated_at DESC"), text("id DESC")),
        Index("ix_feedback_created", "organization_id", "user_id", text("created_at DESC"), text("id DESC")),
        Index("ix_feedback_project_id", "project_id"),
        Index("ix_feedback_task_id", "task_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    bookmark_id: Mapped[int] = mapped_column(ForeignKey("bookmarks.id", ondelete="CASCADE"), index=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"))
    subject: Mapped[str]
    recommendation_id: Mapped[int | None]
    kind: Mapped[str]
    slot: Mapped[str] = mapped_column(Computed(SLOT, persisted=True))
    shares: Mapped[dict[str, float]] = mapped_column(JSONB, server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
