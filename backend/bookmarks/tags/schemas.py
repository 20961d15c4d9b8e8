"""Schemas of /tags."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from backend.bookmarks.schemas import TagName
from backend.http.field_types import Id, QueryBoolean, SafeText
from backend.http.schemas import Page, PageQuery, QueryParams, RequestBody, ResponseBody


class TagOut(ResponseBody):
    """A tag and how many bookmarks outside the trash carry it."""

    id: int
    name: str
    bookmark_count: int


class TagPage(Page[TagOut]):
    """One page of tags."""


class TagListQuery(PageQuery):
    """Which tags."""

    q: SafeText | None = Field(None, max_length=100, description="Beginning of the name, any case")
    unused: QueryBoolean | None = Field(
        None, description="true: those that no bookmark carries, not even one in the trash; false: all others"
    )
    sort: Literal["name", "-name"] = "name"


class UnusedTagsQuery(QueryParams):
    """Which tags to delete."""

    unused: Annotated[QueryBoolean, WithJsonSchema({"type": "boolean", "const": True})] = Field(
        description="Must be true: those that no bookmark carries, not even one in the trash"
    )


class TagsDeleted(ResponseBody):
    """How many tags are gone."""

    deleted: int


class TagPatch(RequestBody):
    """A new name."""

    name: TagName


class TagMergeIn(RequestBody):
    """The tag that takes over."""

    into_id: Id
