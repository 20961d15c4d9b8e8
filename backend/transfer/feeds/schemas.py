"""What comes in and goes out under /feeds."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from backend.bookmarks.schemas import ActionFilter
from backend.http.field_types import SafeText
from backend.http.schemas import Page, PageQuery, RequestBody, ResponseBody

FeedName = Annotated[SafeText, Field(min_length=1, max_length=200, pattern=r"\S", examples=["Reading list"])]
NO_FILTER = ActionFilter()


class FeedIn(RequestBody):
    """A new feed."""

    name: FeedName = Field(description="Its title for readers")
    filter: ActionFilter = Field(NO_FILTER, description="Which bookmarks, as in the list; default: all not archived")


class FeedOut(ResponseBody):
    """A feed of yours; its address is told once, when it is made."""

    id: int
    organization_id: int
    name: str
    filter: ActionFilter
    created_at: datetime


class FeedCreatedOut(FeedOut):
    """A new feed with its address."""

    url: str = Field(
        description="Whoever knows it reads the feed: keep it secret, or delete the feed",
        examples=["https://fuze.example.org/api/v1/feeds/Zk3J9sVwQ2mB7vYt4NcXeWq1RpLs9.atom"],
    )


class FeedPage(Page[FeedOut]):
    """One page of feeds."""


class FeedListQuery(PageQuery):
    """Which page."""
