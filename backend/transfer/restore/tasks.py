"""The tasks of an export, put back with their tree.

A task is matched by its project, its parent and its title: of several that are alike the first in the file is the
oldest one here, and so on. What is there stays as it is; what is new takes its place of the file where that is free,
else the last one of its list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, text

from backend.activity.log import record_activity
from backend.activity.types import ActivityType
from backend.actor import Actor
from backend.extensions import db
from backend.tasks.models import MAX_DEPTH, Task
from backend.tasks.positions import GAP
from backend.tasks.tree_store import Siblings, last_positions, lock_tree
from backend.text.sort_keys import searchable_text
from backend.transfer.records import SkippedLine
from backend.transfer.restore.items import ExportedTask, PlacedTask, RestoredIds, read_items

ALIKE = text("""
    SELECT t.id, t.project_id, t.parent_id, t.depth, t.title
      FROM tasks t
      JOIN unnest(CAST(:projects AS bigint[]), CAST(:parents AS bigint[]), CAST(:titles AS text[]))
           AS sought(project_key, parent_key, title) USING (project_key, parent_key, title)
     WHERE t.organization_id = :organization_id AND t.deleted_at IS NULL
     ORDER BY t.id
""")
TAKEN = text("""
    SELECT t.project_key, t.parent_key, t.position
      FROM tasks t
      JOIN unnest(CAST(:projects AS bigint[]), CAST(:parents AS bigint[]), CAST(:positions AS bigint[]))
           AS sought(project_key, parent_key, position) USING (project_key, parent_key, position)
     WHERE t.organization_id = :organization_id
""")
Numbered = tuple[int, ExportedTask]
# A task of the file, the list that it is to stand in, and how deep.
Placed = tuple[ExportedTask, Siblings, int]


def restore_tasks(actor: Actor, first: int, raw: Sequence[Any], ids: RestoredIds) -> list[SkippedLine]:
    """Match tasks or add them, in the caller's transaction, which holds the tree."""
    lock_tree(actor.organization_id)
    waiting, skipped = read_items(ExportedTask, "tasks", enumerate(raw, first))
    while waiting:
        ready = [one for one in waiting if one[1].parent_id is None or one[1].parent_id in ids.tasks]
        if not ready:
            return skipped + [_skip(number, "the task that it is a step of is missing") for number, _ in waiting]
        done = {number for number, _ in ready}
        waiting = [one for one in waiting if one[0] not in done]
        skipped += _restore_level(actor, ready, ids)
    return skipped


def _restore_level(actor: Actor, ready: Sequence[Numbered], ids: RestoredIds) -> list[SkippedLine]:
    """Restore tasks whose parents are restored."""
    placed: list[Placed] = []
    skipped: list[SkippedLine] = []
    for number, item in ready:
        place = _place(actor, item, ids)
        if isinstance(place, str):
            skipped.append(_skip(number, place))
        else:
            placed.append((item, *place))
    new = _unmatched(actor, placed, ids)
    if new:
        _add(actor, new, ids)
    return skipped


def _place(actor: Actor, item: ExportedTask, ids: RestoredIds) -> tuple[Siblings, int] | str:
    """Find the list of a task and its depth, or why there is none."""
    if item.parent_id is not None:
        parent = ids.tasks[item.parent_id]
        siblings = Siblings(actor.organization_id, parent.project_id, parent.id)
        return (siblings, parent.depth + 1) if parent.depth < MAX_DEPTH else f"subtasks go {MAX_DEPTH} levels deep"
    if item.project_id is not None and item.project_id not in ids.projects:
        return f"the file has no project {item.project_id}"
    project_id = None if item.project_id is None else ids.projects[item.project_id]
    return Siblings(actor.organization_id, project_id, None), 1


def _unmatched(actor: Actor, placed: Sequence[Placed], ids: RestoredIds) -> list[Placed]:
    """Match what is there; the rest. One statement."""
    here = _alike(actor, placed, ids)
    new = []
    for item, siblings, depth in placed:
        alike = here.get((*siblings.keys, item.title))
        if alike:
            _match(ids, item, alike.pop(0))
        else:
            new.append((item, siblings, depth))
    return new


def _alike(actor: Actor, placed: Sequence[Placed], ids: RestoredIds) -> dict[tuple[int, int, str], list[PlacedTask]]:
    sought = {(*siblings.keys, item.title) for item, siblings, _ in placed}
    values = {
        "organization_id": actor.organization_id,
        "projects": [project for project, _, _ in sought],
        "parents": [parent for _, parent, _ in sought],
        "titles": [title for _, _, title in sought],
    }
    found: dict[tuple[int, int, str], list[PlacedTask]] = {}
    for row in db.session.execute(ALIKE, values):
        if row.id not in ids.taken_tasks:
            found.setdefault((row.project_id or 0, row.parent_id or 0, row.title), []).append(
                PlacedTask(row.id, row.project_id, row.depth)
            )
    return found


def _match(ids: RestoredIds, item: ExportedTask, task: PlacedTask) -> None:
    ids.tasks[item.id] = task
    ids.taken_tasks.add(task.id)


def _add(actor: Actor, new: Sequence[Placed], ids: RestoredIds) -> None:
    """Add tasks: three statements."""
    positions = _positions(actor, new)
    rows = [_row(actor, one, position) for one, position in zip(new, positions, strict=True)]
    statement = insert(Task).returning(
        Task.id, Task.project_id, Task.depth, sort_by_parameter_order=True
    )  # Nulls are written out, so that it is one statement.
    made = db.session.execute(statement, rows, execution_options={"render_nulls": True}).all()
    for (item, _, _), row in zip(new, made, strict=True):
        _match(ids, item, PlacedTask(row.id, row.project_id, row.depth))
    record_activity(actor, ActivityType.TASK_CREATED, count=len(new), imported=True)


def _positions(actor: Actor, new: Sequence[Placed]) -> list[int]:
    """Find a free place for each: its own of the file, else behind all others of its list. Two statements."""
    taken = _taken(actor, new)
    last = {siblings: place or 0 for siblings, place in last_positions(siblings for _, siblings, _ in new).items()}
    for item, siblings, _ in new:
        last[siblings] = max(last[siblings], item.position)
    found = []
    for item, siblings, _ in new:
        position = item.position
        if (*siblings.keys, position) in taken:
            position = last[siblings] = last[siblings] + GAP
        taken.add((*siblings.keys, position))
        found.append(position)
    return found


def _taken(actor: Actor, new: Sequence[Placed]) -> set[tuple[int, int, int]]:
    """Find which of their places are taken: one statement."""
    own = [(*siblings.keys, item.position) for item, siblings, _ in new]
    values = {
        "organization_id": actor.organization_id,
        "projects": [project for project, _, _ in own],
        "parents": [parent for _, parent, _ in own],
        "positions": [position for _, _, position in own],
    }
    return {(row.project_key, row.parent_key, row.position) for row in db.session.execute(TAKEN, values)}


def _row(actor: Actor, placed: Placed, position: int) -> dict[str, Any]:
    item, siblings, depth = placed
    return {
        **item.model_dump(include={"title", "description", "status", "priority", "due_at", "created_at", "updated_at"}),
        "organization_id": actor.organization_id,
        "user_id": actor.user_id,
        "project_id": siblings.project_id,
        "parent_id": siblings.parent_id,
        "words": searchable_text(item.title, item.description),
        "completed_at": (item.completed_at or item.updated_at) if item.status == "done" else None,
        "depth": depth,
        "position": position,
    }


def _skip(number: int, reason: str) -> SkippedLine:
    return SkippedLine(number, "", f"tasks: {reason}")
