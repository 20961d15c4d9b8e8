"""What comes in under /save."""

from __future__ import annotations

from pydantic import Field

from backend.http.field_types import SafeText
from backend.http.schemas import QueryParams


class ShareQuery(QueryParams):
    """What a page or an application shares, under the names of the Web Share Target API."""

    url: SafeText | None = Field(None, description="The link; some applications send it within `text`")
    title: SafeText | None = None
    text: SafeText | None = None
