"""What comes in and goes out under /linkding/api/bookmarks, as linkding 1.46 has it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from backend.api import Out, Text, describe_omittable
from backend.bookmarks.schemas import Description, Link, Notes, TagNames, Title

LINKDING_VERSION = "1.46.2"
T = TypeVar("T")


def describe_without_defaults(schema: JsonDict) -> None:
    """Describe fields that may be left out: what is not sent is not changed, whatever stands for it here."""
    for field in cast("dict[str, dict[str, Any]]", schema.get("properties", {})).values():
        field.pop("default", None)


class LinkdingIn(BaseModel):
    """A body as linkding takes it: unknown fields are passed over, and numbers stand for their text."""

    model_config = ConfigDict(
        extra="ignore",
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
        json_schema_extra=describe_without_defaults,
    )


class LinkdingQuery(BaseModel):
    """A query string as linkding takes it: what it does not know is passed over."""

    model_config = ConfigDict(extra="ignore", json_schema_extra=describe_omittable, hide_input_in_errors=True)


class WindowQuery(LinkdingQuery):
    """Which part of a list. What is no number counts as not given."""

    limit: Text | None = Field(None, description="Results on a page; default: 100. A page ends before it exceeds 2 MB")
    offset: Text | None = Field(None, description="How many results to pass over")


class BookmarkWindowQuery(WindowQuery):
    """Which bookmarks, in which order. What makes no sense counts as not given."""

    q: Text | None = Field(None, max_length=1000, description="linkding's search syntax")
    sort: Text | None = Field(None, description="added_asc, added_desc (default), title_asc or title_desc")
    unread: Text | None = Field(None, description="yes, no or off")
    shared: Text | None = Field(None, description="yes, no or off; nothing is shared")
    added_since: Text | None = Field(None, description="ISO 8601; later than that")
    modified_since: Text | None = Field(None, description="ISO 8601; later than that")
    bundle: Text | None = Field(None, description="The id of a bundle whose bookmarks to list")


class ScrapingQuery(LinkdingQuery):
    """Whether the page is read."""

    disable_scraping: Text | None = Field(None, description="Given, whatever its value: the page is not read")


class CheckQuery(LinkdingQuery):
    """The link to look for."""

    url: Text | None = None


class LinkdingBookmarkPatch(LinkdingIn):
    """What to change of a bookmark; what is not named stays. Tags are replaced as a whole."""

    url: Link = ""
    title: Title = ""
    description: Description = ""
    notes: Notes = ""
    is_archived: bool = False
    unread: bool = False
    shared: bool = Field(False, description="Taken and not stored: nothing is shared")
    tag_names: TagNames = Field([], examples=[["databases", "postgresql"]])


class LinkdingBookmarkIn(LinkdingBookmarkPatch):
    """A link to save, or the same to write over a bookmark."""

    url: Link = Field(examples=["https://example.org/indexes"])


class LinkdingBookmarkOut(Out):
    """A bookmark as linkding shows it."""

    id: int
    url: str
    title: str
    description: str
    notes: str
    web_archive_snapshot_url: str = Field(
        description="Where the Internet Archive would have the page; nobody has looked",
        examples=["https://web.archive.org/web/20260131120000/https://example.org/indexes"],
    )
    favicon_url: str | None = Field(None, examples=[None])
    preview_image_url: str | None = Field(None, examples=["https://example.org/indexes.png"])
    is_archived: bool
    unread: bool
    shared: bool = False
    tag_names: list[str] = Field(examples=[["databases", "postgresql"]])
    date_added: datetime
    date_modified: datetime
    website_title: str | None = Field(None, description="The title, where it is the page's own")
    website_description: str | None = Field(None, description="The description, where it is the page's own")


class LinkdingPage(Out, Generic[T]):
    """A part of a list, with the addresses of its neighbours."""

    count: int
    next: str | None = Field(examples=["https://fuze.example.org/linkding/api/bookmarks/?limit=100&offset=100"])
    previous: str | None = Field(examples=[None])
    results: list[T]


class LinkdingBookmarkPage(LinkdingPage[LinkdingBookmarkOut]):
    """A part of a list of bookmarks."""


class MetadataOut(Out):
    """What a saved page says of itself; nothing, where the link is not saved."""

    url: str | None
    title: str | None = None
    description: str | None = None
    preview_image: str | None = Field(None, examples=["https://example.org/indexes.png"])


class LinkCheckOut(Out):
    """Whether a link is saved."""

    bookmark: LinkdingBookmarkOut | None
    metadata: MetadataOut
    auto_tags: list[str] = Field([], description="Always empty: tags come from people", examples=[[]])


class AssetOut(Out):
    """A file that belongs to a bookmark."""

    id: int
    bookmark: int
    asset_type: str = Field(examples=["snapshot"])
    date_created: datetime
    content_type: str = Field(examples=["text/html"])
    display_name: str = Field(examples=["HTML snapshot"])
    status: str = Field(examples=["complete"])


class AssetPage(LinkdingPage[AssetOut]):
    """A part of a list of files: always empty."""


class LinkdingRefusal(Out):
    """A refusal as Django REST framework writes it: `detail`, or on 400 messages by field."""

    model_config = ConfigDict(extra="allow", json_schema_extra=describe_omittable)

    detail: str | None = Field(None, examples=["Not found."])
