"""Services for tasks. Every public function commits once; messages go out after the commit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, delete, select, update

from backend.activity.log import record_activity
from backend.activity.types import ActivityType
from backend.actor import Actor
from backend.clock import utc_now
from backend.database import retry_on_conflict
from backend.errors import Conflict, Invalid, NotFound
from backend.extensions import db
from backend.jobs.models import Job
from backend.jobs.queue import send
from backend.jobs.service import add_job, job_message
from backend.projects.messages import embed_subjects_message
from backend.tasks import queries
from backend.tasks.bulk_create import Draft, add_drafts, record_added, validate_items
from backend.tasks.models import MAX_DEPTH, Task
from backend.tasks.placement import place_task
from backend.tasks.schemas import BreakdownIn, MoveIn, TaskIn, TaskOut, TaskPatch, TaskResult, TaskResults
from backend.tasks.tree_store import lock_tree, read_nodes, subtree_of
from backend.text.sort_keys import searchable_text

EMBEDDED_FIELDS = {"title", "description"}
PLAIN_FIELDS = {"title", "description", "priority", "due_at"}


@retry_on_conflict
def create_task(actor: Actor, item: TaskIn) -> TaskOut:
    """Create a task at the end of its list.

    Raises:
        Invalid: there is no such parent or project, or the parent is in another project or too deep.
    """
    lock_tree(actor.organization_id)
    [validated] = validate_items(actor, [item])
    if isinstance(validated, Invalid):
        raise validated
    [task_id] = add_drafts(actor, [validated])
    record_added(actor, [item], task_id)
    task = queries.get_task(actor, task_id)
    db.session.commit()
    send([embed_subjects_message()])
    return task


@retry_on_conflict
def create_tasks(actor: Actor, raw_items: Sequence[object]) -> TaskResults:
    """Create many tasks in order; an invalid one does not affect the others."""
    read = [_read(raw) for raw in raw_items]
    lock_tree(actor.organization_id)
    validated = iter(validate_items(actor, [item for item in read if isinstance(item, TaskIn)]))
    outcomes = [item if isinstance(item, str) else next(validated) for item in read]
    drafts = [outcome for outcome in outcomes if isinstance(outcome, Draft)]
    ids = iter(add_drafts(actor, drafts))
    record_added(actor, [draft.item for draft in drafts])
    results = [
        TaskResult(index=index, status="created", id=next(ids))
        if isinstance(outcome, Draft)
        else TaskResult(index=index, status="invalid", error=_error_message(outcome))
        for index, outcome in enumerate(outcomes)
    ]
    db.session.commit()
    send([embed_subjects_message()])
    created = sum(result.status == "created" for result in results)
    return TaskResults(results=results, created=created, invalid=len(results) - created)


@retry_on_conflict
def update_task(actor: Actor, task_id: int, patch: TaskPatch) -> TaskOut:
    """Update the fields that the patch names.

    Raises:
        NotFound: there is no such task outside the trash.
        Invalid: it cannot be moved as the patch says.
    """
    fields = patch.model_fields_set
    if fields & {"parent_id", "project_id"}:
        lock_tree(actor.organization_id)
        if not place_task(actor, task_id, patch):
            raise NotFound
    statement = select(Task).where(queries.not_trashed(actor), Task.id == task_id).with_for_update(key_share=True)
    task = db.session.scalar(statement.execution_options(populate_existing=True))
    if task is None:
        raise NotFound
    was_done = task.status == "done"
    _change(task, patch)
    kind = ActivityType.TASK_COMPLETED if task.status == "done" and not was_done else ActivityType.TASK_UPDATED
    record_activity(actor, kind, task_id, fields=sorted(fields), status=patch.status)
    db.session.flush()
    changed = queries.get_task(actor, task_id)
    db.session.commit()
    if fields & (EMBEDDED_FIELDS | {"parent_id", "project_id"}):
        send([embed_subjects_message()])
    return changed


@retry_on_conflict
def move_task(actor: Actor, task_id: int, move: MoveIn) -> TaskOut:
    """Move a task with its subtasks.

    Raises:
        NotFound: there is no such task outside the trash.
        Invalid: it cannot be moved there.
    """
    lock_tree(actor.organization_id)
    if not place_task(actor, task_id, move):
        raise NotFound
    record_activity(actor, ActivityType.TASK_MOVED, task_id)
    task = queries.get_task(actor, task_id)
    db.session.commit()
    if move.model_fields_set & {"parent_id", "project_id"}:
        send([embed_subjects_message()])
    return task


@retry_on_conflict
def delete_task(actor: Actor, task_id: int, *, permanent: bool) -> None:
    """Move a task with its subtasks to the trash, or delete them for good (also from the trash).

    Raises:
        NotFound: there is no such task.
    """
    lock_tree(actor.organization_id)
    if permanent:
        statement = delete(Task).where(queries.visible(actor), Task.id == task_id).returning(Task.id)
        gone = db.session.scalar(statement, execution_options={"synchronize_session": False})
        if gone is None:
            raise NotFound
    else:
        if not read_nodes(actor, {task_id}):
            raise NotFound
        _change_subtree(task_id, Task.deleted_at.is_(None), deleted_at=utc_now())
    record_activity(actor, ActivityType.TASK_DELETED, task_id, permanent=permanent or None)
    db.session.commit()


@retry_on_conflict
def restore_task(actor: Actor, task_id: int) -> TaskOut:
    """Restore a task from the trash with the subtasks trashed together with it; one outside the trash is returned as it
    is.

    Raises:
        NotFound: there is no such task.
        Conflict: its parent is in the trash.
    """
    lock_tree(actor.organization_id)
    row = db.session.execute(
        select(Task.parent_id, Task.deleted_at).where(queries.visible(actor), Task.id == task_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    if row.deleted_at is not None:
        if row.parent_id is not None and row.parent_id not in read_nodes(actor, {row.parent_id}):
            raise Conflict("The task that this is a step of is in the trash: restore that first.")
        # Subtasks that were trashed earlier stay in the trash.
        _change_subtree(task_id, Task.deleted_at == row.deleted_at, deleted_at=None, updated_at=utc_now())
        record_activity(actor, ActivityType.TASK_RESTORED, task_id)
    task = queries.get_task(actor, task_id)
    db.session.commit()
    return task


def request_breakdown(actor: Actor, task_id: int, request: BreakdownIn) -> Job:
    """Queue a job that breaks a task down.

    Raises:
        NotFound: there is no such task outside the trash.
        Invalid: its steps are to be added, but the task is too deep for subtasks.
    """
    node = read_nodes(actor, {task_id}).get(task_id)
    if node is None:
        raise NotFound
    if request.apply and node.depth >= MAX_DEPTH:
        message = f"Subtasks go {MAX_DEPTH} levels deep at most: this task can have none."
        raise Invalid.field("body.apply", message, "too_deep")
    job = add_job(actor, "breakdown", {"task_id": task_id, **request.model_dump()})
    db.session.commit()
    send([job_message(job)])
    return job


def _change(task: Task, patch: TaskPatch) -> None:
    for field in PLAIN_FIELDS & patch.model_fields_set:
        setattr(task, field, getattr(patch, field))
    task.words = searchable_text(task.title, task.description)
    task.updated_at = utc_now()
    if patch.model_fields_set & EMBEDDED_FIELDS:
        task.embedding_due_at = task.updated_at
    if patch.status is not None:
        task.status = patch.status
        task.completed_at = (task.completed_at or task.updated_at) if patch.status == "done" else None


def _change_subtree(task_id: int, condition: ColumnElement[bool], **values: Any) -> None:
    statement = update(Task).where(Task.id.in_(select(subtree_of(task_id).c.id)), condition).values(**values)
    db.session.execute(statement, execution_options={"synchronize_session": False})


def _read(raw: object) -> TaskIn | str:
    try:
        return TaskIn.model_validate_json(json.dumps(raw))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        return f"{where}: {message}" if where else message


def _error_message(fault: str | Invalid) -> str:
    if isinstance(fault, str):
        return fault
    first = fault.extra["errors"][0]
    return f"{first['field'].removeprefix('body.')}: {first['message']}"
