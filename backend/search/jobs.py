"""What the worker does for search. Thin: find what is due, call a service; safe to run twice."""

from __future__ import annotations

import time

from backend.jobs.queue import Message, send
from backend.jobs.registry import job
from backend.search.suggest.refresh import due_organizations, refresh_organization

REFRESH_TIMEOUT_SECONDS = 900
ORGANIZATIONS = 1_000


def refresh_message() -> Message:
    """Refresh the suggestions of all organizations in which something changed."""
    return Message("search.refresh_suggestions", queue="bulk", timeout_seconds=REFRESH_TIMEOUT_SECONDS, once=True)


@job("search.resend_due_suggestions")
def resend_due_suggestions() -> None:
    """Send the message that refreshes suggestions, if any are due: bookmarks are saved without asking for it."""
    if due_organizations(1):
        send([refresh_message()])


@job("search.refresh_suggestions")
def refresh_suggestions() -> None:
    """Refresh suggestions, the oldest first, until the time of this message is nearly up; the next one goes on."""
    end = time.monotonic() + REFRESH_TIMEOUT_SECONDS / 3
    for organization_id in due_organizations(ORGANIZATIONS):
        if time.monotonic() > end:
            return
        refresh_organization(organization_id)
