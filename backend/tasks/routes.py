"""/tasks."""

from __future__ import annotations

from flask import Blueprint, url_for

from backend.actor import Actor
from backend.http.operations import cost_of_many, operation
from backend.jobs.schemas import JobOut
from backend.tasks import queries, service
from backend.tasks.schemas import (
    BreakdownIn,
    MoveIn,
    TaskDeletionQuery,
    TaskIn,
    TaskListQuery,
    TaskOut,
    TaskPage,
    TaskPatch,
    TaskResults,
    TasksIn,
)

blueprint = Blueprint("tasks", __name__, url_prefix="/tasks")


def cost_of_items(json: TasksIn) -> int:
    """How many requests a bulk counts as."""
    return cost_of_many(len(json.items))


@blueprint.get("")
@operation(scope="tasks:read", limit="list", tag="tasks", responses={200: TaskPage}, cache="list")
def list_tasks(actor: Actor, query: TaskListQuery) -> TaskPage:
    """List tasks."""
    return queries.list_tasks(actor, query)


@blueprint.post("")
@operation(scope="tasks:write", limit="write", tag="tasks", responses={201: TaskOut, 409: None}, changes="lists")
def create_task(actor: Actor, json: TaskIn) -> tuple[TaskOut, int, dict[str, str]]:
    """Add a task, the last of its list."""
    task = service.create_task(actor, json)
    return task, 201, {"Location": url_for("tasks.read_task", task_id=task.id)}


@blueprint.post("/bulk")
@operation(
    scope="tasks:write",
    limit="write",
    tag="tasks",
    responses={200: TaskResults, 409: None},
    cost=cost_of_items,
    changes="lists",
)
def create_tasks(actor: Actor, json: TasksIn) -> TaskResults:
    """Add up to 500 tasks; one bad item spoils no other."""
    return service.create_tasks(actor, json.items)


@blueprint.get("/<id:task_id>")
@operation(scope="tasks:read", limit="read", tag="tasks", responses={200: TaskOut}, cache="task")
def read_task(actor: Actor, task_id: int) -> TaskOut:
    """Read one task."""
    return queries.get_task(actor, task_id)


@blueprint.patch("/<id:task_id>")
@operation(scope="tasks:write", limit="write", tag="tasks", responses={200: TaskOut, 409: None}, changes="lists")
def update_task(actor: Actor, task_id: int, json: TaskPatch) -> TaskOut:
    """Change a task."""
    return service.update_task(actor, task_id, json)


@blueprint.delete("/<id:task_id>")
@operation(scope="tasks:write", limit="write", tag="tasks", responses={204: None}, changes="lists")
def delete_task(actor: Actor, task_id: int, query: TaskDeletionQuery) -> tuple[str, int]:
    """Move a task with its subtasks to the trash, or delete them for good."""
    service.delete_task(actor, task_id, permanent=query.permanent)
    return "", 204


@blueprint.post("/<id:task_id>/restore")
@operation(scope="tasks:write", limit="write", tag="tasks", responses={200: TaskOut, 409: None}, changes="lists")
def restore_task(actor: Actor, task_id: int) -> TaskOut:
    """Take a task out of the trash, with the subtasks that went there with it."""
    return service.restore_task(actor, task_id)


@blueprint.post("/<id:task_id>/move")
@operation(scope="tasks:write", limit="write", tag="tasks", responses={200: TaskOut, 409: None}, changes="lists")
def move_task(actor: Actor, task_id: int, json: MoveIn) -> TaskOut:
    """Put a task with its subtasks somewhere else."""
    return service.move_task(actor, task_id, json)


@blueprint.post("/<id:task_id>/breakdown")
@operation(scope="tasks:write", limit="llm", tag="tasks", responses={202: JobOut}, changes="lists")
def break_task_down(actor: Actor, task_id: int, json: BreakdownIn) -> tuple[JobOut, int, dict[str, str]]:
    """Find the steps of a task, and add them if asked."""
    job = service.request_breakdown(actor, task_id, json)
    return JobOut.of(job), 202, {"Location": url_for("jobs.read_job", job_id=job.id)}
