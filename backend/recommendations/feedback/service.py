"""What people say of recommendations. Every public function commits once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from backend.actor import Actor
from backend.bookmarks import queries as bookmarks
from backend.bookmarks.models import Bookmark
from backend.clock import utc_now
from backend.errors import Conflict, Invalid, NotFound
from backend.extensions import db
from backend.projects import queries as projects
from backend.projects.models import Project
from backend.recommendations.models import Feedback, RecommendationSet
from backend.recommendations.queries import feedback_out
from backend.recommendations.schemas import FeedbackIn, FeedbackOut, FeedbackPut
from backend.recommendations.service import PLACES
from backend.tasks import queries as tasks
from backend.tasks.models import Task

IMPLICIT = ("opened", "saved")


@dataclass(frozen=True)
class _About:
    """What feedback is about: the subject, and the engines' shares in the recommendation."""

    subject: str
    project_id: int | None
    task_id: int | None
    shares: dict[str, float]


def give_feedback(actor: Actor, given: FeedbackIn) -> tuple[FeedbackOut, bool]:
    """Remember what the person says; False beside it if that corrects what they said before of the same bookmark and
    subject. Verdicts take each other's place, having opened or saved it stands beside them; each counts once.

    Raises:
        Invalid: there is no such bookmark, recommendation, project or task, or they do not belong together.
    """
    about = _about(actor, given)
    _require_bookmark(actor, given.bookmark_id)
    values: dict[str, Any] = {
        "organization_id": actor.organization_id,
        "user_id": actor.user_id,
        "bookmark_id": given.bookmark_id,
        "recommendation_id": given.recommendation_id,
        "kind": given.kind,
        **vars(about),
    }
    new = insert(Feedback).values(**values)
    replaced = {"kind": new.excluded.kind, "updated_at": func.clock_timestamp()}
    # What was said without naming a recommendation leaves the one that was named before.
    if given.recommendation_id is not None:
        replaced |= {"recommendation_id": new.excluded.recommendation_id, "shares": new.excluded.shares}
    key = [Feedback.user_id, Feedback.organization_id, Feedback.subject, Feedback.bookmark_id, Feedback.slot]
    row = db.session.execute(
        new.on_conflict_do_update(index_elements=key, set_=replaced).returning(
            *Feedback.__table__.columns, literal_column("xmax = 0").label("is_new")
        )
    ).one()
    db.session.commit()
    return feedback_out(row), row.is_new


def correct_feedback(actor: Actor, feedback_id: int, given: FeedbackPut) -> FeedbackOut:
    """Say something else of the same bookmark for the same subject.

    Raises:
        NotFound: the person has given no such feedback.
        Invalid: the body names another bookmark, recommendation, project or task than it is about.
        Conflict: the person has said exactly that in another row.
    """
    feedback = db.session.scalar(_own(actor, feedback_id).with_for_update())
    if feedback is None:
        raise NotFound
    for name in ("bookmark_id", "recommendation_id", "project_id", "task_id"):
        value = getattr(given, name)
        if value is not None and value != getattr(feedback, name):
            raise Invalid.field(f"body.{name}", "Feedback stays about what it is about; give new feedback.", "changed")
    if feedback.kind != given.kind:
        _refuse_double(actor, feedback, given.kind)
        feedback.kind, feedback.updated_at = given.kind, utc_now()
    db.session.flush()
    db.session.refresh(feedback)
    said = FeedbackOut.model_validate(feedback)
    db.session.commit()
    return said


def withdraw_feedback(actor: Actor, feedback_id: int) -> None:
    """Take back what was said: it counts no longer.

    Raises:
        NotFound: the person has given no such feedback.
    """
    own = (Feedback.id == feedback_id, *_mine(actor))
    if db.session.scalar(delete(Feedback).where(*own).returning(Feedback.id)) is None:
        raise NotFound
    db.session.commit()


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
    known = db.session.scalar(select(Bookmark.id).where(bookmarks.not_trashed(actor), Bookmark.id == bookmark_id))
    if known is None:
        raise Invalid.field("body.bookmark_id", "There is no such bookmark.", "unknown_bookmark")


def _about(actor: Actor, given: FeedbackIn) -> _About:
    if given.project_id is not None and given.task_id is not None and given.recommendation_id is None:
        raise Invalid.field("body.task_id", "Feedback is about a project or a task, not about both.", "ambiguous")
    if given.recommendation_id is not None:
        return _about_recommendation(actor, given, given.recommendation_id)
    if given.task_id is not None:
        _require_task(actor, given.task_id)
        return _About(f"task:{given.task_id}", None, given.task_id, {})
    if given.project_id is not None:
        _require_project(actor, given.project_id)
        return _About(f"project:{given.project_id}", given.project_id, None, {})
    return _About("person", None, None, {})


def _about_recommendation(actor: Actor, given: FeedbackIn, recommendation_id: int) -> _About:
    set_id, place = divmod(recommendation_id, PLACES)
    mine = (RecommendationSet.user_id == actor.user_id, RecommendationSet.organization_id == actor.organization_id)
    offered = db.session.scalar(select(RecommendationSet).where(RecommendationSet.id == set_id, *mine))
    if offered is None or place >= len(offered.bookmark_ids):
        raise Invalid.field("body.recommendation_id", "There is no such recommendation.", "unknown_recommendation")
    if offered.bookmark_ids[place] != given.bookmark_id:
        raise Invalid.field("body.bookmark_id", "The recommendation is of another bookmark.", "mismatch")
    for name in ("project_id", "task_id"):
        value = getattr(given, name)
        if value is not None and value != getattr(offered, name):
            raise Invalid.field(f"body.{name}", "The recommendation is for something else.", "mismatch")
    return _About(offered.subject, offered.project_id, offered.task_id, offered.shares[place])


def _require_project(actor: Actor, project_id: int) -> None:
    if db.session.scalar(select(Project.id).where(projects.live(actor), Project.id == project_id)) is None:
        raise Invalid.field("body.project_id", "There is no such project.", "unknown_project")


def _require_task(actor: Actor, task_id: int) -> None:
    if db.session.scalar(select(Task.id).where(tasks.live(actor), Task.id == task_id)) is None:
        raise Invalid.field("body.task_id", "There is no such task.", "unknown_task")
