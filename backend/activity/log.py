"""Recording of activity: events that a service adds to its transaction, written by one statement before the commit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from backend.activity.counting import count_activity
from backend.activity.types import ActivityType
from backend.actor import Actor
from backend.extensions import db
from backend.http.request_state import current_request_id
from backend.named_blocks import read_statements

# Keys in `session.info`: the events of the transaction that are not written yet, and those that are.
UNWRITTEN, WRITTEN = "unwritten_activity", "written_activity"
SQL = read_statements(__file__)


@dataclass(frozen=True, slots=True)
class _Event:
    organization_id: int
    user_id: int | None
    type: ActivityType
    object_id: int | None
    data: dict[str, Any]


def record_activity(actor: Actor, kind: ActivityType, object_id: int | None = None, /, **data: Any) -> None:
    """Record in the current transaction that somebody did something; the commit writes it.

    `data` is small, and names no texts of people: these change, and are deleted. None in it is left out.
    """
    record_activity_in(actor.organization_id, actor.user_id, kind, object_id, **data)


def record_activity_in(
    organization_id: int, user_id: int | None, kind: ActivityType, object_id: int | None = None, /, **data: Any
) -> None:
    """Record the same without an actor; `user_id` is None for what the worker does by itself."""
    given = {name: value for name, value in data.items() if value is not None}
    session = db.session()
    if not session.in_transaction():
        session.begin()  # So that a rollback is one.
    unwritten = session.info.setdefault(UNWRITTEN, [])
    unwritten.append(_Event(organization_id, user_id, kind, object_id, given))


@event.listens_for(db.session, "before_commit")
def _write(session: Session) -> None:
    events: list[_Event] = session.info.pop(UNWRITTEN, [])
    session.info.setdefault(WRITTEN, []).extend(events)
    rows = [_values(event) for event in events]
    if len(rows) == 1:
        session.execute(SQL["write_one"], {**rows[0], "request_id": current_request_id()})
    elif rows:
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        session.execute(SQL["write_many"], {**columns, "request_id": current_request_id()})


@event.listens_for(db.session, "after_commit")
def _count(session: Session) -> None:
    # The release of a savepoint is a commit too, which a rollback may still follow.
    if not session.in_nested_transaction():
        for written in session.info.pop(WRITTEN, []):
            count_activity(written.type, written.data)


def _values(event: _Event) -> dict[str, Any]:
    return {
        "organization_id": event.organization_id,
        "user_id": event.user_id,
        "type": event.type.value,
        "object_type": event.type.object_type,
        "object_id": event.object_id,
        "data": json.dumps(event.data),
    }


@event.listens_for(db.session, "after_soft_rollback")
def _forget(session: Session, previous: SessionTransaction) -> None:
    if not previous.nested:
        session.info.pop(UNWRITTEN, None)
        session.info.pop(WRITTEN, None)
