"""What comes in and goes out under /linkding/api/bookmarks."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from backend.bookmarks.schemas import Description, Link, Notes, TagNames, Title
from backend.http.field_types import SafeText
from backend.http.schemas import ResponseBody
from backend.linkding.schemas import LinkdingIn, LinkdingPage, LinkdingQuery, WindowQuery


class BookmarkWindowQuery(WindowQuery):
    """Which bookmarks, in which order. What makes no sense counts as not given."""

    q: SafeText | None = Field(None, max_length=1000, description="linkding's search syntax")
    sort: SafeText | None = Field(None, description="added_asc, added_desc (default), title_asc or title_desc")
    unread: SafeText | None = Field(None, description="yes, no or off")
    shared: SafeText | None = Field(None, description="yes, no or off; nothing is shared")
    added_since: SafeText | None = Field(None, description="ISO 8601; later than that")
    modified_since: SafeText | None = Field(None, description="ISO 8601; later than that")
    bundle: SafeText | None = Field(None, description="The id of a bundle whose bookmarks to list")


class ScrapingQuery(LinkdingQuery):
    """Whether the page is read."""

    disable_scraping: SafeText | None = Field(None, description="Given, whatever its value: the page is not read")


class CheckQuery(LinkdingQuery):
    """The link to look for."""

    url: SafeText | None = None


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


class LinkdingBookmarkOut(ResponseBody):
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


class LinkdingBookmarkPage(LinkdingPage[LinkdingBookmarkOut]):
    """A part of a list of bookmarks."""


class MetadataOut(ResponseBody):
    """What a saved page says of itself; nothing, where the link is not saved."""

    url: str | None
    title: str | None = None
    description: str | None = None
    preview_image: str | None = Field(None, examples=["https://example.org/indexes.png"])


class LinkCheckOut(ResponseBody):
    """Whether a link is saved."""

    bookmark: LinkdingBookmarkOut | None
    metadata: MetadataOut
    auto_tags: list[str] = Field([], description="Always empty: tags come from people", examples=[[]])


class AssetOut(ResponseBody):
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
