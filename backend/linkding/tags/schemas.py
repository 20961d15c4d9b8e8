"""What comes in and goes out under /linkding/api/tags."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from backend.bookmarks.schemas import TagName
from backend.http.schemas import ResponseBody
from backend.linkding.schemas import LinkdingIn, LinkdingPage


class LinkdingTagIn(LinkdingIn):
    """A tag to make."""

    name: TagName = Field(examples=["databases"])


class LinkdingTagOut(ResponseBody):
    """A tag, with a dash for each space in its name."""

    id: int
    name: str = Field(examples=["databases"])
    date_added: datetime


class LinkdingTagPage(LinkdingPage[LinkdingTagOut]):
    """A part of the list of tags."""
