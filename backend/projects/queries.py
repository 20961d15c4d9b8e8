"""Reading projects, with what hangs on them counted."""

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
# Bookmarks, tasks and feedback use projects, never the other way: what is counted of them is named here.
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
# Each bookmark is looked up by its key, however little PostgreSQL knows of the tables.
IS_LIVE = select(BOOKMARKS.c.deleted_at.is_(None)).where(BOOKMARKS.c.id == ProjectBookmark.bookmark_id)
BOOKMARK_COUNT = (
    select(func.count())
    .select_from(ProjectBookmark)
    .where(ProjectBookmark.project_id == Project.id, IS_LIVE.scalar_subquery())
    .correlate(Project)
    .scalar_subquery()
    .label("bookmark_count")
)


def task_counts() -> tuple[ColumnElement[int], ColumnElement[int]]:
    """How many tasks outside the trash a project has, subtasks included, and how many of them are done, as columns
    beside `Project`."""
    live = select(func.count()).where(TASKS.c.project_id == Project.id, TASKS.c.deleted_at.is_(None))
    done = live.where(TASKS.c.status == "done")
    total_of, done_of = (one.correlate(Project).scalar_subquery() for one in (live, done))
    return total_of.label("tasks_total"), done_of.label("tasks_done")


LONG_TEXTS = ("description",)
# What of a listed project may be cut where a list would be too large.
CUTTABLE = ("description", "technologies")
# Without the words, which nobody is shown, and the description, which lists show in part.
_FIELDS = select(
    Project.id, Project.name, Project.name_key, Project.technologies, Project.status,
    Project.created_at, Project.updated_at, Project.deleted_at, BOOKMARK_COUNT, *task_counts(),
)  # fmt: skip
WHOLE_PROJECTS = _FIELDS.add_columns(Project.description)
LISTED_PROJECTS = _FIELDS.add_columns(beginning(Project.description))


def list_projects(actor: Actor, query: ProjectListQuery) -> ProjectPage:
    """One page of the projects that the filters leave: one statement."""
    which = [trashed(actor) if query.deleted else live(actor)]
    if query.status is not None:
        which.append(Project.status == query.status)
    if query.q is not None:
        which.extend(word_prefix_conditions(Project.words, query.q))
    sort = Sort(query.sort, SORTS[query.sort.lstrip("-")], Project.id)
    found = paginate(which, LISTED_PROJECTS, sort, query)
    items = [_project_out(row, LONG_TEXTS) for row in found.rows]
    fit(items, CUTTABLE)
    return page_of(ProjectPage, found, items)


def get_project(actor: Actor, project_id: int) -> ProjectOut:
    """The project, if it is the actor's organization's and not in the trash.

    Raises:
        NotFound: it is not, or never was.
    """
    row = db.session.execute(WHOLE_PROJECTS.where(live(actor), Project.id == project_id)).one_or_none()
    if row is None:
        raise NotFound
    return _project_out(row)


def get_deletion(actor: Actor, project_id: int, *, permanent: bool) -> ProjectDeletionOut:
    """What deleting the project would take with it: one statement, which changes nothing.

    Raises:
        NotFound: there is no such project; without `permanent`, none outside the trash.
    """
    mine = Project.organization_id == actor.organization_id if permanent else live(actor)
    row = db.session.execute(_deletions().where(mine, Project.id == project_id)).one_or_none()
    if row is None:
        raise NotFound
    return ProjectDeletionOut(permanent=permanent, **row._mapping)


def _deletions() -> Select[*tuple[Any, ...]]:
    """What hangs on each project, as the foreign keys with ON DELETE CASCADE have it."""
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


def live(actor: Actor) -> ColumnElement[bool]:
    """In the actor's organization and outside the trash."""
    return and_(Project.organization_id == actor.organization_id, Project.deleted_at.is_(None))


def trashed(actor: Actor) -> ColumnElement[bool]:
    """In the actor's organization and in the trash."""
    return and_(Project.organization_id == actor.organization_id, Project.deleted_at.is_not(None))


def _project_out(row: Row[Any], cut: Sequence[str] = ()) -> ProjectOut:
    values = {**row._mapping, "tasks": {"total": row.tasks_total, "done": row.tasks_done}}
    shorten(values, cut)
    return ProjectOut.model_validate(values)
