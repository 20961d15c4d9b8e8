"""Urgency of open tasks and projects."""

from __future__ import annotations

from datetime import timedelta

from backend.clock import utc_now
from backend.recommendations.user_profile import ActiveWork

BY_STATUS = {"in_progress": 1.0, "todo": 0.6, "blocked": 0.4}
BY_PRIORITY = {"urgent": 0.4, "high": 0.2}
SOON, LATER = timedelta(days=3), timedelta(days=14)


def urgency(work: ActiveWork) -> float:
    """Return the urgency, between 0.4 and 1.8, from status, priority and due date; an overdue item counts as due
    now."""
    return BY_STATUS[work.status] + BY_PRIORITY.get(work.priority, 0.0) + _by_due_date(work)


def _by_due_date(work: ActiveWork) -> float:
    if work.due_at is None:
        return 0.0
    left = work.due_at - utc_now()
    return 0.4 if left < SOON else 0.2 if left < LATER else 0.0
