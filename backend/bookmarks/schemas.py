"""Schemas of /bookmarks, shared with /tags."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic.config import JsonDict

from backend.http.field_types import Id, QueryBoolean, QueryId, QueryInteger, SafeText, Timestamp
from backend.http.schemas import (
    OptionalRequestBody,
    Page,
    PageQuery,
    PatchBody,
    QueryParams,
    RequestBody,
    ResponseBody,
    describe_omittable,
)
from backend.text.tag_names import fold_name, tag_key
from backend.text.urls import MAX_LENGTH as MAX_URL_LENGTH
from backend.text.urls import url_error

CaptureStatus = Literal["pending", "captured", "failed", "skipped"]
OnDuplicate = Literal["merge", "keep", "error"]
Action = Literal[
    "archive",
    "unarchive",
    "read",
    "unread",
    "favorite",
    "unfavorite",
    "add_tags",
    "remove_tags",
    "add_to_project",
    "remove_from_project",
    "delete",
    "restore",
    "capture",
]
MAX_TAGS = 100
MAX_TAG_LENGTH = 100
MAX_FILTERS = 50
# Clocks and time zones differ; a later bookmark would lead every list.
AHEAD = timedelta(days=1)
BLANKS = " \t\r\n"


def _link(value: str) -> str:
    url = trimmed(value)
    fault = url_error(url)
    if fault:
        raise ValueError(fault)
    return url


def _tag_name(value: str) -> str:
    name = fold_name(value)
    if not name:
        raise ValueError("A tag needs a name")
    if len(name) > MAX_TAG_LENGTH:
        raise ValueError(f"A tag has at most {MAX_TAG_LENGTH} characters")
    return name


def _distinct_tags(names: list[str]) -> list[str]:
    seen: dict[str, str] = {}
    for name in names:
        seen.setdefault(tag_key(name), name)
    return list(seen.values())


def _not_far_ahead(value: datetime) -> datetime:
    if value > datetime.now(UTC) + AHEAD:
        raise ValueError("A bookmark cannot be saved more than a day ahead")
    return value


def trimmed(value: str) -> str:
    """Remove the blanks at either end; spaces of other kinds are significant."""
    return value.strip(BLANKS)


URL_SCHEMA = {
    "type": "string",
    "format": "http-url",
    "maxLength": MAX_URL_LENGTH,
    "examples": ["https://example.org/a"],
}
TAG_SCHEMA = {"type": "string", "pattern": r"^[^\s\x00]$|^[^\s\x00][^\x00]*[^\s\x00]$", "maxLength": MAX_TAG_LENGTH}
Link = Annotated[SafeText, AfterValidator(_link), WithJsonSchema(URL_SCHEMA)]
TagName = Annotated[SafeText, Field(max_length=MAX_TAG_LENGTH), AfterValidator(_tag_name), WithJsonSchema(TAG_SCHEMA)]
TagNames = Annotated[list[TagName], Field(max_length=MAX_TAGS), AfterValidator(_distinct_tags)]
SavedAt = Annotated[Timestamp, AfterValidator(_not_far_ahead)]
Title = Annotated[SafeText, Field(max_length=2_000)]
Description = Annotated[SafeText, Field(max_length=50_000)]
Notes = Annotated[SafeText, Field(max_length=200_000)]
Note = Annotated[SafeText, Field(max_length=10_000)]
Archived = Annotated[
    Literal["true", "false", "any"],
    BeforeValidator(lambda value: str(value).lower() if isinstance(value, bool) else value),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["true", "false", "any"]}]}),
]
ProjectIds = Annotated[list[Id], Field(max_length=100)]


class BookmarkIn(RequestBody):
    """A link to save. Title and description that are left empty are filled from the page when it is captured, and
    refreshed when it is captured again."""

    url: Link = Field(description="http or https, with a host, without user name or password")
    title: Title | None = Field(None, examples=["An example"])
    description: Description | None = None
    notes: Notes | None = None
    tags: TagNames = Field([], examples=[["reading", "python"]])
    project_ids: ProjectIds = Field([])
    is_read: bool = False
    is_favorite: bool = False
    is_archived: bool = False
    created_at: SavedAt | None = Field(
        None, description="When it was first saved elsewhere, at most a day ahead; default: now"
    )
    capture: bool = Field(True, description="Fetch and read the page in the background")
    on_duplicate: OnDuplicate | None = Field(None, description="Same as the query parameter, which wins")


def _describe_patch(schema: JsonDict) -> None:
    describe_omittable(schema)
    schema["dependentRequired"] = {"capture": ["url"]}


class BookmarkPatch(PatchBody):
    """What to change; what is not named stays. Tags and projects are replaced as a whole."""

    model_config = ConfigDict(json_schema_extra=_describe_patch)

    url: Link | None = Field(
        None, description="Of another page: what came from the old one goes, and the new one is captured"
    )
    title: Title | None = None
    description: Description | None = None
    notes: Notes | None = None
    tags: TagNames | None = None
    project_ids: ProjectIds | None = None
    is_read: bool | None = None
    is_favorite: bool | None = None
    is_archived: bool | None = None
    created_at: SavedAt | None = Field(None, description="At most a day ahead")
    capture: bool | None = Field(None, description="With a new url: false leaves its page unread; default: true")

    @field_validator("capture")
    @classmethod
    def _refuse_without_url(cls, value: bool, info: ValidationInfo) -> bool:
        if info.data.get("url", "at fault") is None:
            raise ValueError("Only a change of the url says whether its page is captured; POST …/capture does without")
        return value


class CaptureOut(ResponseBody):
    """How far the reading of the page has come."""

    status: CaptureStatus
    error: str | None = Field(description="Why it failed, was skipped, or is only a part of the page, in words")
    captured_at: datetime | None
    attempts: int


class BookmarkOut(ResponseBody):
    """A saved link."""

    id: int
    url: str
    title: str
    description: str
    notes: str
    tags: list[str]
    domain: str
    site_name: str | None
    author: str | None
    published_at: datetime | None
    image_url: str | None
    language: str | None
    word_count: int | None
    reading_minutes: int | None
    is_read: bool
    is_favorite: bool
    is_archived: bool
    capture: CaptureOut
    project_ids: list[int] = Field(description="Of the projects outside the trash that it is attached to")
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    truncated: list[Literal["description", "notes", "note", "title", "tags", "project_ids", "image_url"]] = Field(
        [],
        description="In lists and searches: which fields show their beginning only. Of long texts that is the first "
        "2,000 characters; less, and of other fields too, where the list would take over 2 MB otherwise",
    )


class AttachedBookmarkOut(BookmarkOut):
    """A saved link as it is attached to a project."""

    note: str = Field(description="What it is for there")
    attached_at: datetime


class AttachedBookmarkPage(Page[AttachedBookmarkOut]):
    """One page of what is attached to a project."""


class AttachedListQuery(PageQuery):
    """Order and page."""

    sort: Literal["attached_at", "-attached_at"] = "-attached_at"


class AttachIn(OptionalRequestBody):
    """How a bookmark belongs to a project."""

    note: Note = Field("", description="What it is for there; left out, the note that there is stays")


class BookmarkPage(Page[BookmarkOut]):
    """One page of bookmarks."""


class CreateQuery(QueryParams):
    """What to do when the link is saved already."""

    on_duplicate: OnDuplicate | None = Field(
        None,
        description=(
            "merge (default): unite tags, fill empty fields, set marks that are true, capture again what failed; "
            "keep: leave it; error: 409"
        ),
    )


class BookmarkFilter(QueryParams):
    """Which bookmarks."""

    q: SafeText | None = Field(None, max_length=1000, description="Words to find")
    tag: list[SafeText] = Field([], max_length=MAX_FILTERS, description="Repeatable; all must hold")
    untagged: QueryBoolean | None = None
    project_id: QueryId | None = None
    domain: SafeText | None = Field(None, max_length=255)
    is_read: QueryBoolean | None = None
    is_favorite: QueryBoolean | None = None
    is_archived: Literal["true", "false", "any"] | None = Field(
        None, description="false unless said otherwise; in the trash: any"
    )
    capture_status: CaptureStatus | None = None
    created_after: Timestamp | None = None
    created_before: Timestamp | None = None
    deleted: QueryBoolean = Field(False, description="true: the trash instead")


class BookmarkListQuery(BookmarkFilter, PageQuery):
    """Filters, order and page."""

    sort: Literal["created_at", "-created_at", "updated_at", "-updated_at", "title", "-title"] = "-created_at"


class LookupQuery(QueryParams):
    """The link to look for."""

    url: Link


class LookupIn(RequestBody):
    """The link to look for, however long it is."""

    url: Link


class DeleteQuery(QueryParams):
    """To the trash, or for good."""

    permanent: QueryBoolean = False


class BookmarksDeleted(ResponseBody):
    """How many bookmarks are gone."""

    deleted: int


class SimilarQuery(QueryParams):
    """How many."""

    limit: Annotated[QueryInteger, Field(ge=1, le=50)] = 10


class BulkIn(RequestBody):
    """Up to 1000 links. Each is judged on its own."""

    items: list[Any] = Field(max_length=1000, description="Objects as POST /bookmarks takes them")


class BulkResult(ResponseBody):
    """What became of one item."""

    index: int
    status: Literal["created", "duplicate", "invalid"]
    id: int | None = None
    error: str | None = Field(None, description="On invalid: the first fault, in words")


class BulkOut(ResponseBody):
    """What became of all items, in their order."""

    results: list[BulkResult]
    created: int
    duplicates: int
    invalid: int


class ActionFilter(RequestBody):
    """The list's filters, as JSON."""

    q: SafeText | None = Field(None, max_length=1000)
    tag: list[SafeText] = Field([], max_length=MAX_FILTERS)
    untagged: bool | None = None
    project_id: Id | None = None
    domain: SafeText | None = Field(None, max_length=255)
    is_read: bool | None = None
    is_favorite: bool | None = None
    is_archived: Archived | None = None
    capture_status: CaptureStatus | None = None
    created_after: Timestamp | None = None
    created_before: Timestamp | None = None
    deleted: bool = False


def _describe_action(schema: JsonDict) -> None:
    describe_omittable(schema)
    schema["allOf"] = [
        # Inside allOf, since client generators take a schema with a top-level oneOf for an untyped one.
        {"oneOf": [{"required": ["ids"]}, {"required": ["filter"]}]},
        {
            "if": {"properties": {"action": {"enum": ["add_tags", "remove_tags"]}}},
            "then": {"required": ["tags"], "properties": {"tags": {"minItems": 1}}},
        },
        {
            "if": {"properties": {"action": {"enum": ["add_to_project", "remove_from_project"]}}},
            "then": {"required": ["project_id"]},
        },
    ]


class ActionIn(PatchBody):
    """One change for many bookmarks: those of `ids`, or all that the filter finds."""

    model_config = ConfigDict(json_schema_extra=_describe_action)

    ids: list[Id] | None = Field(None, max_length=1000)
    filter: ActionFilter | None = None
    action: Action
    tags: TagNames | None = Field(None, description="For add_tags and remove_tags")
    project_id: Id | None = Field(None, description="For add_to_project and remove_from_project")


class ActionOut(ResponseBody):
    """How many bookmarks changed."""

    affected: int


class ContentOut(ResponseBody):
    """The page as it was read. `html` is sanitised."""

    title: str
    byline: str | None
    text: str
    html: str
    word_count: int
    captured_at: datetime


class SimilarItem(ResponseBody):
    """A neighbour in meaning; `score` is the cosine similarity, -1…1."""

    bookmark: BookmarkOut
    score: float


class SimilarOut(ResponseBody):
    """Neighbours, nearest first."""

    items: list[SimilarItem]
