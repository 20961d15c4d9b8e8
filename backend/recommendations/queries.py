"""Which engines can work now, and what people have said."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, text

from backend.actor import Actor
from backend.extensions import db
from backend.http.pagination import Sort, page_of, paginate
from backend.recommendations.models import Feedback
from backend.recommendations.schemas import FeedbackListQuery, FeedbackOut, FeedbackPage

SORTS = {"created_at": Feedback.created_at}
# Two baskets of at least two bookmarks, with one in common: less is too thin to speak.
KNOWN = text("""
    SELECT EXISTS (SELECT 1 FROM bookmarks b WHERE b.organization_id = :organization AND b.deleted_at IS NULL)
               AS has_bookmarks,
           EXISTS (SELECT 1 FROM bookmark_embeddings e WHERE e.organization_id = :organization AND e.model = :model)
               AS has_vectors,
           EXISTS (SELECT 1 FROM tasks t WHERE t.organization_id = :organization AND t.deleted_at IS NULL
                      AND t.status <> 'done')
               OR EXISTS (SELECT 1 FROM project_bookmarks pb WHERE pb.organization_id = :organization) AS has_work,
           EXISTS (SELECT 1 FROM (SELECT pb.bookmark_id FROM project_bookmarks pb
                                   WHERE pb.organization_id = :organization
                                   ORDER BY pb.organization_id LIMIT 5000) pb
                    GROUP BY pb.bookmark_id HAVING count(*) > 1)
               OR (SELECT count(DISTINCT (f.user_id, f.subject)) > 1
                     FROM (SELECT f.user_id, f.subject FROM feedback f
                            WHERE f.organization_id = :organization AND f.kind IN ('relevant', 'saved', 'opened')
                            ORDER BY f.updated_at DESC LIMIT 5000) f) AS is_shared,
           EXISTS (SELECT 1 FROM (SELECT b.is_read, b.updated_at FROM bookmarks b
                                   WHERE b.organization_id = :organization AND b.deleted_at IS NULL
                                   ORDER BY b.created_at LIMIT 5000) b
                    WHERE NOT b.is_read OR b.updated_at < now() - interval '60 days') AS has_forgotten
""")
WAITING = text("""
    SELECT (SELECT count(*) FROM (SELECT 1 FROM projects WHERE embedding_due_at IS NOT NULL LIMIT 1000) p)
         + (SELECT count(*) FROM (SELECT 1 FROM tasks WHERE embedding_due_at IS NOT NULL LIMIT 1000) t)
""")
DUE = text("""
    SELECT (SELECT count(*) FROM (SELECT 1 FROM projects WHERE embedding_due_at <= now() LIMIT 1000) p)
         + (SELECT count(*) FROM (SELECT 1 FROM tasks WHERE embedding_due_at <= now() LIMIT 1000) t)
""")


def read_known(organization_id: int, model: str) -> Row[Any]:
    """Read what engines have to work with in an organization, as flags. One statement."""
    return db.session.execute(KNOWN, {"organization": organization_id, "model": model}).one()


def list_feedback(actor: Actor, query: FeedbackListQuery) -> FeedbackPage:
    """One page of the person's own feedback: two statements."""
    which = [Feedback.user_id == actor.user_id, Feedback.organization_id == actor.organization_id]
    for name in ("project_id", "task_id", "bookmark_id", "kind"):
        value = getattr(query, name)
        if value is not None:
            which.append(getattr(Feedback, name) == value)
    sort = Sort(query.sort, SORTS[query.sort.lstrip("-")], Feedback.id)
    found = paginate(which, select(*Feedback.__table__.columns), sort, query)
    return page_of(FeedbackPage, found, [feedback_out(row) for row in found.rows])


def feedback_out(row: Row[Any]) -> FeedbackOut:
    """The API's shape of a row of feedback."""
    return FeedbackOut.model_validate(dict(row._mapping))


def count_waiting() -> int:
    """How many projects and tasks wait for a vector, due or taken by a worker, counted up to 1,000 each."""
    return db.session.scalar(WAITING) or 0


def count_due() -> int:
    """How many projects and tasks wait for a vector whose time has come, counted up to 1,000 each."""
    return db.session.scalar(DUE) or 0
