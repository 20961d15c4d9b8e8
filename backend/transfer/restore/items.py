"""The items of a JSON export as they are read back: the types and bounds of the API, since anybody can write a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from backend.bookmarks.schemas import Link, Note, TagName
from backend.http.field_types import Id, SafeText, Timestamp
from backend.http.validation import validation_message
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
    created_at: Timestamp
    updated_at: Timestamp


class ExportedTask(ExportedItem):
    """A task; ids are numbers by which the file refers to its things."""

    id: Id
    project_id: Id | None = None
    parent_id: Id | None = None
    title: Title
    description: Description = ""
    status: Status = "todo"
    priority: Priority = "normal"
    due_at: Timestamp | None = None
    completed_at: Timestamp | None = None
    position: int = Field(ge=-FARTHEST, le=FARTHEST)
    created_at: Timestamp
    updated_at: Timestamp


class ExportedAttachment(ExportedItem):
    """How a bookmark belongs to a project."""

    project_id: Id
    note: Note = ""
    attached_at: Timestamp


class ExportedPage(ExportedItem):
    """A captured page."""

    title: SafeText = ""
    byline: SafeText | None = None
    text: SafeText = Field(max_length=2_000_000)
    html: SafeText = Field(max_length=8_000_000)
    captured_at: Timestamp


class ExportedBookmark(ExportedItem):
    """What of a bookmark is restored once it is saved."""

    url: Link
    projects: list[ExportedAttachment] = Field([], max_length=1000)
    page: ExportedPage | None = None
    site_name: SafeText | None = Field(None, max_length=2_000)
    author: SafeText | None = Field(None, max_length=2_000)
    published_at: Timestamp | None = None
    image_url: SafeText | None = Field(None, max_length=20_000)
    language: SafeText | None = Field(None, max_length=20)
    word_count: int | None = Field(None, ge=0, le=10**9)


class ExportedFeedback(ExportedItem):
    """What the person said of a bookmark; `subject_url` is that of a subject that is a bookmark itself."""

    url: Link
    kind: Literal["relevant", "not_relevant", "opened", "saved", "dismissed"]
    subject: SafeText = Field(pattern=r"^(person|(project|task|bookmark):[1-9][0-9]{0,17}|text:[0-9a-f]{1,128})$")
    subject_url: Link | None = None
    created_at: Timestamp
    updated_at: Timestamp


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
    model: type[E], section: str, raw: Iterable[tuple[int, Any]]
) -> tuple[list[tuple[int, E]], list[SkippedLine]]:
    """Check items of a section, each with its number in it; the good ones, and why the others are none."""
    items: list[tuple[int, E]] = []
    skipped: list[SkippedLine] = []
    for number, one in raw:
        try:
            items.append((number, model.model_validate(one)))
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in fault["loc"])
            skipped.append(SkippedLine(number, "", f"{section}: {where}: {validation_message(fault)}"))
    return items, skipped
