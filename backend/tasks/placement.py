"""Where a task is to stand, from what a request says of it, and whether it may stand there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from backend.actor import Actor
from backend.errors import Invalid
from backend.projects.service import lock_projects
from backend.tasks.models import MAX_DEPTH
from backend.tasks.schemas import MoveIn, TaskPatch
from backend.tasks.tree_store import Node, Siblings, free_place, read_nodes, read_subtree, relocate


@dataclass(frozen=True)
class Wish:
    """What a request says of a place: the fields it names, null where it says null; the tasks that are named."""

    given: Mapping[str, int | None]
    nodes: Mapping[int, Node]

    def node(self, field: str) -> Node | None:
        """The task that a field names.

        Raises:
            Invalid: there is no such task.
        """
        id_ = self.given.get(field)
        if id_ is None:
            return None
        if id_ not in self.nodes:
            raise unknown_task(field, id_)
        return self.nodes[id_]


@dataclass(frozen=True)
class Target:
    """A list to stand in, how deep it is, and which field of the request says so."""

    siblings: Siblings
    depth: int
    field: str


def place_task(actor: Actor, task_id: int, wanted: MoveIn | TaskPatch) -> bool:
    """Put a task where a request wants it, in the transaction at hand, which holds the tree; whether there is such a
    task. A patch that names the list it stands in leaves it in its place.

    Raises:
        Invalid: it cannot stand there; names the field at fault.
    """
    fields = {"before_id", "after_id", "parent_id", "project_id"} & wanted.model_fields_set
    given: dict[str, int | None] = {field: getattr(wanted, field) for field in fields}
    nodes = read_nodes(actor, {task_id, *(id_ for field, id_ in given.items() if id_ and field != "project_id")})
    node = nodes.get(task_id)
    if node is None:
        return False
    wish = Wish(given, nodes)
    after, before = wish.node("after_id"), wish.node("before_id")
    _refuse_itself(node, wish)
    target = _target(node, wish)
    if target.siblings != node.siblings:
        _refuse_project(actor, node, target, wish)
        _refuse_depth_and_cycle(node, target)
    elif isinstance(wanted, TaskPatch):
        return True
    position = free_place(target.siblings, node.id, after, before)
    relocate(node, target.siblings, target.depth, position)
    return True


def unknown_task(field: str, task_id: int) -> Invalid:
    """The refusal of an id that is no task's."""
    return Invalid.field(f"body.{field}", f"There is no task {task_id}.", "unknown_task")


def unknown_project(project_id: int) -> Invalid:
    """The refusal of an id that is no project's."""
    return Invalid.field("body.project_id", f"There is no project {project_id}.", "unknown_project")


def too_deep(field: str) -> Invalid:
    """The refusal of a sixth level."""
    return Invalid.field(f"body.{field}", f"Subtasks go {MAX_DEPTH} levels deep at most.", "too_deep")


def other_project() -> Invalid:
    """The refusal of a subtask in another project than its parent's."""
    return Invalid.field("body.project_id", "A subtask is in the project of its parent.", "other_project")


def _target(node: Node, wish: Wish) -> Target:
    anchors = [(field, found) for field in ("after_id", "before_id") if (found := wish.node(field))]
    target = _named_list(node, wish, anchors)
    for field, anchor in anchors:
        if anchor.siblings != target.siblings:
            raise Invalid.field(f"body.{field}", f"Task {anchor.id} stands in another list.", "other_list")
    return target


def _named_list(node: Node, wish: Wish, anchors: list[tuple[str, Node]]) -> Target:
    """The list that the parent says, else a neighbour, else the project, else where the task stands."""
    parent = wish.node("parent_id")
    project_id = wish.given.get("project_id", node.siblings.project_id)
    if parent is not None:
        siblings = replace(parent.siblings, parent_id=parent.id)
        target = Target(siblings, parent.depth + 1, "parent_id")
    elif anchors and "parent_id" not in wish.given:
        field, anchor = anchors[0]
        target = Target(anchor.siblings, anchor.depth, field)
    elif "parent_id" in wish.given or project_id != node.siblings.project_id:
        if anchors and "project_id" not in wish.given:
            project_id = anchors[0][1].siblings.project_id
        target = Target(replace(node.siblings, project_id=project_id, parent_id=None), 1, "parent_id")
    else:
        target = Target(node.siblings, node.depth, "parent_id")
    if "project_id" in wish.given and wish.given["project_id"] != target.siblings.project_id:
        raise other_project()
    return target


def _refuse_itself(node: Node, wish: Wish) -> None:
    for field in ("before_id", "after_id"):
        if wish.given.get(field) == node.id:
            raise Invalid.field(f"body.{field}", "A task cannot stand beside itself.", "itself")


def _refuse_project(actor: Actor, node: Node, target: Target, wish: Wish) -> None:
    project_id = target.siblings.project_id
    is_new = project_id is not None and project_id != node.siblings.project_id
    # A task that stands there already, parent or neighbour, has shown that the project is there.
    is_shown = any(wish.given.get(field) is not None for field in ("parent_id", "before_id", "after_id"))
    if project_id is not None and is_new and not is_shown and project_id not in lock_projects(actor, [project_id]):
        raise unknown_project(project_id)


def _refuse_depth_and_cycle(node: Node, target: Target) -> None:
    below = read_subtree(node)
    if target.siblings.parent_id in below.ids:
        raise Invalid.field(f"body.{target.field}", "A task cannot be a part of itself.", "cycle")
    if target.depth + below.deepest - node.depth > MAX_DEPTH:
        raise too_deep(target.field)
