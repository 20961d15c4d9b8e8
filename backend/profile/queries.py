"""Queries of the own account: security events."""

from __future__ import annotations

from sqlalchemy import select

from backend.actor import Actor
from backend.auth.models import SecurityEvent
from backend.http.pagination import Sort, page_of, paginate
from backend.profile.schemas import SecurityEventOut, SecurityEventPage, SecurityEventsQuery


def list_security_events(actor: Actor, query: SecurityEventsQuery) -> SecurityEventPage:
    """List the security events of the person's account, newest first."""
    shape = select(SecurityEvent.id, SecurityEvent.created_at, SecurityEvent)
    order = Sort("-created_at", SecurityEvent.created_at, SecurityEvent.id)
    page = paginate([SecurityEvent.user_id == actor.user_id], shape, order, query)
    return page_of(SecurityEventPage, page, [SecurityEventOut.model_validate(row.SecurityEvent) for row in page.rows])
