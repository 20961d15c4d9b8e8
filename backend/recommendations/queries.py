"""Queries for engines' availability and for feedback."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, text

from backend.actor import Actor
from backend.extensions import db
from backend.http.pagination import Sort, page_of, paginate
from backend.named_blocks import read_statements
from backend.recommendations.models import Feedback
from backend.recommendations.schemas import FeedbackListQuery, FeedbackOut, FeedbackPage

SORTS = {"created_at": Feedback.created_at}
ENGINE_DATA = read_statements(__file__)["engine_data"]
WAITING = text("""
    SELECT (SELECT count(*) FROM (SELECT 1 FROM projects WHERE embedding_due_at IS NOT NULL LIMIT 1000) p)
         + (SELECT count(*) FROM (SELECT 1 FROM tasks WHERE embedding_due_at IS NOT NULL LIMIT 1000) t)
""")
DUE = text("""
    SELECT (SELECT count(*) FROM (SELECT 1 FROM projects WHERE embedding_due_at <= now() LIMIT 1000) p)
         + (SELECT count(*) FROM (SELECT 1 FROM tasks WHERE embedding_due_at <= now() LIMIT 1000) t)
""")


def read_engine_data(organization_id: int, model: str) -> Row[Any]:
    """Return what data the engines have in an organization, as flags. One statement."""
    return db.session.execute(ENGINE_DATA, {"organization": organization_id, "model": model}).one()


def list_feedback(actor: Actor, query: FeedbackListQuery) -> FeedbackPage:
    """Return one page of the person's own feedback: two statements."""
    conditions = [Feedback.user_id == actor.user_id, Feedback.organization_id == actor.organization_id]
    for name in ("project_id", "task_id", "bookmark_id", "kind"):
        value = getattr(query, name)
        if value is not None:
            conditions.append(getattr(Feedback, name) == value)
    sort = Sort(query.sort, SORTS[query.sort.lstrip("-")], Feedback.id)
    page = paginate(conditions, select(*Feedback.__table__.columns), sort, query)
    return page_of(FeedbackPage, page, [feedback_out(row) for row in page.rows])


def feedback_out(row: Row[Any]) -> FeedbackOut:
    """Build the response from a row."""
    return FeedbackOut.model_validate(dict(row._mapping))


def count_waiting() -> int:
    """Count projects and tasks without an up-to-date embedding, up to 1,000 each."""
    return db.session.scalar(WAITING) or 0


def count_due() -> int:
    """Count projects and tasks whose embedding is due, up to 1,000 each."""
    return db.session.scalar(DUE) or 0
