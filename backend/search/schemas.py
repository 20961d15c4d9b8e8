"""What comes in and goes out under /search."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from backend.api import Out, Page, Query, QueryInteger, Text
from backend.bookmarks.schemas import BookmarkFilter, BookmarkOut

SearchMode = Literal["hybrid", "text", "semantic"]
Matched = Literal["text", "semantic"]
SuggestKind = Literal["tag", "title", "domain", "recent"]


class SearchQuery(BookmarkFilter):
    """What to find, how, and among which bookmarks."""

    q: Text = Field(max_length=1000, description='Words, "a phrase", -word, a or b')
    mode: SearchMode = "hybrid"
    page: QueryInteger = Field(1, ge=1, le=10**12)
    page_size: QueryInteger = Field(20, ge=1, le=100)


class Highlights(Out):
    """Where it matched: HTML-escaped text with the words in `<mark>`."""

    title: str
    snippet: str


class SearchHit(Out):
    """One bookmark that was found."""

    bookmark: BookmarkOut
    score: float
    matched: list[Matched]
    highlights: Highlights


class SearchPage(Page[SearchHit]):
    """One page of hits, best first."""

    mode: SearchMode
    degraded: bool = Field(description="Meaning was asked for but could not be used, or many bookmarks wait for it")
    took_ms: float


class SuggestQuery(Query):
    """What has been typed so far."""

    q: Text = Field("", max_length=1000, description="The last word counts as a prefix; blank: where to begin")


class SuggestItem(Out):
    """Something to go on with."""

    kind: SuggestKind
    value: str


class Suggestions(Out):
    """At most ten suggestions, best first."""

    items: list[SuggestItem]
