"""Schemas of /bookmarks/captures."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from backend.http.schemas import ResponseBody


class CaptureBacklogOut(ResponseBody):
    """How far the pages of an organization's bookmarks have been read, without those in the trash."""

    pending: int = Field(description="Wait, or are being read")
    in_progress: int = Field(description="Of these, those that are being read")
    captured: int
    failed: int
    skipped: int
    oldest_due_at: datetime | None = Field(
        description="Since when the one has waited, or until when it waits for its next try, whose turn came first"
    )
