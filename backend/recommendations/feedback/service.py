"""Services for feedback. Every public function commits once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from backend.activity.log import record_activity
from backend.activity.types import ActivityType
from backend.actor import Actor
from backend.bookmarks import queries as bookmarks
from backend.bookmarks.models import Bookmark
from backend.clock import utc_now
from backend.errors import Conflict, Invalid, NotFound
from backend.extensions import db
from backend.http.response_cache.computed import invalidate_computed
from backend.projects import queries as projects
from backend.projects.models import Project
from backend.recommendations.models import Feedback, RecommendationSet
from backend.recommendations.queries import feedback_out
from backend.recommendations.schemas import FeedbackIn, FeedbackOut, FeedbackPut
from backend.recommendations.service import SET_SIZE
from backend.tasks import queries as tasks
from backend.tasks.models import Task

IMPLICIT = ("opened", "saved")


@dataclass(frozen=True)
class _About:
    """The subject of feedback, and the engines' shares in the recommendation."""

    subject: str
    project_id: int | None
    task_id: int | None
    shares: dict[str, float]


def give_feedback(actor: Actor, body: FeedbackIn) -> tuple[FeedbackOut, bool]:
    """Store feedback; return it with False if it replaces earlier feedback on the same bookmark and subject. A verdict
    replaces a verdict; `opened` and `saved` are stored beside it.

    Raises:
        Invalid: there is no such bookmark, recommendation, project or task, or they do not belong together.
    """
    about = _about(actor, body)
    _require_bookmark(actor, body.bookmark_id)
    values: dict[str, Any] = {
        "organization_id": actor.organization_id,
        "user_id": actor.user_id,
        "bookmark_id": body.bookmark_id,
        "recommendation_id": body.recommendation_id,
        "kind": body.kind,
        **vars(about),
    }
    new = insert(Feedback).values(**values)
    replaced = {"kind": new.excluded.kind, "updated_at": func.clock_timestamp()}
    # Feedback without a recommendation keeps the recommendation of the earlier one.
    if body.recommendation_id is not None:
        replaced |= {"recommendation_id": new.excluded.recommendation_id, "shares": new.excluded.shares}
    key = [Feedback.user_id, Feedback.organization_id, Feedback.subject, Feedback.bookmark_id, Feedback.slot]
    row = db.session.execute(
        new.on_conflict_do_update(index_elements=key, set_=replaced).returning(
            *Feedback.__table__.columns, literal_column("xmax = 0").label("is_new")
        )
    ).one()
    _record(actor, row.kind, row.bookmark_id, is_new=row.is_new)
    db.session.commit()
    invalidate_computed(actor.organization_id, "feedback")
    return feedback_out(row), row.is_new


def correct_feedback(actor: Actor, feedback_id: int, body: FeedbackPut) -> FeedbackOut:
    """Change the kind of feedback.

    Raises:
        NotFound: the person has no such feedback.
        Invalid: the body names another bookmark, recommendation, project or task than the feedback.
        Conflict: the person has such feedback in another row.
    """
    feedback = db.session.scalar(_own(actor, feedback_id).with_for_update())
    if feedback is None:
        raise NotFound
    for name in ("bookmark_id", "recommendation_id", "project_id", "task_id"):
        value = getattr(body, name)
        if value is not None and value != getattr(feedback, name):
            raise Invalid.field(f"body.{name}", "Feedback stays about what it is about; give new feedback.", "changed")
    if feedback.kind != body.kind:
        _refuse_double(actor, feedback, body.kind)
        feedback.kind, feedback.updated_at = body.kind, utc_now()
    db.session.flush()
    db.session.refresh(feedback)
    corrected = FeedbackOut.model_validate(feedback)
    _record(actor, feedback.kind, feedback.bookmark_id, is_new=False)
    db.session.commit()
    invalidate_computed(actor.organization_id, "feedback")
    return corrected


def withdraw_feedback(actor: Actor, feedback_id: int) -> None:
    """Delete feedback, which then has no effect any more.

    Raises:
        NotFound: the person has no such feedback.
    """
    own = (Feedback.id == feedback_id, *_mine(actor))
    bookmark_id = db.session.scalar(delete(Feedback).where(*own).returning(Feedback.bookmark_id))
    if bookmark_id is None:
        raise NotFound
    record_activity(actor, ActivityType.FEEDBACK_WITHDRAWN, bookmark_id)
    db.session.commit()
    invalidate_computed(actor.organization_id, "feedback")


def _record(actor: Actor, kind: str, bookmark_id: int, *, is_new: bool) -> None:
    if kind == "opened" and is_new:
        record_activity(actor, ActivityType.RECOMMENDATION_OPENED, bookmark_id)
    else:
        record_activity(actor, ActivityType.FEEDBACK_GIVEN, bookmark_id, kind=kind)


def _mine(actor: Actor) -> tuple[Any, Any]:
    return Feedback.user_id == actor.user_id, Feedback.organization_id == actor.organization_id


def _own(actor: Actor, feedback_id: int) -> Any:
    return select(Feedback).where(Feedback.id == feedback_id, *_mine(actor))


def _refuse_double(actor: Actor, feedback: Feedback, kind: str) -> None:
    slot = kind if kind in IMPLICIT else "verdict"
    twin = select(Feedback.id).where(
        *_mine(actor),
        Feedback.subject == feedback.subject,
        Feedback.bookmark_id == feedback.bookmark_id,
        Feedback.slot == slot,
        Feedback.id != feedback.id,
    )
    existing = db.session.scalar(twin)
    if existing is not None:
        raise Conflict("You have given such feedback on this bookmark already.", existing_id=existing)


def _require_bookmark(actor: Actor, bookmark_id: int) -> None:
    existing = db.session.scalar(select(Bookmark.id).where(bookmarks.not_trashed(actor), Bookmark.id == bookmark_id))
    if existing is None:
        raise Invalid.field("body.bookmark_id", "There is no such bookmark.", "unknown_bookmark")


def _about(actor: Actor, body: FeedbackIn) -> _About:
    if body.project_id is not None and body.task_id is not None and body.recommendation_id is None:
        raise Invalid.field("body.task_id", "Feedback is about a project or a task, not about both.", "ambiguous")
    if body.recommendation_id is not None:
        return _about_recommendation(actor, body, body.recommendation_id)
    if body.task_id is not None:
        _require_task(actor, body.task_id)
        return _About(f"task:{body.task_id}", None, body.task_id, {})
    if body.project_id is not None:
        _require_project(actor, body.project_id)
        return _About(f"project:{body.project_id}", body.project_id, None, {})
    return _About("person", None, None, {})


def _about_recommendation(actor: Actor, body: FeedbackIn, recommendation_id: int) -> _About:
    set_id, index = divmod(recommendation_id, SET_SIZE)
    own = (RecommendationSet.user_id == actor.user_id, RecommendationSet.organization_id == actor.organization_id)
    offered = db.session.scalar(select(RecommendationSet).where(RecommendationSet.id == set_id, *own))
    if offered is None or index >= len(offered.bookmark_ids):
        raise Invalid.field("body.recommendation_id", "There is no such recommendation.", "unknown_recommendation")
    if offered.bookmark_ids[index] != body.bookmark_id:
        raise Invalid.field("body.bookmark_id", "The recommendation is of another bookmark.", "mismatch")
    for name in ("project_id", "task_id"):
        value = getattr(body, name)
        if value is not None and value != getattr(offered, name):
            raise Invalid.field(f"body.{name}", "The recommendation is for something else.", "mismatch")
    return _About(offered.subject, offered.project_id, offered.task_id, offered.shares[index])


def _require_project(actor: Actor, project_id: int) -> None:
    if db.session.scalar(select(Project.id).where(projects.not_trashed(actor), Project.id == project_id)) is None:
        raise Invalid.field("body.project_id", "There is no such project.", "unknown_project")


def _require_task(actor: Actor, task_id: int) -> None:
    if db.session.scalar(select(Task.id).where(tasks.not_trashed(actor), Task.id == task_id)) is None:
        raise Invalid.field("body.task_id", "There is no such task.", "unknown_task")
