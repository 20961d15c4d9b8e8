"""Adding tasks, one or five hundred, in a number of statements that does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from backend.actor import Actor
from backend.clock import utc_now
from backend.errors import Invalid
from backend.extensions import db
from backend.projects.service import hold_projects
from backend.tasks.models import MAX_DEPTH, Task
from backend.tasks.placement import other_project, too_deep, unknown_project, unknown_task
from backend.tasks.positions import GAP
from backend.tasks.schemas import TaskIn
from backend.tasks.tree_store import Node, Siblings, last_places, read_nodes
from backend.text.sort_keys import searchable_text


@dataclass(frozen=True)
class Draft:
    """A task to be added, and the list it comes last in."""

    item: TaskIn
    siblings: Siblings
    depth: int


def judge_items(actor: Actor, items: Sequence[TaskIn]) -> list[Draft | Invalid]:
    """Where each is to stand, or why it cannot. Two statements at most; the transaction at hand holds the tree."""
    parents = read_nodes(actor, {item.parent_id for item in items if item.parent_id is not None})
    asked = {item.project_id for item in items if item.parent_id is None and item.project_id is not None}
    projects = hold_projects(actor, asked)
    return [_judge(actor, item, parents, projects) for item in items]


def add_drafts(actor: Actor, drafts: Sequence[Draft]) -> list[int]:
    """Add tasks at the ends of their lists, in their order; their ids. Two statements, none without drafts."""
    if not drafts:
        return []
    last = {siblings: place or 0 for siblings, place in last_places(draft.siblings for draft in drafts).items()}
    rows = []
    now = utc_now()
    for number, draft in enumerate(drafts):
        last[draft.siblings] += GAP
        # Of tasks added together each is newer than the one before it, so that lists keep their order.
        moment = now + timedelta(microseconds=number)
        rows.append(_row(actor, draft, last[draft.siblings], moment))
    statement = insert(Task).returning(Task.id, sort_by_parameter_order=True)
    # Nulls are written out, or tasks with and without a parent would go in by as many statements as they alternate.
    return list(db.session.scalars(statement, rows, execution_options={"render_nulls": True}))


def below(parent: Node, items: Iterable[TaskIn]) -> list[Draft]:
    """Drafts of subtasks of one task, which has room below it."""
    siblings = replace(parent.siblings, parent_id=parent.id)
    return [Draft(item, siblings, parent.depth + 1) for item in items]


def _judge(actor: Actor, item: TaskIn, parents: Mapping[int, Node], projects: set[int]) -> Draft | Invalid:
    if item.parent_id is None:
        if item.project_id is not None and item.project_id not in projects:
            return unknown_project(item.project_id)
        return Draft(item, Siblings(actor.organization_id, item.project_id, None), 1)
    parent = parents.get(item.parent_id)
    if parent is None:
        return unknown_task("parent_id", item.parent_id)
    if "project_id" in item.model_fields_set and item.project_id != parent.siblings.project_id:
        return other_project()
    return below(parent, [item])[0] if parent.depth < MAX_DEPTH else too_deep("parent_id")


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
