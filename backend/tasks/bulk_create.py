"""Bulk creation: validates and inserts tasks in a number of statements that does not depend on theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from backend.activity.log import record_activity
from backend.activity.types import ActivityType
from backend.actor import Actor
from backend.clock import utc_now
from backend.errors import Invalid
from backend.extensions import db
from backend.projects.service import lock_projects
from backend.tasks.models import MAX_DEPTH, Task
from backend.tasks.placement import other_project, too_deep, unknown_project, unknown_task
from backend.tasks.positions import GAP
from backend.tasks.schemas import TaskIn
from backend.tasks.tree_store import Node, Siblings, last_positions, read_nodes
from backend.text.sort_keys import searchable_text


@dataclass(frozen=True)
class Draft:
    """A valid new task and the list of siblings that it is appended to."""

    item: TaskIn
    siblings: Siblings
    depth: int


def validate_items(actor: Actor, items: Sequence[TaskIn]) -> list[Draft | Invalid]:
    """Validate new tasks: a draft or the refusal of each. Two statements at most; the caller holds the tree's lock."""
    parents = read_nodes(actor, {item.parent_id for item in items if item.parent_id is not None})
    project_ids = {item.project_id for item in items if item.parent_id is None and item.project_id is not None}
    projects = lock_projects(actor, project_ids)
    return [_validate(actor, item, parents, projects) for item in items]


def add_drafts(actor: Actor, drafts: Sequence[Draft]) -> list[int]:
    """Insert drafts at the ends of their lists, in order, and return their ids. Two statements, none without drafts."""
    if not drafts:
        return []
    last = {
        siblings: position or 0 for siblings, position in last_positions(draft.siblings for draft in drafts).items()
    }
    rows = []
    now = utc_now()
    for number, draft in enumerate(drafts):
        last[draft.siblings] += GAP
        # Distinct times keep the order of a bulk in lists sorted by creation.
        moment = now + timedelta(microseconds=number)
        rows.append(_row(actor, draft, last[draft.siblings], moment))
    statement = insert(Task).returning(Task.id, sort_by_parameter_order=True)
    # Without explicit nulls, rows with and without a parent would need one statement at each alternation.
    return list(db.session.scalars(statement, rows, execution_options={"render_nulls": True}))


def record_added(actor: Actor, items: Sequence[TaskIn], task_id: int | None = None) -> None:
    """Record new tasks as one event, and those that are done already as another; `task_id` names a single one."""
    done = sum(item.status == "done" for item in items)
    for kind, number in ((ActivityType.TASK_CREATED, len(items)), (ActivityType.TASK_COMPLETED, done)):
        if number:
            record_activity(actor, kind, task_id, count=number if task_id is None else None)


def subtask_drafts(parent: Node, items: Iterable[TaskIn]) -> list[Draft]:
    """Build drafts of subtasks; the caller has checked the depth."""
    siblings = replace(parent.siblings, parent_id=parent.id)
    return [Draft(item, siblings, parent.depth + 1) for item in items]


def _validate(actor: Actor, item: TaskIn, parents: Mapping[int, Node], projects: set[int]) -> Draft | Invalid:
    if item.parent_id is None:
        if item.project_id is not None and item.project_id not in projects:
            return unknown_project(item.project_id)
        return Draft(item, Siblings(actor.organization_id, item.project_id, None), 1)
    parent = parents.get(item.parent_id)
    if parent is None:
        return unknown_task("parent_id", item.parent_id)
    if "project_id" in item.model_fields_set and item.project_id != parent.siblings.project_id:
        return other_project()
    return subtask_drafts(parent, [item])[0] if parent.depth < MAX_DEPTH else too_deep("parent_id")


def _row(actor: Actor, draft: Draft, position: int, moment: datetime) -> dict[str, Any]:
    item = draft.item
    return {
        "organization_id": actor.organization_id,
        "project_id": draft.siblings.project_id,
        "parent_id": draft.siblings.parent_id,
        "user_id": actor.user_id,
        "title": item.title,
        "description": item.description,
        "words": searchable_text(item.title, item.description),
        "status": item.status,
        "priority": item.priority,
        "due_at": item.due_at,
        "completed_at": moment if item.status == "done" else None,
        "depth": draft.depth,
        "position": position,
        "created_at": moment,
        "updated_at": moment,
    }
