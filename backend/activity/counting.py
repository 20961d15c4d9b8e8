"""Metrics of activity: what the log records is counted once its transaction is committed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.activity.types import ActivityType
from backend.observability.metrics.recording import record_activity_event, record_completed, record_created


def count_activity(kind: ActivityType, data: Mapping[str, Any]) -> None:
    """Count an event; one that stands for many things says how many (`count`)."""
    record_activity_event(kind.value)
    number = int(data.get("count") or 1)
    match kind:
        case ActivityType.BOOKMARK_CREATED | ActivityType.BOOKMARK_IMPORTED:
            source = "import" if kind is ActivityType.BOOKMARK_IMPORTED else "bulk" if "count" in data else "single"
            record_created("bookmark", number, source)
        case ActivityType.PROJECT_CREATED:
            record_created("project", number)
        case ActivityType.TASK_CREATED:
            record_created("task", number)
        case ActivityType.TASK_COMPLETED:
            record_completed("task", number)
        case ActivityType.PROJECT_UPDATED if data.get("status") == "done":
            record_completed("project", number)
