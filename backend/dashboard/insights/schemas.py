"""What goes out under /dashboard/insights."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from backend.dashboard.schemas import DashboardResponse
from backend.http.schemas import ResponseBody


class WeekOut(ResponseBody):
    """A week of the person's."""

    first_day: date
    read: int = Field(description="Bookmarks that were marked as read in it", examples=[4])


class ReadingPaceOut(ResponseBody):
    """Twelve weeks, the present one last."""

    weeks: list[WeekOut]
    per_week: float = Field(description="Mean of the eleven weeks before the present one", examples=[3.5])


class AgeOut(ResponseBody):
    """Unread bookmarks that were saved at least and less than so many days ago."""

    from_days: int = Field(examples=[7])
    to_days: int | None = Field(description="null: any number", examples=[30])
    unread: int = Field(examples=[12])


class BacklogOut(ResponseBody):
    """Unread bookmarks outside the archive."""

    total: int = Field(examples=[40])
    oldest_created_at: datetime | None
    by_age: list[AgeOut]


class TrendOut(ResponseBody):
    """A tag or domain, and how often it was saved."""

    name: str
    saved: int = Field(description="In the last 30 days", examples=[6])
    saved_before: int = Field(description="In the 30 days before", examples=[4])
    change: float | None = Field(description="0.5 is half as many again; null: there was none before", examples=[0.5])


class TagPairOut(ResponseBody):
    """Two tags, and the number of bookmarks that carry both."""

    tags: list[str] = Field(examples=[["databases", "postgresql"]])
    bookmarks: int = Field(examples=[9])


class ForgottenProjectOut(ResponseBody):
    """An active project in which nothing has changed for 30 days."""

    id: int
    name: str
    last_changed_at: datetime
    open_tasks: int = Field(examples=[2])


class InsightsOut(ResponseBody):
    """What is counted of the person; null where the credential does not reach it."""

    time_zone: str = Field(description="In which weeks begin", examples=["Europe/Berlin"])
    reading_pace: ReadingPaceOut | None
    backlog: BacklogOut | None
    top_tags: list[TrendOut] | None
    top_domains: list[TrendOut] | None
    tag_pairs: list[TagPairOut] | None = Field(description="Of the latest 10,000 bookmarks")
    forgotten_projects: list[ForgottenProjectOut] | None = Field(description="The longest forgotten first")


class InsightsResponse(DashboardResponse[InsightsOut]):
    """Insights in their envelope."""
