"""Placement: resolves where a request moves a task, and checks that it may stand there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from backend.actor import Actor
from backend.errors import Invalid
from backend.projects.service import lock_projects
from backend.tasks.models import MAX_DEPTH
from backend.tasks.schemas import MoveIn, TaskPatch
from backend.tasks.tree_store import Node, Siblings, free_position, move_subtree, read_nodes, read_subtree


@dataclass(frozen=True)
class PlacementRequest:
    """The position fields of a request, null where it says null, and the nodes of the tasks that they name."""

    values: Mapping[str, int | None]
    nodes: Mapping[int, Node]

    def node(self, field: str) -> Node | None:
        """Return the task that a field names.

        Raises:
            Invalid: there is no such task.
        """
        id_ = self.values.get(field)
        if id_ is None:
            return None
        if id_ not in self.nodes:
            raise unknown_task(field, id_)
        return self.nodes[id_]


@dataclass(frozen=True)
class Target:
    """Target of a move: the list of siblings, its depth, and the field of the request that determines it."""

    siblings: Siblings
    depth: int
    field: str


def place_task(actor: Actor, task_id: int, body: MoveIn | TaskPatch) -> bool:
    """Move a task as a request says, in the current transaction, which holds the tree's lock; False if there is no such
    task. A patch that names the task's present list does not change its position.

    Raises:
        Invalid: the task cannot stand there; the error names the field.
    """
    fields = {"before_id", "after_id", "parent_id", "project_id"} & body.model_fields_set
    values: dict[str, int | None] = {field: getattr(body, field) for field in fields}
    nodes = read_nodes(actor, {task_id, *(id_ for field, id_ in values.items() if id_ and field != "project_id")})
    node = nodes.get(task_id)
    if node is None:
        return False
    request = PlacementRequest(values, nodes)
    after, before = request.node("after_id"), request.node("before_id")
    _refuse_itself(node, request)
    target = _target(node, request)
    if target.siblings != node.siblings:
        _refuse_project(actor, node, target, request)
        _refuse_depth_and_cycle(node, target)
    elif isinstance(body, TaskPatch):
        return True
    position = free_position(target.siblings, node.id, after, before)
    move_subtree(node, target.siblings, target.depth, position)
    return True


def unknown_task(field: str, task_id: int) -> Invalid:
    """Build the refusal of an unknown task id."""
    return Invalid.field(f"body.{field}", f"There is no task {task_id}.", "unknown_task")


def unknown_project(project_id: int) -> Invalid:
    """Build the refusal of an unknown project id."""
    return Invalid.field("body.project_id", f"There is no project {project_id}.", "unknown_project")


def too_deep(field: str) -> Invalid:
    """Build the refusal of a sixth level."""
    return Invalid.field(f"body.{field}", f"Subtasks go {MAX_DEPTH} levels deep at most.", "too_deep")


def other_project() -> Invalid:
    """Build the refusal of a subtask in another project than its parent's."""
    return Invalid.field("body.project_id", "A subtask is in the project of its parent.", "other_project")


def _target(node: Node, request: PlacementRequest) -> Target:
    anchors = [(field, sibling) for field in ("after_id", "before_id") if (sibling := request.node(field))]
    target = _named_list(node, request, anchors)
    for field, anchor in anchors:
        if anchor.siblings != target.siblings:
            raise Invalid.field(f"body.{field}", f"Task {anchor.id} stands in another list.", "other_list")
    return target


def _named_list(node: Node, request: PlacementRequest, anchors: list[tuple[str, Node]]) -> Target:
    """Resolve the target list: by parent, else by a neighbour, else by project, else the present list."""
    parent = request.node("parent_id")
    project_id = request.values.get("project_id", node.siblings.project_id)
    if parent is not None:
        siblings = replace(parent.siblings, parent_id=parent.id)
        target = Target(siblings, parent.depth + 1, "parent_id")
    elif anchors and "parent_id" not in request.values:
        field, anchor = anchors[0]
        target = Target(anchor.siblings, anchor.depth, field)
    elif "parent_id" in request.values or project_id != node.siblings.project_id:
        if anchors and "project_id" not in request.values:
            project_id = anchors[0][1].siblings.project_id
        target = Target(replace(node.siblings, project_id=project_id, parent_id=None), 1, "parent_id")
    else:
        target = Target(node.siblings, node.depth, "parent_id")
    if "project_id" in request.values and request.values["project_id"] != target.siblings.project_id:
        raise other_project()
    return target


def _refuse_itself(node: Node, request: PlacementRequest) -> None:
    for field in ("before_id", "after_id"):
        if request.values.get(field) == node.id:
            raise Invalid.field(f"body.{field}", "A task cannot stand beside itself.", "itself")


def _refuse_project(actor: Actor, node: Node, target: Target, request: PlacementRequest) -> None:
    project_id = target.siblings.project_id
    is_new = project_id is not None and project_id != node.siblings.project_id
    # A parent or neighbour in the project proves that the project exists.
    is_shown = any(request.values.get(field) is not None for field in ("parent_id", "before_id", "after_id"))
    if project_id is not None and is_new and not is_shown and project_id not in lock_projects(actor, [project_id]):
        raise unknown_project(project_id)


def _refuse_depth_and_cycle(node: Node, target: Target) -> None:
    below = read_subtree(node)
    if target.siblings.parent_id in below.ids:
        raise Invalid.field(f"body.{target.field}", "A task cannot be a part of itself.", "cycle")
    if target.depth + below.deepest - node.depth > MAX_DEPTH:
        raise too_deep(target.field)
