"""What a person does with tasks. Every public function commits once; messages go out after the commit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, delete, select, update

from backend.actor import Actor
from backend.clock import utc_now
from backend.database import again_after_lost_race
from backend.errors import Conflict, Invalid, NotFound
from backend.extensions import db
from backend.jobs.models import Job
from backend.jobs.queue import send
from backend.jobs.service import add_job, job_message
from backend.projects.messages import embed_subjects_message
from backend.tasks import queries
from backend.tasks.bulk_create import Draft, add_drafts, judge_items
from backend.tasks.models import MAX_DEPTH, Task
from backend.tasks.placement import place_task
from backend.tasks.schemas import BreakdownIn, MoveIn, TaskIn, TaskOut, TaskPatch, TaskResult, TaskResults
from backend.tasks.tree_store import hold_tree, read_nodes, subtree_of
from backend.text.sort_keys import searchable_text

EMBEDDED_FIELDS = {"title", "description"}
PLAIN_FIELDS = {"title", "description", "priority", "due_at"}


@again_after_lost_race
def create_task(actor: Actor, item: TaskIn) -> TaskOut:
    """A new task, the last of its list.

    Raises:
        Invalid: there is no such parent or project, or the parent is in another project or too deep.
    """
    hold_tree(actor.organization_id)
    [judged] = judge_items(actor, [item])
    if isinstance(judged, Invalid):
        raise judged
    [task_id] = add_drafts(actor, [judged])
    task = queries.get_task(actor, task_id)
    db.session.commit()
    send([embed_subjects_message()])
    return task


@again_after_lost_race
def create_tasks(actor: Actor, raw_items: Sequence[object]) -> TaskResults:
    """Many new tasks, in their order; one that is not valid spoils no other."""
    read = [_read(raw) for raw in raw_items]
    hold_tree(actor.organization_id)
    judged = iter(judge_items(actor, [item for item in read if isinstance(item, TaskIn)]))
    ends = [item if isinstance(item, str) else next(judged) for item in read]
    ids = iter(add_drafts(actor, [end for end in ends if isinstance(end, Draft)]))
    results = [
        TaskResult(index=index, status="created", id=next(ids))
        if isinstance(end, Draft)
        else TaskResult(index=index, status="invalid", error=_in_words(end))
        for index, end in enumerate(ends)
    ]
    db.session.commit()
    send([embed_subjects_message()])
    created = sum(result.status == "created" for result in results)
    return TaskResults(results=results, created=created, invalid=len(results) - created)


@again_after_lost_race
def update_task(actor: Actor, task_id: int, patch: TaskPatch) -> TaskOut:
    """Change what the patch names.

    Raises:
        NotFound: there is no such task outside the trash.
        Invalid: it cannot stand where the patch wants it.
    """
    given = patch.model_fields_set
    if given & {"parent_id", "project_id"}:
        hold_tree(actor.organization_id)
        if not place_task(actor, task_id, patch):
            raise NotFound
    which = select(Task).where(queries.live(actor), Task.id == task_id).with_for_update(key_share=True)
    task = db.session.scalar(which.execution_options(populate_existing=True))
    if task is None:
        raise NotFound
    _change(task, patch)
    db.session.flush()
    changed = queries.get_task(actor, task_id)
    db.session.commit()
    if given & (EMBEDDED_FIELDS | {"parent_id", "project_id"}):
        send([embed_subjects_message()])
    return changed


@again_after_lost_race
def move_task(actor: Actor, task_id: int, move: MoveIn) -> TaskOut:
    """Put a task, with its subtasks, somewhere else.

    Raises:
        NotFound: there is no such task outside the trash.
        Invalid: it cannot stand there.
    """
    hold_tree(actor.organization_id)
    if not place_task(actor, task_id, move):
        raise NotFound
    task = queries.get_task(actor, task_id)
    db.session.commit()
    if move.model_fields_set & {"parent_id", "project_id"}:
        send([embed_subjects_message()])
    return task


@again_after_lost_race
def delete_task(actor: Actor, task_id: int, *, permanent: bool) -> None:
    """To the trash, or for good (also from the trash), with its subtasks.

    Raises:
        NotFound: there is no such task.
    """
    hold_tree(actor.organization_id)
    if permanent:
        which = delete(Task).where(queries.reachable(actor), Task.id == task_id).returning(Task.id)
        gone = db.session.scalar(which, execution_options={"synchronize_session": False})
        if gone is None:
            raise NotFound
    else:
        if not read_nodes(actor, {task_id}):
            raise NotFound
        _change_subtree(task_id, Task.deleted_at.is_(None), deleted_at=utc_now())
    db.session.commit()


@again_after_lost_race
def restore_task(actor: Actor, task_id: int) -> TaskOut:
    """Out of the trash, with the subtasks that went there with it; one that is not in it comes back as it is.

    Raises:
        NotFound: there is no such task.
        Conflict: the task that it is a step of is in the trash.
    """
    hold_tree(actor.organization_id)
    row = db.session.execute(
        select(Task.parent_id, Task.deleted_at).where(queries.reachable(actor), Task.id == task_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    if row.deleted_at is not None:
        if row.parent_id is not None and row.parent_id not in read_nodes(actor, {row.parent_id}):
            raise Conflict("The task that this is a step of is in the trash: restore that first.")
        # What was thrown away before stays in the trash.
        _change_subtree(task_id, Task.deleted_at == row.deleted_at, deleted_at=None, updated_at=utc_now())
    task = queries.get_task(actor, task_id)
    db.session.commit()
    return task


def ask_for_breakdown(actor: Actor, task_id: int, wanted: BreakdownIn) -> Job:
    """A queued job that finds the steps of a task.

    Raises:
        NotFound: there is no such task outside the trash.
        Invalid: what is found is to be added, but there is no room below the task.
    """
    node = read_nodes(actor, {task_id}).get(task_id)
    if node is None:
        raise NotFound
    if wanted.apply and node.depth >= MAX_DEPTH:
        message = f"Subtasks go {MAX_DEPTH} levels deep at most: this task can have none."
        raise Invalid.field("body.apply", message, "too_deep")
    job = add_job(actor, "breakdown", {"task_id": task_id, **wanted.model_dump()})
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


def _change_subtree(task_id: int, which: ColumnElement[bool], **values: Any) -> None:
    statement = update(Task).where(Task.id.in_(select(subtree_of(task_id).c.id)), which).values(**values)
    db.session.execute(statement, execution_options={"synchronize_session": False})


def _read(raw: object) -> TaskIn | str:
    try:
        return TaskIn.model_validate_json(json.dumps(raw))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        return f"{where}: {message}" if where else message


def _in_words(fault: str | Invalid) -> str:
    if isinstance(fault, str):
        return fault
    first = fault.extra["errors"][0]
    return f"{first['field'].removeprefix('body.')}: {first['message']}"
