"""Whose page is read next: claims on pending bookmarks, taken in turns by person and by host.

A claim moves `capture_due_at` past a lease, which whoever reads renews, and sets `capture_claimed_at`, by which it is
known from any earlier and later one. A person is who saved the link, or its organization where they have left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text

from backend.bookmarks.models import Bookmark
from backend.database import named_statements
from backend.extensions import current_settings, db

# More than these need not be counted to know that a worker is behind.
COUNTED = 100_000

# Only one process at a time decides whose turn it is: two would give the same person or host twice what it may have.
LOCK = text("SELECT pg_advisory_xact_lock(hashtext('bookmarks.capture.turns'))")


SQL = named_statements(Path(__file__).with_suffix(".sql"))


@dataclass(frozen=True)
class Claim:
    """A bookmark that this process reads: its address when it was taken, whose turn it is, and at which host.

    `page_average` is the mean length of the organization's pages, if it is known.
    """

    bookmark_id: int
    organization_id: int
    person: int
    host: str
    url: str
    attempt: int
    claimed_at: datetime
    page_average: float | None


@dataclass(frozen=True)
class Places:
    """How much may be under way at once.

    `free` is how much more this process can take. `per_person` holds in all processes together while others wait,
    `alone` in this process while nobody else does, `per_host` always.
    """

    free: int
    per_person: int
    alone: int
    per_host: int


def claim_next(places: Places, *, here: Mapping[int, int], busy: Sequence[str], after: int) -> list[Claim]:
    """Take what is to be read next, as much as there are places. Commits.

    Args:
        places: how much may be under way.
        here: how much of each person this process reads already.
        busy: hosts that have no place, whatever the claims say.
        after: the person who had the last turn; the round goes on behind them.
    """
    db.session.execute(LOCK)
    values = {
        **vars(places),
        "people": list(here),
        "numbers": list(here.values()),
        "busy": list(busy),
        "after": after,
        "lease": current_settings().CAPTURE_LEASE_SECONDS,
    }
    claims = [Claim(*row) for row in db.session.execute(SQL["claim"], values)]
    db.session.commit()
    return claims


def renew(claims: Sequence[Claim]) -> None:
    """Begin the leases of these from now; what another process has taken meanwhile is left to it. Commits."""
    db.session.execute(SQL["renew"], _identities(claims) | {"lease": current_settings().CAPTURE_LEASE_SECONDS})
    db.session.commit()


def hand_back(claims: Sequence[Claim], *, wait_seconds: float = 0, host: str | None = None) -> int:
    """Let go of these without a result, as if they had never been taken; how many were still held. Commits.

    Args:
        claims: what was not read.
        wait_seconds: when they may be taken again.
        host: whose turn it is to count from now on, since the address leads there.
    """
    values = _identities(claims) | {"wait": wait_seconds, "host": host}
    found = db.session.execute(SQL["hand_back"], values).all()
    db.session.commit()
    return len(found)


def is_capture_due() -> bool:
    """Whether a bookmark waits for a capture whose time has come and that nobody works on."""
    return db.session.scalar(select(Bookmark.id).where(*_due()).limit(1)) is not None


def count_due_captures() -> int:
    """How many captures wait for a worker, counted up to 100,000."""
    return db.session.scalar(select(func.count()).select_from(select(1).where(*_due()).limit(COUNTED).subquery())) or 0


def _due() -> tuple[Any, ...]:
    return (
        Bookmark.capture_status == "pending",
        Bookmark.capture_due_at <= func.now(),
        Bookmark.deleted_at.is_(None),
    )


def _identities(claims: Sequence[Claim]) -> dict[str, Any]:
    return {
        "ids": [claim.bookmark_id for claim in claims],
        "claims": [claim.claimed_at for claim in claims],
        "attempts": [claim.attempt for claim in claims],
    }
