"""Failures by the status of a site's response, in words for persons."""

from __future__ import annotations

from backend.outbound.failures import FetchError, parse_retry_after

RETRYABLE_STATUSES = frozenset({408, 425, 429})
REASONS = {
    401: "The page needs a login (401).",
    403: "The site does not give this page out (403).",
    404: "There is no page at this address (404).",
    408: "The site took too long to answer (408).",
    410: "The page is gone for good (410).",
    429: "The site asks to come back later: too many requests (429).",
    451: "The page is blocked for legal reasons (451).",
}


def status_failure(status: int, retry_after: str | None) -> FetchError:
    """Return the failure for a final status other than 2xx; `retry_after` is that header's value."""
    if status in RETRYABLE_STATUSES or 500 <= status < 600:
        reason = REASONS.get(status, f"The site has trouble of its own ({status}).")
        return FetchError(reason, True, parse_retry_after(retry_after))
    if 400 <= status < 500:
        return FetchError(REASONS.get(status, f"The site refuses the request ({status})."))
    return FetchError(f"The site answers without a page ({status}).")
