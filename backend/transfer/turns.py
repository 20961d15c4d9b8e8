"""Turns of imports: how long one may occupy the worker; without limit while no other waits, else for a moment at a
time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from backend.jobs.service import KINDS
from backend.transfer.queries import do_others_wait

# Others wait for no longer than this, and for the batch that is being written.
SLICE_SECONDS = 5.0
# Then what is no job has its turn, too, such as vectors and counts.
LONGEST_SECONDS = 120.0
ASK_SECONDS = 1.0
# What runs in the same lane of the worker.
KINDS_BESIDE = tuple(kind for kind, message in KINDS.items() if message.queue in ("interactive", "bulk"))


@dataclass
class Turn:
    """The time that a run of an import has."""

    user_id: int
    begun: float = field(default_factory=time.monotonic)
    asked: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether to let others have their turn. One statement, not more often than every second."""
        now = time.monotonic()
        if now - self.begun >= LONGEST_SECONDS:
            return True
        if now - self.begun < SLICE_SECONDS or now - self.asked < ASK_SECONDS:
            return False
        self.asked = now
        return do_others_wait(self.user_id, KINDS_BESIDE)
