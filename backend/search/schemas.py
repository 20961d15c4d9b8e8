"""Request and response schemas of /search."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from backend.bookmarks.facets.schemas import FacetNames, Facets
from backend.bookmarks.schemas import BookmarkFilter, BookmarkOut
from backend.http.field_types import SafeText
from backend.http.schemas import Page, PageQuery, QueryParams, ResponseBody

SearchMode = Literal["hybrid", "text", "semantic"]
Matched = Literal["text", "semantic"]
SuggestKind = Literal["tag", "title", "domain", "recent"]


class SearchQuery(BookmarkFilter, PageQuery):
    """What to find, how, and among which bookmarks."""

    q: SafeText = Field(
        max_length=1000, description='Words, "a phrase", -word, a OR b, tag:x, site:example.com, is:unread …'
    )
    mode: SearchMode = "hybrid"
    facets: FacetNames = Field([], max_length=20, description="What to count of all hits; repeatable, or with commas")


class Highlights(ResponseBody):
    """Where it matched: HTML-escaped text with the words in `<mark>`."""

    title: str
    snippet: str


class SearchHit(ResponseBody):
    """One bookmark that was found."""

    bookmark: BookmarkOut
    score: float
    matched: list[Matched]
    highlights: Highlights


class Expansion(ResponseBody):
    """A word of the query that was searched for as something else."""

    word: str
    to: list[str]
    how: Literal["option"] = Field(
        description="option: excluding the word left nothing, so it was searched for as an option of a command"
    )


class SearchPage(Page[SearchHit]):
    """One page of hits, best first."""

    mode: SearchMode
    expanded: list[Expansion] = Field(description="The words that were searched for as something else")
    degraded: bool = Field(description="Meaning was asked for but could not be used, or many bookmarks wait for it")
    took_ms: float
    facets: Facets | None = Field(
        None,
        description="Counts over all hits; left out if none were asked for",
        exclude_if=lambda value: value is None,
    )


class SuggestQuery(QueryParams):
    """What has been typed so far."""

    q: SafeText = Field("", max_length=1000, description="The last word counts as a prefix; blank: where to begin")


class SuggestItem(ResponseBody):
    """Something to go on with."""

    kind: SuggestKind
    value: str


class Suggestions(ResponseBody):
    """At most ten suggestions, best first."""

    items: list[SuggestItem]
