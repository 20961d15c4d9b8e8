"""What comes in and goes out under /projects."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from backend.http.field_types import QueryBoolean, SafeText
from backend.http.schemas import Page, PageQuery, PatchBody, QueryParams, RequestBody, ResponseBody

ProjectStatus = Literal["active", "paused", "done", "archived"]
NAME_SCHEMA = {
    "type": "string",
    "format": "name",
    "minLength": 1,
    "maxLength": 200,
    "examples": ["A reading list that sorts itself"],
}
TECHNOLOGY_SCHEMA = {
    "type": "string",
    "pattern": r"^[^\s\x00]$|^[^\s\x00][^\x00]*[^\s\x00]$",
    "maxLength": 100,
    "examples": ["PostgreSQL"],
}


def _technology(value: str) -> str:
    name = value.strip()
    if not name:
        raise ValueError("A technology needs a name")
    return name


def _distinct(names: list[str]) -> list[str]:
    seen: dict[str, str] = {}
    for name in names:
        seen.setdefault(name.casefold(), name)
    return list(seen.values())


Name = Annotated[SafeText, Field(max_length=200, pattern=r"\S"), WithJsonSchema(NAME_SCHEMA)]
Description = Annotated[SafeText, Field(max_length=50_000)]
Technology = Annotated[SafeText, Field(max_length=100), AfterValidator(_technology), WithJsonSchema(TECHNOLOGY_SCHEMA)]
Technologies = Annotated[list[Technology], Field(max_length=50), AfterValidator(_distinct)]


class ProjectIn(RequestBody):
    """A new project."""

    name: Name
    description: Description = ""
    technologies: Technologies = Field([], description="Of two that differ in case only the first is kept")
    status: ProjectStatus = "active"


class ProjectPatch(PatchBody):
    """What to change; what is not named stays. Technologies are replaced as a whole."""

    name: Name | None = None
    description: Description | None = None
    technologies: Technologies | None = None
    status: ProjectStatus | None = None


class TaskCounts(ResponseBody):
    """How many tasks there are outside the trash, and how many of them are done."""

    total: int
    done: int


class ProjectOut(ResponseBody):
    """A project."""

    id: int
    name: str
    description: str
    technologies: list[str]
    status: ProjectStatus
    tasks: TaskCounts
    bookmark_count: int = Field(description="How many bookmarks outside the trash are attached")
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    truncated: list[Literal["description", "technologies"]] = Field(
        [], description="In lists: which fields show their beginning only, of a description at most 2,000 characters"
    )


class ProjectPage(Page[ProjectOut]):
    """One page of projects."""


class ProjectListQuery(PageQuery):
    """Filters, order and page."""

    status: ProjectStatus | None = None
    q: SafeText | None = Field(None, max_length=200, description="Words of name or description, or how they begin")
    deleted: QueryBoolean = Field(False, description="true: the trash instead")
    sort: Literal["created_at", "-created_at", "updated_at", "-updated_at", "name", "-name"] = "-created_at"


class ProjectDeleteQuery(QueryParams):
    """To the trash, or for good, or only what that would take."""

    permanent: QueryBoolean = Field(False, description="true: for good, also from the trash")
    dry_run: QueryBoolean = Field(False, description="true: delete nothing, and answer what would go with the project")


class ProjectDeletionOut(ResponseBody):
    """What goes with a project: with `permanent` for good, without it until the project is restored. Its bookmarks
    stay."""

    dry_run: Literal[True] = True
    permanent: bool
    tasks: int = Field(description="Tasks and subtasks, those in the trash among them")
    attachments: int = Field(description="Bookmarks that are attached, with the notes on that; the bookmarks stay")
    feedback: int = Field(description="What people said of recommendations for the project or its tasks")
