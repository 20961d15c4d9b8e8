"""How long a message may keep the worker: as long as nobody else needs it, else a moment at a time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from sqlalchemy import text

from backend.extensions import db
from backend.jobs.service import KINDS

# Others wait for no longer than this, and for the batch that is being written.
SLICE_SECONDS = 5.0
ASK_SECONDS = 1.0
# What runs in the same lane of the worker.
KINDS_BESIDE = tuple(kind for kind, message in KINDS.items() if message.queue in ("interactive", "bulk"))
OTHERS_WAIT = text("""
    SELECT EXISTS (
        SELECT FROM jobs
         WHERE status = 'queued' AND run_after <= now() AND kind = ANY(CAST(:kinds AS text[]))
           AND (kind <> :own_kind OR user_id IS DISTINCT FROM :user_id))
""")


@dataclass
class Turn:
    """The time that a run has before others are let in.

    Args:
        longest_seconds: Then what is no job has its turn, too, such as vectors and counts.
        own_kind: Jobs of this kind and person do not count as others; without it all jobs do.
    """

    longest_seconds: float
    own_kind: str = ""
    user_id: int | None = None
    begun: float = field(default_factory=time.monotonic, init=False)
    asked: float = field(default=0.0, init=False)

    @property
    def is_over(self) -> bool:
        """Whether to let others have their turn. One statement, not more often than every second."""
        now = time.monotonic()
        if now - self.begun >= self.longest_seconds:
            return True
        if now - self.begun < SLICE_SECONDS or now - self.asked < ASK_SECONDS:
            return False
        self.asked = now
        values = {"kinds": list(KINDS_BESIDE), "own_kind": self.own_kind, "user_id": self.user_id}
        return bool(db.session.scalar(OTHERS_WAIT, values))
