"""Jobs of digests: make those that are due, and look whether any is. Safe to run twice."""

from __future__ import annotations

from backend.digests.queries import is_any_due
from backend.digests.service import digests_message, make_next_digest
from backend.jobs.queue import send
from backend.jobs.registry import job
from backend.jobs.turns import Turn

# After so many, or so long, what waits on the queue has its turn.
MOST_AT_ONCE, LONGEST_TURN_SECONDS = 100, 30.0


@job("digests.make_due_digests")
def make_due_digests() -> None:
    """Make digests until none is due, or others have their turn."""
    turn = Turn(LONGEST_TURN_SECONDS)
    for _ in range(MOST_AT_ONCE):
        if not make_next_digest():
            return
        if turn.is_over:
            break
    send([digests_message()])


@job("digests.resend_due_digests")
def resend_due_digests() -> None:
    """Send a message where digests are due."""
    if is_any_due():
        send([digests_message()])
