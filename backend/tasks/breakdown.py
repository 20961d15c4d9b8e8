"""Breaking a task down: engines that find its steps, and the one place that adds them to its subtasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from loguru import logger
from sqlalchemy import select

from backend.actor import Actor
from backend.errors import NotFound
from backend.extensions import db
from backend.tasks import queries
from backend.tasks.adding import add_drafts, below
from backend.tasks.howtos import find_howto
from backend.tasks.models import MAX_DEPTH, Task
from backend.tasks.outline import Subtask, outline_task, title_key
from backend.tasks.schemas import LONGEST_TITLE, TaskIn, TaskOut
from backend.tasks.tree import hold_tree, read_nodes

NOTHING_FOUND = "The task names no steps of its own, and no captured page was found that says how it is done."
NO_MODEL = "No language model is available for this. The engine outline works without one."


@dataclass(frozen=True)
class Source:
    """Where steps come from: the task's own text, or the page of a bookmark."""

    kind: str
    bookmark_id: int | None = None


@dataclass(frozen=True)
class Breakdown:
    """What an engine found; without a source nothing, for a reason in words."""

    engine: str
    subtasks: list[Subtask]
    source: Source | None = None
    reason: str | None = None

    def as_result(self) -> dict[str, Any]:
        """The result of the job, as the contract has it, before anything is added."""
        source = (
            {name: value for name, value in asdict(self.source).items() if value is not None} if self.source else None
        )
        subtasks = [asdict(subtask) for subtask in self.subtasks]
        return {
            "engine": self.engine, "subtasks": subtasks, "created_ids": [], "source": source, "reason": self.reason,
        }  # fmt: skip


class EngineUnavailable(Exception):
    """This engine cannot work here, for a reason that the person can read."""


def break_down(actor: Actor, task_id: int, engine: str, most: int) -> Breakdown:
    """At most so many steps of a task, by an engine or, with auto, by the best one that works here.

    Raises:
        NotFound: there is no such task outside the trash.
        EngineUnavailable: the engine cannot work here.
    """
    task = queries.get_task(actor, task_id)
    *better, last = AUTO if engine == "auto" else [engine]
    for name in better:
        try:
            return ENGINES[name](actor, task, most)
        except EngineUnavailable as fault:
            logger.info("breakdown without {}: {}", name, fault)
    return ENGINES[last](actor, task, most)


def add_steps(actor: Actor, task_id: int, steps: Sequence[Subtask]) -> list[int]:
    """Add steps to the subtasks of a task, in the transaction at hand; the ids of those that are new.

    What has a subtask of that title already is not added again, be that done or in the trash.

    Raises:
        NotFound: there is no such task outside the trash, or it stands too deep by now.
    """
    hold_tree(actor.organization_id)
    node = read_nodes(actor, {task_id}).get(task_id)
    if node is None or node.depth >= MAX_DEPTH:
        raise NotFound
    known = {title_key(title) for title in db.session.scalars(select(Task.title).where(Task.parent_id == task_id))}
    return add_drafts(actor, below(node, _unknown(steps, known)))


def _unknown(steps: Sequence[Subtask], known: set[str]) -> Iterable[TaskIn]:
    for step in steps:
        title = step.title[:LONGEST_TITLE]
        if title_key(title) not in known:
            yield TaskIn(title=title, description=step.description)


def _by_outline(actor: Actor, task: TaskOut, most: int) -> Breakdown:
    own = outline_task(task.title, task.description, most)
    if own is not None:
        return Breakdown("outline", own, Source("text"))
    howto = find_howto(actor, task.title, most)
    if howto is not None:
        return Breakdown("outline", howto.steps, Source("page", howto.bookmark_id))
    return Breakdown("outline", [], reason=NOTHING_FOUND)


def _by_language_model(actor: Actor, task: TaskOut, most: int) -> Breakdown:
    raise EngineUnavailable(NO_MODEL)


ENGINES: Mapping[str, Callable[[Actor, TaskOut, int], Breakdown]] = {
    "outline": _by_outline,
    "llm": _by_language_model,
}
# The engines that auto tries, the best first; the last one always works.
AUTO = ["llm", "outline"]
