"""The activity log as a table of an export: the events that the actor may see."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, or_, select

from backend.activity.models import Activity
from backend.activity.types import visible_types
from backend.actor import Actor

# `(created_at, id)` is the key in whose order they are read.
HISTORY_COLUMNS = ("id", "created_at", "type", "user_id", "object_type", "object_id", "data")


def select_history(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Build the statement for the events, as the feed shows them."""
    visible = visible_types(actor.role)
    own = Activity.type.in_(visible["self"]) & (Activity.user_id == actor.user_id)
    columns = [getattr(Activity, name) for name in HISTORY_COLUMNS]
    which = (Activity.organization_id == actor.organization_id, or_(Activity.type.in_(visible["members"]), own))
    return select(*columns).where(*which)
