"""Schemas of /dashboard."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from backend.activity.types import ActivityType, ObjectType
from backend.http.field_types import DATE, QueryId, QueryInteger, SafeText, Timestamp, TimeZoneName
from backend.http.schemas import QueryParams, ResponseBody

D = TypeVar("D", bound=ResponseBody)
# `stored_body` looks for it; within a text these quotes would have backslashes.
NOT_CACHED = re.compile(rb'"cached":\s*false')


def _day(value: object) -> object:
    if isinstance(value, str) and not DATE.fullmatch(value):
        raise ValueError("Input should be a date such as 2026-01-31")
    return value


TimeZone = Annotated[TimeZoneName, Field(description="IANA name; default: the person's", examples=["Europe/Berlin"])]
Day = Annotated[date, Field(ge=date(1970, 1, 1), le=date(2199, 12, 31)), BeforeValidator(_day)]
Interval = Literal["day", "week", "month"]
KnownType = Annotated[ActivityType, WithJsonSchema({"type": "string", "enum": [kind.value for kind in ActivityType]})]


class Metadata(ResponseBody):
    """When the numbers were computed, and whether this response was cached."""

    timestamp: datetime = Field(description="When the numbers were computed")
    cache_ttl: int = Field(description="Seconds that the response is cached at most", examples=[300])
    cached: bool = Field(description="Whether they were computed for an earlier request", examples=[False])


class DashboardResponse(ResponseBody, Generic[D]):
    """The envelope of the dashboard's responses."""

    status: Literal["success"] = "success"
    data: D
    metadata: Metadata


def stored_body(body: bytes) -> bytes:
    """Return a response as the cache holds it: it says of itself that it was cached. The metadata come last."""
    *_, last = NOT_CACHED.finditer(body)
    return body[: last.start()] + b'"cached":true' + body[last.end() :]


class ActivityQuery(QueryParams):
    """Which events."""

    type: KnownType | None = Field(None, description="What was done", examples=["bookmark.created"])
    user_id: QueryId | None = Field(None, description="Who did it")
    object_type: ObjectType | None = Field(None, description="The kind of thing that it was done to")
    object_id: QueryId | None = Field(None, description="The thing; take `object_type` along")
    since: Timestamp | None = Field(None, description="Not before this time")
    limit: Annotated[QueryInteger, Field(ge=1, le=100)] = Field(20, description="Most events")
    cursor: SafeText | None = Field(None, max_length=2048, description="`next_cursor` of the response before")


class ActivityEvent(ResponseBody):
    """Something that somebody did."""

    id: int
    type: KnownType = Field(examples=["bookmark.created"])
    user_id: int | None = Field(description="Who; null for the worker, and for deleted accounts")
    username: str | None
    object_type: ObjectType = Field(examples=["bookmark"])
    object_id: int | None = Field(description="Null for many at once: `data.count` is their number", examples=[42])
    title: str | None = Field(description="Its title or name now; null if it is gone, or the token may not read it")
    data: dict[str, Any] = Field(examples=[{"fields": ["is_read"]}])
    request_id: str = Field(description="The request that did it; empty for the worker")
    created_at: datetime


class ActivityFeed(ResponseBody):
    """Events, the newest first."""

    items: list[ActivityEvent]
    has_next: bool
    next_cursor: str | None


class ActivityResponse(DashboardResponse[ActivityFeed]):
    """The feed in its envelope."""


class MetricsQuery(QueryParams):
    """Of what, and in which time zone days begin."""

    scope: Literal["organization", "server"] = Field("organization", description="server: administrators only")
    time_zone: TimeZone | None = None


class UserMetrics(ResponseBody):
    """People."""

    total: int = Field(description="Members; of the server: accounts", examples=[4])
    active_today: int = Field(description="Did something that the log records since midnight", examples=[2])
    active_week: int = Field(description="The same in seven days, today included", examples=[3])
    growth_rate: float | None = Field(
        description="Against 30 days before: 0.25 is a quarter more; null if there was nobody", examples=[0.25]
    )
    by_role: dict[str, int] = Field(examples=[{"owner": 1, "editor": 2, "viewer": 1}])


class StatusCounts(ResponseBody):
    """A number, and the same by status. The trash does not count."""

    total: int = Field(examples=[12])
    by_status: dict[str, int] = Field(examples=[{"active": 10, "done": 2}])


class BookmarkMetrics(StatusCounts):
    """Bookmarks by the status of their capture, and in other states."""

    unread: int = Field(examples=[5])
    favorite: int = Field(examples=[3])
    archived: int = Field(examples=[1])
    trashed: int = Field(description="In the trash, and not in the total", examples=[0])


class ContentMetrics(ResponseBody):
    """What there is."""

    bookmarks: BookmarkMetrics
    projects: StatusCounts
    tasks: StatusCounts


class EngagementMetrics(ResponseBody):
    """What was done in 30 days, today included."""

    sessions: int = Field(description="Rows of events of one person with less than 30 idle minutes in between")
    avg_session_seconds: float | None = Field(description="From the first to the last event", examples=[420.5])
    searches: int = Field(examples=[31])
    recommendations_opened: int = Field(examples=[8])


class SystemMetrics(ResponseBody):
    """The server, whatever the organization."""

    uptime_seconds: float
    cache_hit_rate: float | None = Field(description="Hits of all lookups of responses, 0 to 1", examples=[0.87])
    api_response_ms_p50: float | None = Field(description="Estimated median of all processes", examples=[4.1])
    api_response_ms_p95: float | None = Field(description="Estimated from a histogram too", examples=[41.7])
    queue_depth: int | None = Field(description="Messages that wait, and captures that are due", examples=[0])


class Metrics(ResponseBody):
    """Numbers of an organization, or of the server."""

    scope: Literal["organization", "server"]
    time_zone: str = Field(examples=["Europe/Berlin"])
    period_start: datetime = Field(description="Midnight 29 days ago: where the 30 days begin")
    users: UserMetrics
    content: ContentMetrics
    engagement: EngagementMetrics
    system: SystemMetrics
    reasons: dict[str, str] = Field(
        description="Why a number is null, or lacks something, by its path",
        examples=[{"system.cache_hit_rate": "No response was looked up yet."}],
    )


class MetricsResponse(DashboardResponse[Metrics]):
    """The metrics in their envelope."""


class StatisticsQuery(QueryParams):
    """Which days, weeks or months."""

    first: Day | None = Field(None, alias="from", description="A day of the first interval; default: by the interval")
    last: Day | None = Field(None, alias="to", description="A day of the last interval; default: today")
    interval: Interval = "day"
    time_zone: TimeZone | None = None


class Counts(ResponseBody):
    """What happened."""

    users: int = Field(description="People who became members", examples=[0])
    bookmarks: int = Field(description="New links, imported ones included", examples=[7])
    captures: int = Field(description="Pages that the worker has stored", examples=[6])
    searches: int = Field(description="First pages of searches", examples=[3])
    tasks_completed: int = Field(examples=[2])
    recommendations_opened: int = Field(examples=[1])


class IntervalCounts(Counts):
    """What happened in one day, week or month."""

    date: str = Field(description="Its first day", examples=["2026-01-01"])


class Statistics(ResponseBody):
    """Counts of whole intervals, none left out."""

    model_config = ConfigDict(serialize_by_alias=True)

    first: str = Field(
        serialization_alias="from", description="First day of the first interval", examples=["2026-01-01"]
    )
    last: str = Field(serialization_alias="to", description="Last day of the last interval", examples=["2026-01-31"])
    interval: Interval
    time_zone: str = Field(examples=["Europe/Berlin"])
    recorded_since: datetime | None = Field(description="The first count or event; before it nothing was recorded")
    totals: Counts
    series: list[IntervalCounts]
    reasons: dict[str, str] = Field(description="What a number lacks, by its path", examples=[{}])


class StatisticsResponse(DashboardResponse[Statistics]):
    """The statistics in their envelope."""

    model_config = ConfigDict(serialize_by_alias=True)
