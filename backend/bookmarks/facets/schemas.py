"""Schemas of facets, shared with /search."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from backend.bookmarks.schemas import BookmarkFilter
from backend.http.schemas import ResponseBody

FacetName = Literal["tags", "domain", "year", "language", "state"]
FACETS: tuple[FacetName, ...] = ("tags", "domain", "year", "language", "state")


def _split(values: Any) -> Any:
    """Split each value at its commas; blank ones ask for nothing."""
    given: Iterable[Any] = values if isinstance(values, list) else [values]
    return [name for value in given for name in str(value).split(",") if name]


FacetNames = Annotated[list[FacetName], BeforeValidator(_split)]


class FacetValue(ResponseBody):
    """A value, and how many bookmarks have it."""

    value: str
    count: int


class Facets(ResponseBody):
    """The most frequent values of each facet that was asked for, at most 30 each."""

    tags: list[FacetValue] | None = None
    domain: list[FacetValue] | None = None
    year: list[FacetValue] | None = Field(None, description="Of the day when they were saved, in UTC; newest first")
    language: list[FacetValue] | None = None
    state: list[FacetValue] | None = Field(None, description="As `is:` has them: unread, read, favorite, …")


class FacetQuery(BookmarkFilter):
    """The list's filters, and which facets to count."""

    facets: FacetNames = Field(list(FACETS), max_length=20, description="Repeatable, or separated by commas")


class FacetsOut(ResponseBody):
    """Facets of a list."""

    facets: Facets
