"""Jobs of search suggestions. Idempotent."""

from __future__ import annotations

from backend.jobs.queue import Message, send
from backend.jobs.registry import job
from backend.jobs.turns import Turn
from backend.search.suggest.refresh import due_organizations, refresh_organization

REFRESH_TIMEOUT_SECONDS = 900
ORGANIZATIONS = 1_000


def refresh_message() -> Message:
    """Build the message that refreshes the suggestions of changed organizations."""
    return Message("search.refresh_suggestions", queue="bulk", timeout_seconds=REFRESH_TIMEOUT_SECONDS, once=True)


@job("search.resend_due_suggestions")
def resend_due_suggestions() -> None:
    """Send the refresh message if suggestions are due; saving a bookmark sends none."""
    if due_organizations(1):
        send([refresh_message()])


@job("search.refresh_suggestions")
def refresh_suggestions() -> None:
    """Refresh the suggestions of due organizations, the oldest first, until others have their turn."""
    turn = Turn(REFRESH_TIMEOUT_SECONDS / 3)
    for organization_id in due_organizations(ORGANIZATIONS):
        if turn.is_over:
            send([refresh_message()])
            return
        refresh_organization(organization_id)
