"""What comes in under /bookmarks/export."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from backend.bookmarks.schemas import BookmarkFilter
from backend.http.field_types import QueryBoolean

FileFormat = Literal["html", "json", "csv"]


class ExportQuery(BookmarkFilter):
    """Which bookmarks, in which format."""

    is_archived: Literal["true", "false", "any"] | None = Field(None, description="any unless said otherwise")
    format: FileFormat = Field("json", description="json holds everything; html is Netscape's bookmark file")
    include: Literal["content"] | None = Field(None, description="content: the captured pages too, in json")
    folders: QueryBoolean = Field(False, description="true: in html, projects as folders")
