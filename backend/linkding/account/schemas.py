"""What goes out under /linkding/health and /linkding/api/user/profile."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from backend.http.schemas import ResponseBody
from backend.linkding.schemas import LINKDING_VERSION


class LinkdingHealthOut(ResponseBody):
    """Whether the server can answer, and which linkding its clients should take it for."""

    version: str = Field(LINKDING_VERSION, examples=[LINKDING_VERSION])
    status: Literal["healthy", "unhealthy"] = "healthy"


class SearchPreferencesOut(ResponseBody):
    """How linkding's own pages list bookmarks."""

    sort: str = Field("added_desc", examples=["added_desc"])
    shared: str = Field("off", examples=["off"])
    unread: str = Field("off", examples=["off"])


class PreferencesOut(ResponseBody):
    """The preferences of linkding's own pages: the same for everybody, since Fuze has no such pages."""

    theme: str = Field("auto", examples=["auto"])
    bookmark_date_display: str = Field("relative", examples=["relative"])
    bookmark_link_target: str = Field("_blank", examples=["_blank"])
    web_archive_integration: str = Field("disabled", examples=["disabled"])
    tag_search: str = Field("strict", examples=["strict"])
    enable_sharing: bool = False
    enable_public_sharing: bool = False
    enable_favicons: bool = False
    display_url: bool = False
    permanent_notes: bool = False
    search_preferences: SearchPreferencesOut = Field(default_factory=SearchPreferencesOut)
    version: str = Field(LINKDING_VERSION, examples=[LINKDING_VERSION])
