"""Breakdowns: engines that find the steps of a task, and the function that adds them as subtasks."""

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
from backend.tasks.breakdown.how_to_pages import find_how_to_page
from backend.tasks.breakdown.llm_steps import latest_suggestion, suggest_steps, text_digest
from backend.tasks.breakdown.outline import Subtask, outline_task, title_key
from backend.tasks.bulk_create import add_drafts, record_added, subtask_drafts
from backend.tasks.models import MAX_DEPTH, Task
from backend.tasks.schemas import LONGEST_TITLE, Engine, TaskIn, TaskOut
from backend.tasks.tree_store import lock_tree, read_nodes

NOTHING_FOUND = "The task names no steps of its own, and no captured page was found that says how it is done."
NOTHING_SUGGESTED = "The language model sees nothing to break down here."
NO_MODEL = "No language model is set, neither your own nor the server's. The engine outline works without one."


@dataclass(frozen=True)
class BreakdownRequest:
    """A breakdown request: the task, the engine, the maximum number of steps, and whether to add them."""

    task_id: int
    engine: Engine
    max_subtasks: int
    apply: bool


@dataclass(frozen=True)
class Source:
    """Source of steps: the task's own text, the page of a bookmark, or a language model with a digest of the text it
    saw."""

    kind: str
    bookmark_id: int | None = None
    model: str | None = None
    text_digest: str | None = None


@dataclass(frozen=True)
class Breakdown:
    """Result of an engine; without steps, the reason. `fallback` is why `auto` skipped its preferred engine."""

    engine: str
    subtasks: list[Subtask]
    source: Source | None = None
    reason: str | None = None
    fallback: str | None = None

    def as_result(self) -> dict[str, Any]:
        """Return the result of the job in the shape of the API, before anything is added."""
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
        """Rebuild the breakdown of an earlier job."""
        subtasks = [Subtask(**{**step, "bookmark_ids": tuple(step["bookmark_ids"])}) for step in result["subtasks"]]
        return cls(result["engine"], subtasks, Source(**result["source"]))


class EngineUnavailable(Exception):
    """The engine cannot work here; the message is a sentence for the person."""


def break_down(actor: Actor, request: BreakdownRequest, beat: Callable[[], None]) -> Breakdown:
    """Find the steps of a task. `auto` reads the task's own text, else asks a language model, else looks for a how-to
    page.

    `beat` is called before and during a call of a language model; an exception from it aborts. Commits in that case.

    Raises:
        NotFound: there is no such task outside the trash.
        EngineUnavailable: the engine cannot work here.
    """
    task = queries.get_task(actor, request.task_id)
    if request.engine == "llm":
        return _by_language_model(actor, task, request, beat)
    own = outline_task(task.title, task.description, request.max_subtasks)
    if own is not None:
        return Breakdown("outline", own, Source("text"))
    if request.engine == "outline":
        return _by_page(actor, task, request.max_subtasks)
    try:
        return _by_language_model(actor, task, request, beat)
    except EngineUnavailable as fault:
        logger.info("breakdown without a language model: {}", fault)
        return replace(_by_page(actor, task, request.max_subtasks), fallback=str(fault))


def add_steps(actor: Actor, request: BreakdownRequest, breakdown: Breakdown) -> tuple[Breakdown, list[int]]:
    """Add the steps of a breakdown as subtasks in the current transaction; return what was added, and the new ids.

    A step whose title a subtask has already, even a done or trashed one, is not added again. A language model words its
    answer differently each time, so its latest suggestion for the task is the one that is added.

    Raises:
        NotFound: there is no such task outside the trash, or it is too deep for subtasks.
    """
    lock_tree(actor.organization_id)
    node = read_nodes(actor, {request.task_id}).get(request.task_id)
    if node is None or node.depth >= MAX_DEPTH:
        raise NotFound
    if breakdown.engine == "llm":
        breakdown = _suggested_before(actor, request) or breakdown
    titles = set(db.session.scalars(select(Task.title).where(Task.parent_id == request.task_id)))
    drafts = subtask_drafts(node, _unknown(breakdown.subtasks, {title_key(title) for title in titles}))
    record_added(actor, [draft.item for draft in drafts])
    return breakdown, add_drafts(actor, drafts)


def _unknown(steps: Sequence[Subtask], keys: set[str]) -> Iterable[TaskIn]:
    for step in steps:
        title = step.title[:LONGEST_TITLE]
        if title_key(title) not in keys:
            yield TaskIn(title=title, description=step.description)


def _by_page(actor: Actor, task: TaskOut, most: int) -> Breakdown:
    page = find_how_to_page(actor, task.title, most)
    if page is not None:
        return Breakdown("outline", page.steps, Source("page", page.bookmark_id))
    return Breakdown("outline", [], reason=NOTHING_FOUND)


def _by_language_model(actor: Actor, task: TaskOut, request: BreakdownRequest, beat: Callable[[], None]) -> Breakdown:
    earlier = _suggested_before(actor, request) if request.apply else None
    if earlier is not None:
        return earlier
    try:
        model = language_model(actor.user_id)
        if model is None:
            raise EngineUnavailable(NO_MODEL)
        beat()
        steps = suggest_steps(model, actor, task, request.max_subtasks, beat)
    except LlmFault as fault:
        raise EngineUnavailable(fault.reason) from None
    source = Source("model", model=model.name, text_digest=text_digest(task.title, task.description))
    return Breakdown("llm", steps, source, reason=None if steps else NOTHING_SUGGESTED)


def _suggested_before(actor: Actor, request: BreakdownRequest) -> Breakdown | None:
    result = latest_suggestion(actor, request.task_id, request.max_subtasks)
    return Breakdown.from_result(result) if result else None
