"""Reading tasks, with their subtasks counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, ColumnElement, Row, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from backend.actor import Actor
from backend.errors import NotFound
from backend.extensions import db
from backend.http.pagination import Sort, page_of, paginate
from backend.http.truncation import beginning, fit, shorten
from backend.projects.models import Project
from backend.projects.queries import trashed
from backend.tasks.models import Task
from backend.tasks.schemas import TaskListQuery, TaskOut, TaskPage
from backend.text.sort_keys import word_prefix_conditions

SORTS: dict[str, InstrumentedAttribute[Any]] = {
    "position": Task.position,
    "created_at": Task.created_at,
    "updated_at": Task.updated_at,
    "due_at": Task.due_key,
    "-due_at": Task.latest_due_key,
    "priority": Task.priority_rank,
}
_CHILD = aliased(Task)
# One value for each row, so that a page of tasks with all its counts is one statement.
SUBTASKS = (
    select(func.json_build_array(func.count(), func.count().filter(_CHILD.status == "done"), type_=JSON))
    .where(_CHILD.parent_id == Task.id, _CHILD.deleted_at.is_(None))
    .correlate(Task)
    .scalar_subquery()
    .label("subtasks")
)
LONG_TEXTS = ("description",)
# Without the words, which nobody is shown, and the description, which lists show in part.
_FIELDS = select(
    Task.id, Task.project_id, Task.parent_id, Task.title, Task.status, Task.priority, Task.due_at,
    Task.completed_at, Task.position, Task.created_at, Task.updated_at, Task.deleted_at, Task.priority_rank,
    Task.due_key, Task.latest_due_key.label("latest_due_key"), SUBTASKS,
)  # fmt: skip
WHOLE_TASKS, LISTED_TASKS = _FIELDS.add_columns(Task.description), _FIELDS.add_columns(beginning(Task.description))


def list_tasks(actor: Actor, query: TaskListQuery) -> TaskPage:
    """One page of the tasks that the filters leave: one statement."""
    name = query.sort or ("position" if query.project_id or query.parent_id else "-created_at")
    column = SORTS.get(name) or SORTS[name.lstrip("-")]
    found = paginate(_conditions(actor, query), LISTED_TASKS, Sort(name, column, Task.id), query)
    items = [_task_out(row, LONG_TEXTS) for row in found.rows]
    fit(items, LONG_TEXTS)
    return page_of(TaskPage, found, items)


def get_task(actor: Actor, task_id: int) -> TaskOut:
    """The task, if it is the actor's organization's and neither it nor its project is in the trash.

    Raises:
        NotFound: it is not, or never was.
    """
    row = db.session.execute(WHOLE_TASKS.where(live(actor), Task.id == task_id)).one_or_none()
    if row is None:
        raise NotFound
    return _task_out(row)


def reachable(actor: Actor) -> ColumnElement[bool]:
    """In the actor's organization; what belongs to a project in the trash is there with it."""
    gone = select(Project.id).where(trashed(actor))
    return and_(Task.organization_id == actor.organization_id, Task.project_key.not_in(gone))


def live(actor: Actor) -> ColumnElement[bool]:
    """Reachable and outside the trash."""
    return and_(reachable(actor), Task.deleted_at.is_(None))


def _conditions(actor: Actor, query: TaskListQuery) -> Sequence[ColumnElement[bool]]:
    found = [reachable(actor), Task.deleted_at.is_not(None) if query.deleted else Task.deleted_at.is_(None)]
    found += _belonging(query)
    if query.status:
        found.append(Task.status.in_(query.status))
    if query.priority:
        found.append(Task.priority.in_(query.priority))
    # By the key that the index has; a task without a due date is due neither before nor after anything.
    if query.due_before is not None:
        found.append(Task.due_key < query.due_before)
    if query.due_after is not None:
        found += [Task.due_key > query.due_after, Task.due_at.is_not(None)]
    if query.q is not None:
        found.extend(word_prefix_conditions(Task.words, query.q))
    return found


def _belonging(query: TaskListQuery) -> list[ColumnElement[bool]]:
    is_top = query.parent_id == "none"
    found: list[ColumnElement[bool]] = []
    if query.parent_id is not None:
        found.append(Task.parent_key == 0 if is_top else Task.parent_id == int(query.parent_id))
    if query.project_id is not None:
        # The top level by the key of the index that has its order.
        column = Task.project_key if is_top or query.project_id == "none" else Task.project_id
        found.append(column == (0 if query.project_id == "none" else int(query.project_id)))
    return found


def _task_out(row: Row[Any], cut: Sequence[str] = ()) -> TaskOut:
    total, done = row.subtasks
    values = {**row._mapping, "subtasks": {"total": total, "done": done}}
    shorten(values, cut)
    return TaskOut.model_validate(values)
