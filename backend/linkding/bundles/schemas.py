"""What comes in and goes out under /linkding/api/bundles."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from backend.http.field_types import SafeText
from backend.http.schemas import ResponseBody
from backend.linkding.schemas import LinkdingIn, LinkdingPage

FilterState = Literal["off", "yes", "no"]
Name = Annotated[SafeText, Field(min_length=1, max_length=256)]
Search = Annotated[SafeText, Field(max_length=256)]
TagList = Annotated[SafeText, Field(max_length=1_024, description="Names with spaces between them")]
Order = Annotated[int, Field(ge=-(2**31), lt=2**31)]


class BundlePatch(LinkdingIn):
    """What to change of a bundle; what is not named stays."""

    name: Name = ""
    search: Search = Field("", examples=["productivity tools"])
    any_tags: TagList = Field("", examples=["work productivity"])
    all_tags: TagList = Field("", examples=["work"])
    excluded_tags: TagList = Field("", examples=["private"])
    filter_unread: FilterState = "off"
    filter_shared: FilterState = "off"
    order: Order = Field(0, description="Its place in the list; of a new bundle the last, unless it is given")


class BundleIn(BundlePatch):
    """A bundle to store, or the same to write over one."""

    name: Name = Field(examples=["Reading list"])


class BundleOut(ResponseBody):
    """A stored search."""

    id: int
    name: str
    search: str = Field(examples=["productivity tools"])
    any_tags: str = Field(examples=["work productivity"])
    all_tags: str = Field(examples=["work"])
    excluded_tags: str = Field(examples=["private"])
    filter_unread: FilterState
    filter_shared: FilterState
    order: int
    date_created: datetime
    date_modified: datetime


class BundlePage(LinkdingPage[BundleOut]):
    """A part of the list of bundles."""
