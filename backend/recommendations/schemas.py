"""What comes in and goes out under /recommendations and /feedback."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import Field, RootModel, model_validator
from pydantic_core import PydanticCustomError

from backend.bookmarks.schemas import BookmarkOut
from backend.http.field_types import Id, QueryBoolean, QueryId, QueryInteger, SafeText
from backend.http.schemas import Page, PageQuery, QueryParams, RequestBody, ResponseBody

Engine = Literal["content", "semantic", "context", "collaborative", "rediscover"]
AskedEngine = Literal["auto", "content", "semantic", "context", "collaborative", "rediscover"]
FeedbackKind = Literal["relevant", "not_relevant", "opened", "saved", "dismissed"]
# Twelve bytes of a URL are the most that a character takes: as many as fit into a request line of 16 KiB beside the
# other parameters, whatever they are.
LONGEST_TEXT = 1_300
FEEDBACK_SORT = Literal["created_at", "-created_at"]


class RecommendationQuery(QueryParams):
    """What to recommend for: one subject, or none, which means for the person."""

    project_id: QueryId | None = None
    task_id: QueryId | None = None
    bookmark_id: QueryId | None = None
    text: SafeText | None = Field(
        None,
        max_length=LONGEST_TEXT,
        description=f"Whatever is being worked on: {LONGEST_TEXT:,} characters of any writing",
        examples=["rate limits"],
    )
    engine: AskedEngine = "auto"
    limit: QueryInteger = Field(10, ge=1, le=50)
    exclude_read: QueryBoolean = False

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        given = [name for name in ("project_id", "task_id", "bookmark_id", "text") if getattr(self, name) is not None]
        if len(given) > 1:
            message = "Only one subject may be given, not {subjects}"
            raise PydanticCustomError("ambiguous", message, {"subjects": " and ".join(given)})
        return self


class RecommendationOut(ResponseBody):
    """A bookmark that is offered, by the engine that had most to do with it."""

    recommendation_id: int = Field(description="To be sent along with feedback")
    bookmark: BookmarkOut
    score: float = Field(description="Between 0 and 1; comparable within one answer")
    engine: Engine
    reasons: list[str] = Field(examples=[["shares the tags flask, celery with the project"]])


class Recommendations(ResponseBody):
    """What is offered, best first."""

    items: list[RecommendationOut]
    engine: AskedEngine
    degraded: bool = Field(description="An engine that was asked for could not be used, see `reason`")
    reason: str | None = None


class EngineOut(ResponseBody):
    """A way to recommend, and whether it can be used now."""

    name: AskedEngine
    available: bool
    reason: str | None = Field(description="Why it is not available")
    description: str


class Engines(RootModel[list[EngineOut]]):
    """All ways to recommend."""


class FeedbackIn(RequestBody):
    """What the person says of a bookmark, or did with it, for a subject: that of the recommendation, or the one named
    here; without either, for the person."""

    bookmark_id: Id
    recommendation_id: Id | None = None
    project_id: Id | None = None
    task_id: Id | None = None
    kind: FeedbackKind


class FeedbackPut(RequestBody):
    """What the person says now. What else is named must be what it was."""

    kind: FeedbackKind
    bookmark_id: Id | None = None
    recommendation_id: Id | None = None
    project_id: Id | None = None
    task_id: Id | None = None


class FeedbackOut(ResponseBody):
    """What was said."""

    id: int
    bookmark_id: int
    recommendation_id: int | None
    project_id: int | None
    task_id: int | None
    subject: str = Field(examples=["project:7"])
    kind: FeedbackKind
    created_at: datetime
    updated_at: datetime


class FeedbackListQuery(PageQuery):
    """Which feedback of the person's own."""

    project_id: QueryId | None = None
    task_id: QueryId | None = None
    bookmark_id: QueryId | None = None
    kind: FeedbackKind | None = None
    sort: FEEDBACK_SORT = "-created_at"


class FeedbackPage(Page[FeedbackOut]):
    """One page of feedback."""
