"""Feed of activity: one page by keyset, in one statement."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, case, func, literal, null, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from backend.activity.models import Activity
from backend.activity.types import visible_types
from backend.actor import Actor
from backend.auth.models import User
from backend.bookmarks.models import Bookmark, Tag
from backend.dashboard.schemas import ActivityEvent, ActivityFeed, ActivityQuery
from backend.extensions import db
from backend.http.pagination import read_cursor, whole_number, write_cursor
from backend.organizations.models import Organization
from backend.projects.models import Project
from backend.tasks.models import Task

PAGE_COLUMNS = tuple(Activity.__table__.columns)
# The title of each kind of object: its column, the model, and the scope that reads it.
TITLES: dict[str, tuple[InstrumentedAttribute[str], Any, str]] = {
    "bookmark": (Bookmark.title, Bookmark, "bookmarks:read"),
    "tag": (Tag.name, Tag, "bookmarks:read"),
    "project": (Project.name, Project, "projects:read"),
    "task": (Task.title, Task, "tasks:read"),
}
MAX_TITLE = 300
FILTERS = ("type", "user_id", "object_type", "object_id")


def list_activity(actor: Actor, query: ActivityQuery) -> ActivityFeed:
    """Return one page of the events that the actor may see, the newest first. One statement."""
    page = select(*PAGE_COLUMNS).where(*_conditions(actor, query)).limit(query.limit + 1)
    rows = db.session.execute(_shaped(actor, page.order_by(Activity.created_at.desc(), Activity.id.desc()))).all()
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    return ActivityFeed(
        items=[ActivityEvent.model_validate(row) for row in shown],
        has_next=more,
        next_cursor=write_cursor([shown[-1].created_at, shown[-1].id]) if more else None,
    )


def visible_to(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that the actor may see an event."""
    visible = visible_types(actor.role)
    own = Activity.type.in_(visible["self"]) & (Activity.user_id == actor.user_id)
    return Activity.organization_id == actor.organization_id, or_(Activity.type.in_(visible["members"]), own)


def _conditions(actor: Actor, query: ActivityQuery) -> Iterator[ColumnElement[bool]]:
    yield from visible_to(actor)
    for name in FILTERS:
        if (value := getattr(query, name)) is not None:
            yield getattr(Activity, name) == value
    if query.since is not None:
        yield Activity.created_at >= query.since
    if query.cursor is not None:
        moment, id_ = read_cursor(query.cursor, _position)
        yield tuple_(Activity.created_at, Activity.id) < tuple_(literal(moment), literal(id_))
        # PostgreSQL reads no later partition for this.
        yield Activity.created_at <= moment


def _position(content: Any) -> tuple[datetime, int]:
    moment, id_ = content
    return datetime.fromisoformat(moment).astimezone(UTC), whole_number(id_, 1)


def _shaped(actor: Actor, page: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Add names and titles, of the rows of the page alone."""
    rows = page.subquery("page")
    titles = {kind: _title(rows, *TITLES[kind][:2]) for kind in TITLES if actor.may(TITLES[kind][2])}
    titles["user"] = _text(select(User.username).where(User.id == rows.c.object_id), rows)
    titles["organization"] = _text(select(Organization.name).where(Organization.id == rows.c.object_id), rows)
    title = func.nullif(case(titles, value=rows.c.object_type, else_=null()), "")
    return (
        select(rows, User.username, title.label("title"))
        .outerjoin(User, User.id == rows.c.user_id)
        .order_by(rows.c.created_at.desc(), rows.c.id.desc())
    )


def _title(rows: Subquery, column: InstrumentedAttribute[str], model: Any) -> ColumnElement[str]:
    own = (model.id == rows.c.object_id, model.organization_id == rows.c.organization_id)
    return _text(select(column).where(*own), rows)


def _text(statement: Select[str], rows: Subquery) -> ColumnElement[str]:
    return func.left(statement.correlate(rows).scalar_subquery(), MAX_TITLE)
