"""Where tasks stand: in which list of siblings, at which place, how deep. Whoever changes that holds the tree first."""

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
from backend.tasks.positions import GAP, between
from backend.tasks.queries import not_trashed

# One lock for each organization: no two changes of its tree wait for each other crosswise, and each sees what the one
# before it did. It is held for some milliseconds.
LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('tasks', :organization_id))")
SPREAD = text("""
    UPDATE tasks t SET position = spread.place * :gap
      FROM (SELECT id, row_number() OVER (ORDER BY position) AS place FROM tasks
             WHERE organization_id = :organization_id
               AND project_key = :project_key AND parent_key = :parent_key) AS spread
     WHERE t.id = spread.id
    RETURNING t.id, t.position
""")
LAST_PLACES = text("""
    SELECT list.project_key, list.parent_key,
           (SELECT max(t.position) FROM tasks t
             WHERE t.organization_id = :organization_id
               AND t.project_key = list.project_key AND t.parent_key = list.parent_key) AS last
      FROM unnest(CAST(:project_keys AS bigint[]), CAST(:parent_keys AS bigint[])) AS list(project_key, parent_key)
""")


@dataclass(frozen=True)
class Siblings:
    """A list of tasks: those with the same parent, or those of a project, or of none, that have no parent."""

    organization_id: int
    project_id: int | None
    parent_id: int | None

    @property
    def keys(self) -> tuple[int, int]:
        """What stands in `project_key` and `parent_key` of each of them."""
        return self.project_id or 0, self.parent_id or 0

    def are(self) -> list[ColumnElement[bool]]:
        """Whether a task is one of them, those in the trash included, as conditions on Task."""
        project_key, parent_key = self.keys
        return [
            Task.organization_id == self.organization_id,
            Task.project_key == project_key,
            Task.parent_key == parent_key,
        ]


@dataclass(frozen=True)
class Node:
    """Where a task stands."""

    id: int
    siblings: Siblings
    depth: int
    position: int


@dataclass(frozen=True)
class Subtree:
    """A task with all that is below it, what is in the trash included."""

    ids: frozenset[int]
    deepest: int


def hold_tree(organization_id: int) -> None:
    """Wait until nobody else changes where tasks of the organization stand, until the end of the transaction.

    To be held before the first of them is read: what is read before may be the past.
    """
    db.session.execute(LOCK, {"organization_id": organization_id})


def subtree_of(task_id: int) -> CTE:
    """A task with all that is below it, what is in the trash included: `id` and `depth`. Ends, since the tree has no
    cycles."""
    child = aliased(Task)
    found = select(Task.id, Task.depth).where(Task.id == task_id).cte("subtree", recursive=True)
    return found.union_all(select(child.id, child.depth).join(found, child.parent_id == found.c.id))


def read_nodes(actor: Actor, ids: Collection[int]) -> dict[int, Node]:
    """Where these tasks stand, as far as they are there for the actor. One statement, none without ids."""
    if not ids:
        return {}
    columns = (Task.id, Task.project_id, Task.parent_id, Task.depth, Task.position)
    rows = db.session.execute(
        select(*columns).where(not_trashed(actor), Task.id == any_(literal(sorted(ids), ARRAY(BigInteger))))
    )
    return {row.id: _node(actor, cast("Row[Any]", row)) for row in rows}


def read_subtree(node: Node) -> Subtree:
    """What stands below a task. One statement."""
    below = subtree_of(node.id)
    row = db.session.execute(select(func.array_agg(below.c.id).label("ids"), func.max(below.c.depth).label("deepest")))
    ids, deepest = row.one()
    return Subtree(frozenset(ids), deepest)


def last_places(lists: Iterable[Siblings]) -> dict[Siblings, int | None]:
    """The last place that is taken in each of these lists of one organization, None where none is. One statement."""
    by_keys = {siblings.keys: siblings for siblings in lists}
    if not by_keys:
        return {}
    values = {
        "organization_id": next(iter(by_keys.values())).organization_id,
        "project_keys": [project_key for project_key, _ in by_keys],
        "parent_keys": [parent_key for _, parent_key in by_keys],
    }
    return {by_keys[row.project_key, row.parent_key]: row.last for row in db.session.execute(LAST_PLACES, values)}


def free_place(target: Siblings, moved: int, after: Node | None, before: Node | None) -> int:
    """A place for a task right after or right before another one of the list, else behind the last.

    Spreads the list where there is no room: two statements, else one.
    """
    taken = _neighbours(target, moved, after, before)
    place = between(*taken)
    if place is None:
        places = _spread(target)
        places.pop(moved, None)
        place = between(*_neighbours_among(places, after, before))
        assert place is not None
    return place


def relocate(node: Node, target: Siblings, depth: int, position: int) -> None:
    """Put a task, and with it all below it, into a list. One statement."""
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
            # What a project is made with is part of what its tasks' vectors are of.
            embedding_due_at=case((moves_project, func.now()), else_=Task.embedding_due_at),
        )
    db.session.execute(statement, execution_options={"synchronize_session": False})


def _node(actor: Actor, row: Row[Any]) -> Node:
    siblings = Siblings(actor.organization_id, row.project_id, row.parent_id)
    return Node(row.id, siblings, row.depth, row.position)


def _neighbours(target: Siblings, moved: int, after: Node | None, before: Node | None) -> tuple[int | None, int | None]:
    """The places between which the task is to stand. One statement."""
    others = [*target.are(), Task.id != moved]
    if after is not None:
        following = select(func.min(Task.position)).where(*others, Task.position > after.position)
        return after.position, db.session.scalar(following)
    leading = select(func.max(Task.position)).where(*others)
    if before is not None:
        return db.session.scalar(leading.where(Task.position < before.position)), before.position
    return db.session.scalar(leading), None


def _neighbours_among(
    places: Mapping[int, int], after: Node | None, before: Node | None
) -> tuple[int | None, int | None]:
    """The same from the places of all others in the list, by id."""
    order: Sequence[int] = sorted(places.values())
    if after is not None:
        at = places[after.id]
        return at, next((place for place in order if place > at), None)
    if before is not None:
        at = places[before.id]
        return max((place for place in order if place < at), default=None), at
    return (order[-1] if order else None), None


def _spread(target: Siblings) -> dict[int, int]:
    project_key, parent_key = target.keys
    values = {
        "organization_id": target.organization_id, "project_key": project_key, "parent_key": parent_key, "gap": GAP,
    }  # fmt: skip
    return {row.id: row.position for row in db.session.execute(SPREAD, values)}
