"""The activity log as a table of an export."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from backend.activity.models import Activity
from backend.actor import Actor
from backend.dashboard.queries import visible_to

COLUMNS = (
    *(Activity.id, Activity.created_at, Activity.type, Activity.user_id),
    *(Activity.object_type, Activity.object_id, Activity.data),
)
HISTORY_COLUMNS = tuple(column.key for column in COLUMNS)


def select_history(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Select the events that the actor may see."""
    return select(*COLUMNS).where(*visible_to(actor))
