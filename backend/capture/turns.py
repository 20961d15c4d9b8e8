"""Claims on pending bookmarks, in fair order by person and by host.

A claim moves `capture_due_at` past a lease, which the worker renews, and sets `capture_claimed_at`, which identifies
the claim. Not `leases.DueRows`, since fair turns choose the rows, and since the due time, which changes with each
renewal, cannot be the fencing token. A person is the user who saved the link, or its organization where the user has
left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text

from backend.bookmarks.messages import capture_subject
from backend.bookmarks.models import Bookmark
from backend.extensions import current_settings, db
from backend.jobs.queue import requests_of
from backend.named_blocks import read_statements
from backend.observability.log_context import log_context
from backend.spans import SpanAttributes, continued_span

# Counts above this limit only say that workers are behind.
MAX_COUNTED = 100_000

# One process claims at a time: two would exceed the limits of a person or host.
LOCK = text("SELECT pg_advisory_xact_lock(hashtext('bookmarks.capture.turns'))")


SQL = read_statements(__file__)


@dataclass(frozen=True)
class Claim:
    """A bookmark that this process captures: its URL when it was claimed, and the person and host of the turn.

    `page_average` is the mean length of the organization's pages, if it is known; `request_id` is that of the request
    that asked for the capture, `traceparent` what continues its trace.
    """

    bookmark_id: int
    organization_id: int
    person: int
    host: str
    url: str
    attempt: int
    claimed_at: datetime
    page_average: float | None
    request_id: str = ""
    traceparent: str = ""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Record a step in the trace of the request; all that this thread logs names the bookmark and the request."""
        attributes: SpanAttributes = {"fuze.request_id": self.request_id, "fuze.bookmark_id": self.bookmark_id}
        with (
            continued_span(f"capture {name}", "internal", attributes, self.traceparent),
            log_context(request_id=self.request_id, bookmark_id=self.bookmark_id, organization_id=self.organization_id),
        ):
            yield


@dataclass(frozen=True)
class ClaimLimits:
    """Limits of concurrent claims.

    `free` is what this process can take in addition. `per_person` holds in all processes together while others wait,
    `alone` in this process while nobody else waits, `per_host` always.
    """

    free: int
    per_person: int
    alone: int
    per_host: int


def claim_next(limits: ClaimLimits, *, here: Mapping[int, int], busy: Sequence[str], after: int) -> list[Claim]:
    """Claim the next bookmarks within the limits. Commits.

    Args:
        limits: numbers of concurrent claims.
        here: the number of this process's claims by person.
        busy: hosts without a free slot, whatever the claims say.
        after: the person of the last turn; the round continues behind them.
    """
    db.session.execute(LOCK)
    values = {
        **vars(limits),
        "people": list(here),
        "numbers": list(here.values()),
        "busy": list(busy),
        "after": after,
        "lease": current_settings().CAPTURE_LEASE_SECONDS,
    }
    claims = [Claim(*row) for row in db.session.execute(SQL["claim"], values)]
    db.session.commit()
    return _with_requests(claims)


def renew_leases(claims: Sequence[Claim]) -> None:
    """Renew the leases of these claims; those that another process has taken over are left to it. Commits."""
    db.session.execute(SQL["renew"], _identities(claims) | {"lease": current_settings().CAPTURE_LEASE_SECONDS})
    db.session.commit()


def release_claims(claims: Sequence[Claim], *, wait_seconds: float = 0, host: str | None = None) -> int:
    """Release these claims without a result, as if they had never been taken; return how many were still held. Commits.

    Args:
        claims: the claims.
        wait_seconds: delay until the bookmarks are due again.
        host: the host whose limit counts from now on, since the URL redirects to it.
    """
    values = _identities(claims) | {"wait": wait_seconds, "host": host}
    released = db.session.execute(SQL["hand_back"], values).all()
    db.session.commit()
    return len(released)


def is_capture_due() -> bool:
    """Tell whether a bookmark is due for capture and not claimed."""
    return db.session.scalar(select(Bookmark.id).where(*_due()).limit(1)) is not None


def count_due_captures() -> int:
    """Count the captures that wait for a worker, up to 100,000."""
    return (
        db.session.scalar(select(func.count()).select_from(select(1).where(*_due()).limit(MAX_COUNTED).subquery())) or 0
    )


def _with_requests(claims: list[Claim]) -> list[Claim]:
    """Add the requests that saved the links; the ids of those of jobs are known already."""
    unknown = [capture_subject(claim.bookmark_id) for claim in claims if not claim.request_id]
    known = requests_of(unknown) if unknown else {}
    return [
        replace(claim, request_id=origin.request_id, traceparent=origin.traceparent)
        if (origin := known.get(capture_subject(claim.bookmark_id)))
        else claim
        for claim in claims
    ]


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
