"""The job of idempotency keys."""

from __future__ import annotations

from backend.http.idempotency import service


def purge_idempotency_keys() -> None:
    """Delete keys older than a day: after that the same key is a new request."""
    service.purge()
