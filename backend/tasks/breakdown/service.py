"""Breaking a task down: engines that find its steps, and the one place that adds them to its subtasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from loguru import logger
from sqlalchemy import select

from backend.actor import Actor
from backend.ai.llm.faults import LlmFault
from backend.ai.llm.service import language_model
from backend.errors import NotFound
from backend.extensions import db
from backend.tasks import queries
from backend.tasks.breakdown.how_to_pages import find_howto
from backend.tasks.breakdown.llm_steps import earlier_suggestion, suggest_steps, text_digest
from backend.tasks.breakdown.outline import Subtask, outline_task, title_key
from backend.tasks.bulk_create import add_drafts, below
from backend.tasks.models import MAX_DEPTH, Task
from backend.tasks.schemas import LONGEST_TITLE, Engine, TaskIn, TaskOut
from backend.tasks.tree_store import hold_tree, read_nodes

NOTHING_FOUND = "The task names no steps of its own, and no captured page was found that says how it is done."
NOTHING_SUGGESTED = "The language model sees nothing to break down here."
NO_MODEL = "No language model is set, neither your own nor the server's. The engine outline works without one."


@dataclass(frozen=True)
class Wanted:
    """What was asked for: which task, by which engine, at most how many steps, and whether to add them."""

    task_id: int
    engine: Engine
    max_subtasks: int
    apply: bool


@dataclass(frozen=True)
class Source:
    """Where steps come from: the task's own text, the page of a bookmark, or a language model that was asked about a
    text with this digest."""

    kind: str
    bookmark_id: int | None = None
    model: str | None = None
    text_digest: str | None = None


@dataclass(frozen=True)
class Breakdown:
    """What an engine found; without a source nothing, for a reason in words. `fallback` is why auto passed over the
    engine that it would rather have asked."""

    engine: str
    subtasks: list[Subtask]
    source: Source | None = None
    reason: str | None = None
    fallback: str | None = None

    def as_result(self) -> dict[str, Any]:
        """The result of the job, as the contract has it, before anything is added."""
        source = (
            {name: value for name, value in asdict(self.source).items() if value is not None} if self.source else None
        )
        subtasks = [{**asdict(subtask), "bookmark_ids": list(subtask.bookmark_ids)} for subtask in self.subtasks]
        return {
            "engine": self.engine, "subtasks": subtasks, "created_ids": [], "source": source, "reason": self.reason,
            "fallback": self.fallback,
        }  # fmt: skip

    @classmethod
    def from_result(cls, result: dict[str, Any]) -> Breakdown:
        """What an earlier job found."""
        subtasks = [Subtask(**{**one, "bookmark_ids": tuple(one["bookmark_ids"])}) for one in result["subtasks"]]
        return cls(result["engine"], subtasks, Source(**result["source"]))


class EngineUnavailable(Exception):
    """This engine cannot work here, for a reason that the person can read."""


def break_down(actor: Actor, wanted: Wanted, beat: Callable[[], None]) -> Breakdown:
    """The steps of a task, by an engine. Auto takes what the task says itself, else asks a language model, else looks
    for a page that says how it is done.

    `beat` is called before and while a language model is asked; what it raises breaks off. Commits in that case.

    Raises:
        NotFound: there is no such task outside the trash.
        EngineUnavailable: the engine cannot work here.
    """
    task = queries.get_task(actor, wanted.task_id)
    if wanted.engine == "llm":
        return _by_language_model(actor, task, wanted, beat)
    own = outline_task(task.title, task.description, wanted.max_subtasks)
    if own is not None:
        return Breakdown("outline", own, Source("text"))
    if wanted.engine == "outline":
        return _by_page(actor, task, wanted.max_subtasks)
    try:
        return _by_language_model(actor, task, wanted, beat)
    except EngineUnavailable as fault:
        logger.info("breakdown without a language model: {}", fault)
        return replace(_by_page(actor, task, wanted.max_subtasks), fallback=str(fault))


def add_steps(actor: Actor, wanted: Wanted, found: Breakdown) -> tuple[Breakdown, list[int]]:
    """Add what was found to the subtasks of its task, in the transaction at hand: what was added, the ids of what is
    new.

    What has a subtask of that title already is not added again, be that done or in the trash. A language model says
    the same in other words each time it is asked: what it said last of this task, to whomever, is what is added.

    Raises:
        NotFound: there is no such task outside the trash, or it stands too deep by now.
    """
    hold_tree(actor.organization_id)
    node = read_nodes(actor, {wanted.task_id}).get(wanted.task_id)
    if node is None or node.depth >= MAX_DEPTH:
        raise NotFound
    if found.engine == "llm":
        found = _suggested_before(actor, wanted) or found
    known = set(db.session.scalars(select(Task.title).where(Task.parent_id == wanted.task_id)))
    drafts = below(node, _unknown(found.subtasks, {title_key(title) for title in known}))
    return found, add_drafts(actor, drafts)


def _unknown(steps: Sequence[Subtask], known: set[str]) -> Iterable[TaskIn]:
    for step in steps:
        title = step.title[:LONGEST_TITLE]
        if title_key(title) not in known:
            yield TaskIn(title=title, description=step.description)


def _by_page(actor: Actor, task: TaskOut, most: int) -> Breakdown:
    howto = find_howto(actor, task.title, most)
    if howto is not None:
        return Breakdown("outline", howto.steps, Source("page", howto.bookmark_id))
    return Breakdown("outline", [], reason=NOTHING_FOUND)


def _by_language_model(actor: Actor, task: TaskOut, wanted: Wanted, beat: Callable[[], None]) -> Breakdown:
    earlier = _suggested_before(actor, wanted) if wanted.apply else None
    if earlier is not None:
        return earlier
    try:
        model = language_model(actor.user_id)
        if model is None:
            raise EngineUnavailable(NO_MODEL)
        beat()
        steps = suggest_steps(model, actor, task, wanted.max_subtasks, beat)
    except LlmFault as fault:
        raise EngineUnavailable(fault.reason) from None
    source = Source("model", model=model.name, text_digest=text_digest(task.title, task.description))
    return Breakdown("llm", steps, source, reason=None if steps else NOTHING_SUGGESTED)


def _suggested_before(actor: Actor, wanted: Wanted) -> Breakdown | None:
    result = earlier_suggestion(actor, wanted.task_id, wanted.max_subtasks)
    return Breakdown.from_result(result) if result else None
