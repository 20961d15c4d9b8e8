"""Tree store: reads and updates positions and levels of tasks. Writers hold the tree's lock first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ARRAY, CTE, BigInteger, ColumnElement, Row, any_, case, func, literal, select, text, update
from sqlalchemy.orm import aliased

from backend.actor import Actor
from backend.clock import utc_now
from backend.extensions import db
from backend.tasks.models import Task
from backend.tasks.positions import GAP, position_between
from backend.tasks.queries import not_trashed

# One advisory lock for each organization: concurrent changes of its tree neither dead-lock nor miss each other. It is
# held for some milliseconds.
LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('tasks', :organization_id))")
RENUMBER = text("""
    UPDATE tasks t SET position = renumbered.number * :gap
      FROM (SELECT id, row_number() OVER (ORDER BY position) AS number FROM tasks
             WHERE organization_id = :organization_id
               AND project_key = :project_key AND parent_key = :parent_key) AS renumbered
     WHERE t.id = renumbered.id
    RETURNING t.id, t.position
""")
LAST_POSITIONS = text("""
    SELECT list.project_key, list.parent_key,
           (SELECT max(t.position) FROM tasks t
             WHERE t.organization_id = :organization_id
               AND t.project_key = list.project_key AND t.parent_key = list.parent_key) AS last
      FROM unnest(CAST(:project_keys AS bigint[]), CAST(:parent_keys AS bigint[])) AS list(project_key, parent_key)
""")


@dataclass(frozen=True)
class Siblings:
    """A list of siblings: tasks with the same parent, or the top-level tasks of a project or of no project."""

    organization_id: int
    project_id: int | None
    parent_id: int | None

    @property
    def keys(self) -> tuple[int, int]:
        """The values of `project_key` and `parent_key` of these tasks."""
        return self.project_id or 0, self.parent_id or 0

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return conditions on Task that match the siblings, including those in the trash."""
        project_key, parent_key = self.keys
        return [
            Task.organization_id == self.organization_id,
            Task.project_key == project_key,
            Task.parent_key == parent_key,
        ]


@dataclass(frozen=True)
class Node:
    """A task's node in the tree."""

    id: int
    siblings: Siblings
    depth: int
    position: int


@dataclass(frozen=True)
class Subtree:
    """Ids of a task and its descendants, including those in the trash, and the depth of the deepest."""

    ids: frozenset[int]
    deepest: int


def lock_tree(organization_id: int) -> None:
    """Lock the organization's tree until the end of the transaction.

    Call it before the first read: rows read before the lock may be stale.
    """
    db.session.execute(LOCK, {"organization_id": organization_id})


def subtree_of(task_id: int) -> CTE:
    """Select a task and its descendants, including those in the trash: `id` and `depth`. Terminates, since the tree has
    no cycles."""
    child = aliased(Task)
    subtree = select(Task.id, Task.depth).where(Task.id == task_id).cte("subtree", recursive=True)
    return subtree.union_all(select(child.id, child.depth).join(subtree, child.parent_id == subtree.c.id))


def read_nodes(actor: Actor, ids: Collection[int]) -> dict[int, Node]:
    """Return the nodes of the tasks that the actor may use. One statement, none without ids."""
    if not ids:
        return {}
    columns = (Task.id, Task.project_id, Task.parent_id, Task.depth, Task.position)
    rows = db.session.execute(
        select(*columns).where(not_trashed(actor), Task.id == any_(literal(sorted(ids), ARRAY(BigInteger))))
    )
    return {row.id: _node(actor, cast("Row[Any]", row)) for row in rows}


def read_subtree(node: Node) -> Subtree:
    """Return a task's subtree. One statement."""
    below = subtree_of(node.id)
    row = db.session.execute(select(func.array_agg(below.c.id).label("ids"), func.max(below.c.depth).label("deepest")))
    ids, deepest = row.one()
    return Subtree(frozenset(ids), deepest)


def last_positions(lists: Iterable[Siblings]) -> dict[Siblings, int | None]:
    """Return the last position in each list of one organization, None for an empty one. One statement."""
    by_keys = {siblings.keys: siblings for siblings in lists}
    if not by_keys:
        return {}
    values = {
        "organization_id": next(iter(by_keys.values())).organization_id,
        "project_keys": [project_key for project_key, _ in by_keys],
        "parent_keys": [parent_key for _, parent_key in by_keys],
    }
    return {by_keys[row.project_key, row.parent_key]: row.last for row in db.session.execute(LAST_POSITIONS, values)}


def free_position(target: Siblings, moved: int, after: Node | None, before: Node | None) -> int:
    """Return a free position right after or right before a sibling, else at the end.

    Renumbers the list where there is no gap: two statements, else one.
    """
    neighbours = _neighbours(target, moved, after, before)
    position = position_between(*neighbours)
    if position is None:
        positions = _renumber(target)
        positions.pop(moved, None)
        position = position_between(*_neighbours_among(positions, after, before))
        assert position is not None
    return position


def move_subtree(node: Node, target: Siblings, depth: int, position: int) -> None:
    """Move a task with its subtree into a list. One statement."""
    is_moved = Task.id == node.id
    if target == node.siblings:
        statement = update(Task).where(is_moved).values(position=position, updated_at=utc_now())
    else:
        moves_project = Task.project_id.is_distinct_from(target.project_id)
        statement = update(Task).where(Task.id.in_(select(subtree_of(node.id).c.id)))
        statement = statement.values(
            parent_id=case((is_moved, target.parent_id), else_=Task.parent_id),
            position=case((is_moved, position), else_=Task.position),
            project_id=target.project_id,
            depth=Task.depth + (depth - node.depth),
            updated_at=utc_now(),
            # Task embeddings include the technologies of the project.
            embedding_due_at=case((moves_project, func.now()), else_=Task.embedding_due_at),
        )
    db.session.execute(statement, execution_options={"synchronize_session": False})


def _node(actor: Actor, row: Row[Any]) -> Node:
    siblings = Siblings(actor.organization_id, row.project_id, row.parent_id)
    return Node(row.id, siblings, row.depth, row.position)


def _neighbours(target: Siblings, moved: int, after: Node | None, before: Node | None) -> tuple[int | None, int | None]:
    """Return the positions between which the task is to stand. One statement."""
    others = [*target.conditions(), Task.id != moved]
    if after is not None:
        following = select(func.min(Task.position)).where(*others, Task.position > after.position)
        return after.position, db.session.scalar(following)
    leading = select(func.max(Task.position)).where(*others)
    if before is not None:
        return db.session.scalar(leading.where(Task.position < before.position)), before.position
    return db.session.scalar(leading), None


def _neighbours_among(
    positions: Mapping[int, int], after: Node | None, before: Node | None
) -> tuple[int | None, int | None]:
    """Return the same, given the positions of all other siblings by id."""
    order: Sequence[int] = sorted(positions.values())
    if after is not None:
        at = positions[after.id]
        return at, next((position for position in order if position > at), None)
    if before is not None:
        at = positions[before.id]
        return max((position for position in order if position < at), default=None), at
    return (order[-1] if order else None), None


def _renumber(target: Siblings) -> dict[int, int]:
    project_key, parent_key = target.keys
    values = {
        "organization_id": target.organization_id, "project_key": project_key, "parent_key": parent_key, "gap": GAP,
    }  # fmt: skip
    return {row.id: row.position for row in db.session.execute(RENUMBER, values)}
