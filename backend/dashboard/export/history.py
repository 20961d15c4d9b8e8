"""The activity log as a table of an export, from whoever provides it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select

from backend.actor import Actor

HISTORY_COLUMNS = ("id", "created_at", "type", "user_id", "object_type", "object_id", "data")
# Given an actor, the events that they may see, with these columns; `(created_at, id)` is unique.
SelectHistory = Callable[[Actor], Select[*tuple[Any, ...]]]
_providers: list[SelectHistory] = []


def provide_history(select_visible: SelectHistory) -> None:
    """Let exports hold the activity log, read by this statement."""
    _providers[:] = [select_visible]


def history_provider() -> SelectHistory | None:
    """Return the statement of the activity log; None where nothing provides one."""
    return _providers[0] if _providers else None
