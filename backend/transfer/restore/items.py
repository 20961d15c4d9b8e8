"""Items of a JSON export, with the types and limits of the API, since an export file may come from any source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from backend.bookmarks.schemas import Link, Note, TagName
from backend.http.field_types import Id, Moment, Text
from backend.http.validation import in_words
from backend.projects.schemas import Description, Name, ProjectStatus, Technologies
from backend.tasks.positions import FARTHEST
from backend.tasks.schemas import Priority, Status, Title
from backend.transfer.records import SkippedLine

E = TypeVar("E", bound="ExportedItem")


class ExportedItem(BaseModel):
    """One item of a section; what later releases add to it is passed over."""


class ExportedTag(ExportedItem):
    """A tag, whether or not bookmarks carry it."""

    name: TagName


class ExportedProject(ExportedItem):
    """A project; `id` is the number by which the file refers to it."""

    id: Id
    name: Name
    description: Description = ""
    technologies: Technologies = []
    status: ProjectStatus = "active"
    created_at: Moment
    updated_at: Moment


class ExportedTask(ExportedItem):
    """A task; ids are numbers by which the file refers to its things."""

    id: Id
    project_id: Id | None = None
    parent_id: Id | None = None
    title: Title
    description: Description = ""
    status: Status = "todo"
    priority: Priority = "normal"
    due_at: Moment | None = None
    completed_at: Moment | None = None
    position: int = Field(ge=-FARTHEST, le=FARTHEST)
    created_at: Moment
    updated_at: Moment


class ExportedAttachment(ExportedItem):
    """How a bookmark belongs to a project."""

    project_id: Id
    note: Note = ""
    attached_at: Moment


class ExportedPage(ExportedItem):
    """A captured page."""

    title: Text = ""
    byline: Text | None = None
    text: Text = Field(max_length=2_000_000)
    html: Text = Field(max_length=8_000_000)
    captured_at: Moment


class ExportedBookmark(ExportedItem):
    """What of a bookmark is restored once it is saved."""

    url: Link
    projects: list[ExportedAttachment] = Field([], max_length=1000)
    page: ExportedPage | None = None
    site_name: Text | None = Field(None, max_length=2_000)
    author: Text | None = Field(None, max_length=2_000)
    published_at: Moment | None = None
    image_url: Text | None = Field(None, max_length=20_000)
    language: Text | None = Field(None, max_length=20)
    word_count: int | None = Field(None, ge=0, le=10**9)


class ExportedFeedback(ExportedItem):
    """What the person said of a bookmark; `subject_url` is that of a subject that is a bookmark itself."""

    url: Link
    kind: Literal["relevant", "not_relevant", "opened", "saved", "dismissed"]
    subject: Text = Field(pattern=r"^(person|(project|task|bookmark):[1-9][0-9]{0,17}|text:[0-9a-f]{1,128})$")
    subject_url: Link | None = None
    created_at: Moment
    updated_at: Moment


@dataclass(frozen=True, slots=True)
class PlacedTask:
    """Where a task of the file is now."""

    id: int
    project_id: int | None
    depth: int


@dataclass
class RestoredIds:
    """What the file's numbers stand for here, and which rows are taken by some item of the file."""

    projects: dict[int, int] = field(default_factory=dict)
    tasks: dict[int, PlacedTask] = field(default_factory=dict)
    taken_projects: set[int] = field(default_factory=set)
    taken_tasks: set[int] = field(default_factory=set)


def read_items(
    model: type[E], section: str, first: int, raw: Sequence[Any]
) -> tuple[list[tuple[int, E]], list[SkippedLine]]:
    """Check items of a section, the first of which is number `first`; each good one with its number."""
    items: list[tuple[int, E]] = []
    skipped: list[SkippedLine] = []
    for number, raw_item in enumerate(raw, start=first):
        try:
            items.append((number, model.model_validate(raw_item)))
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in fault["loc"])
            skipped.append(SkippedLine(number, "", f"{section}: {where}: {in_words(fault)}"))
    return items, skipped
