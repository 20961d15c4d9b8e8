"""What the worker does for repeated requests."""

from __future__ import annotations

from backend.http.idempotency import service


def purge_idempotency_keys() -> None:
    """Delete what is older than a day: from then on the same key is a new request."""
    service.purge()
