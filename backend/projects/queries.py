"""Queries for projects, with counts of their tasks and bookmarks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Row,
    Select,
    Text,
    and_,
    column,
    func,
    or_,
    select,
    table,
    text,
)

from backend.actor import Actor
from backend.errors import NotFound
from backend.extensions import db
from backend.http.pagination import Sort, page_of, paginate
from backend.http.truncation import beginning, fit, shorten
from backend.projects.models import Project, ProjectBookmark
from backend.projects.schemas import ProjectDeletionOut, ProjectListQuery, ProjectOut, ProjectPage
from backend.text.sort_keys import word_prefix_conditions

SORTS = {"created_at": Project.created_at, "updated_at": Project.updated_at, "name": Project.name_key}
# Tables of features above this one, which it must not import: only their counts are read.
BOOKMARKS = table("bookmarks", column("id", BigInteger), column("deleted_at", DateTime(timezone=True)))
TASKS = table(
    "tasks",
    column("id", BigInteger),
    column("project_id", BigInteger),
    column("status", Text),
    column("deleted_at", DateTime(timezone=True)),
)
FEEDBACK = table("feedback", column("project_id", BigInteger), column("task_id", BigInteger))
EMBED_TASKS = text("""
    UPDATE tasks SET embedding_due_at = now()
     WHERE id IN (SELECT id FROM tasks WHERE project_id = :project_id ORDER BY id FOR NO KEY UPDATE)
""")
# A scalar subquery looks each bookmark up by its key, whatever the table statistics say.
NOT_TRASHED = select(BOOKMARKS.c.deleted_at.is_(None)).where(BOOKMARKS.c.id == ProjectBookmark.bookmark_id)
BOOKMARK_COUNT = (
    select(func.count())
    .select_from(ProjectBookmark)
    .where(ProjectBookmark.project_id == Project.id, NOT_TRASHED.scalar_subquery())
    .correlate(Project)
    .scalar_subquery()
    .label("bookmark_count")
)


def task_counts() -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Return columns beside `Project`: the number of its tasks outside the trash, subtasks included, and of those
    done."""
    total = select(func.count()).where(TASKS.c.project_id == Project.id, TASKS.c.deleted_at.is_(None))
    done = total.where(TASKS.c.status == "done")
    counts = (count.correlate(Project).scalar_subquery() for count in (total, done))
    return next(counts).label("tasks_total"), next(counts).label("tasks_done")


LONG_TEXTS = ("description",)
# Fields that may be cut to keep a list within its size limit.
CUTTABLE = ("description", "technologies")
# Without `words`, which is no output, and with only the beginning of the description, as in lists.
_FIELDS = select(
    Project.id, Project.name, Project.name_key, Project.technologies, Project.status,
    Project.created_at, Project.updated_at, Project.deleted_at, BOOKMARK_COUNT, *task_counts(),
)  # fmt: skip
WHOLE_PROJECTS = _FIELDS.add_columns(Project.description)
LISTED_PROJECTS = _FIELDS.add_columns(beginning(Project.description))


def list_projects(actor: Actor, query: ProjectListQuery) -> ProjectPage:
    """Return one page of projects: one statement."""
    conditions = [trashed(actor) if query.deleted else not_trashed(actor)]
    if query.status is not None:
        conditions.append(Project.status == query.status)
    if query.q is not None:
        conditions.extend(word_prefix_conditions(Project.words, query.q))
    sort = Sort(query.sort, SORTS[query.sort.lstrip("-")], Project.id)
    page = paginate(conditions, LISTED_PROJECTS, sort, query)
    items = [_project_out(row, LONG_TEXTS) for row in page.rows]
    fit(items, CUTTABLE)
    return page_of(ProjectPage, page, items)


def get_project(actor: Actor, project_id: int) -> ProjectOut:
    """Return the project, if it is in the actor's organization and not in the trash.

    Raises:
        NotFound: there is no such project.
    """
    row = db.session.execute(WHOLE_PROJECTS.where(not_trashed(actor), Project.id == project_id)).one_or_none()
    if row is None:
        raise NotFound
    return _project_out(row)


def get_deletion(actor: Actor, project_id: int, *, permanent: bool) -> ProjectDeletionOut:
    """Count what deleting the project would delete with it: one read-only statement.

    Raises:
        NotFound: there is no such project; without `permanent`, none outside the trash.
    """
    scope = Project.organization_id == actor.organization_id if permanent else not_trashed(actor)
    row = db.session.execute(_deletions().where(scope, Project.id == project_id)).one_or_none()
    if row is None:
        raise NotFound
    return ProjectDeletionOut(permanent=permanent, **row._mapping)


def _deletions() -> Select[*tuple[Any, ...]]:
    """Select the rows that depend on each project by foreign keys with ON DELETE CASCADE."""
    tasks = select(TASKS.c.id).where(TASKS.c.project_id == Project.id).correlate(Project)
    attachments = select(func.count()).where(ProjectBookmark.project_id == Project.id)
    of_it = or_(FEEDBACK.c.project_id == Project.id, FEEDBACK.c.task_id.in_(tasks))
    counts = {
        "tasks": tasks.with_only_columns(func.count()),
        "attachments": attachments,
        "feedback": select(func.count()).select_from(FEEDBACK).where(of_it),
    }
    columns = (count.correlate(Project).scalar_subquery().label(name) for name, count in counts.items())
    return select(*columns)


def not_trashed(actor: Actor) -> ColumnElement[bool]:
    """Match projects of the actor's organization outside the trash."""
    return and_(Project.organization_id == actor.organization_id, Project.deleted_at.is_(None))


def trashed(actor: Actor) -> ColumnElement[bool]:
    """Match projects of the actor's organization in the trash."""
    return and_(Project.organization_id == actor.organization_id, Project.deleted_at.is_not(None))


def _project_out(row: Row[Any], cut: Sequence[str] = ()) -> ProjectOut:
    values = {**row._mapping, "tasks": {"total": row.tasks_total, "done": row.tasks_done}}
    shorten(values, cut)
    return ProjectOut.model_validate(values)
