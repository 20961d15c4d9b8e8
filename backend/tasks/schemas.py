"""What comes in and goes out under /tasks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, field_validator
from pydantic.config import JsonDict

from backend.http.field_types import WHOLE_NUMBER, Deadline, Id, QueryBoolean, SafeText, Timestamp
from backend.http.schemas import Page, PageQuery, QueryParams, RequestBody, ResponseBody, describe_omittable

Status = Literal["todo", "in_progress", "blocked", "done"]
Priority = Literal["low", "normal", "high", "urgent"]
Engine = Literal["auto", "llm", "outline"]
SortName = Literal[
    "position", "-position", "created_at", "-created_at", "updated_at", "-updated_at", "due_at", "-due_at",
    "priority", "-priority",
]  # fmt: skip
LONGEST_TITLE = 500


def _named(value: str) -> str:
    if not value.strip():
        raise ValueError("A task needs a title")
    return value


TITLE_SCHEMA = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST_TITLE,
    "pattern": r"^[^\x00]*[^\s\x00][^\x00]*$",
    "examples": ["Add rate limiting"],
}
Title = Annotated[SafeText, Field(max_length=LONGEST_TITLE), AfterValidator(_named), WithJsonSchema(TITLE_SCHEMA)]
Description = Annotated[SafeText, Field(max_length=50_000)]
# What belongs to nothing can be asked for too.
IdOrNone = Annotated[str, Field(pattern=r"^(none|[1-9][0-9]{0,17})$", examples=["7", "none"])]


class TaskIn(RequestBody):
    """Something to be done. It comes last in its list."""

    title: Title
    description: Description = ""
    status: Status = "todo"
    priority: Priority = "normal"
    due_at: Deadline | None = None
    project_id: Id | None = Field(None, description="Default: the parent's, or none")
    parent_id: Id | None = Field(None, description="Makes it a subtask, at most five levels deep")


def _describe_patch(schema: JsonDict) -> None:
    nullable = {"due_at", "project_id", "parent_id"}
    properties: Any = schema["properties"]
    kept = {name: properties[name] | {} for name in nullable}
    describe_omittable(schema)
    for name, field in kept.items():
        field.pop("default", None)
        properties[name] = field


class TaskPatch(RequestBody):
    """What to change; what is not named stays. Another parent or project puts it last in the list there."""

    model_config = ConfigDict(json_schema_extra=_describe_patch)

    title: Title | None = None
    description: Description | None = None
    status: Status | None = Field(None, description="Subtasks keep theirs")
    priority: Priority | None = None
    due_at: Deadline | None = None
    project_id: Id | None = None
    parent_id: Id | None = None

    @field_validator("title", "description", "status", "priority", mode="before")
    @classmethod
    def _refuse_null(cls, value: object) -> object:
        if value is None:
            raise ValueError("Input must not be null; leave the field out to keep it")
        return value


class MoveIn(RequestBody):
    """Where to put a task: before or after another one, else last; what is not named stays.

    Without `parent_id` a neighbour says which list is meant, and another project's list is that of its top level.
    With both neighbours the task stands right after `after_id`.
    """

    before_id: Id | None = Field(None, description="The task that comes right after it")
    after_id: Id | None = Field(None, description="The task that comes right before it")
    parent_id: Id | None = Field(None, description="null: no subtask any more")
    project_id: Id | None = Field(None, description="null: out of every project")


class SubtaskCounts(ResponseBody):
    """How many subtasks a task has outside the trash, those of subtasks not counted, and how many are done."""

    total: int
    done: int


class TaskOut(ResponseBody):
    """Something to be done."""

    id: int
    project_id: int | None
    parent_id: int | None
    title: str
    description: str
    status: Status
    priority: Priority
    due_at: datetime | None
    completed_at: datetime | None = Field(description="Since when it has been done")
    position: int = Field(description="Orders the tasks with the same parent and project")
    subtasks: SubtaskCounts
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    truncated: list[Literal["description"]] = Field(
        [], description="In lists: which fields show their beginning only, of a description at most 2,000 characters"
    )


class TaskPage(Page[TaskOut]):
    """One page of tasks."""


class TaskListQuery(PageQuery):
    """Which tasks, in which order."""

    project_id: IdOrNone | None = Field(None, description="Those of a project, subtasks included; none: of no project")
    parent_id: IdOrNone | None = Field(None, description="The subtasks of a task; none: no subtasks")
    status: list[Status] = Field([], max_length=4, description="Repeatable; any of them")
    priority: list[Priority] = Field([], max_length=4, description="Repeatable; any of them")
    due_before: Timestamp | None = None
    due_after: Timestamp | None = None
    q: SafeText | None = Field(
        None, max_length=1000, description="Parts of words; title or description hold all of them"
    )
    deleted: QueryBoolean = Field(False, description="true: the trash instead")
    sort: SortName | None = Field(
        None, description="Default: position with a project or parent, else -created_at. Without a due date: last"
    )


class TaskDeletionQuery(QueryParams):
    """To the trash, or for good."""

    permanent: QueryBoolean = False


class TasksIn(RequestBody):
    """Up to 500 tasks. Each is judged on its own."""

    items: list[Any] = Field(max_length=500, description="Objects as POST /tasks takes them")


class TaskResult(ResponseBody):
    """What became of one item."""

    index: int
    status: Literal["created", "invalid"]
    id: int | None = None
    error: str | None = Field(None, description="On invalid: the first fault, in words")


class TaskResults(ResponseBody):
    """What became of all items, in their order."""

    results: list[TaskResult]
    created: int
    invalid: int


class BreakdownIn(RequestBody):
    """How to break a task down, and whether to add what comes out to its subtasks."""

    engine: Engine = Field(
        "auto",
        description="outline: the task's own steps, else those of a page that says how; llm: a language model's; auto: "
        "the task's own, else a language model's, else those of a page",
    )
    max_subtasks: Annotated[int, Field(ge=1, le=20), WHOLE_NUMBER] = 10
    apply: bool = Field(False, description="Add them; what has a subtask of that title already is not added again")
