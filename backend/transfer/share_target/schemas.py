"""What comes in under /save."""

from __future__ import annotations

from pydantic import Field

from backend.http.field_types import Text
from backend.http.schemas import Query


class ShareQuery(Query):
    """What a page or an application shares, under the names of the Web Share Target API."""

    url: Text | None = Field(None, description="The link; some applications send it within `text`")
    title: Text | None = None
    text: Text | None = None
