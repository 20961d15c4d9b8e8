"""Why a fetch ends without a page, in words that a person understands."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpcore

LONGEST_WAIT_SECONDS = 24 * 60 * 60
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


class FetchError(Exception):
    """No page came back.

    Attributes:
        reason: a sentence for the person who saved the link; nothing of the server's insides.
        retryable: whether a later try may end better.
        retry_after_seconds: the wait that the site asked for, from 0 to a day; None if it asked for none.
    """

    def __init__(self, reason: str, retryable: bool = False, retry_after_seconds: int | None = None) -> None:
        super().__init__(reason, retryable, retry_after_seconds)
        self.reason = reason
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        return self.reason


def took_too_long() -> FetchError:
    """The deadline of the whole fetch has passed."""
    return FetchError("The site took too long to answer.", retryable=True)


def not_found() -> FetchError:
    """The host has no address."""
    return FetchError("There is no site of this name.")


def bad_certificate() -> FetchError:
    """The certificate is not of this host, not of a trusted authority, or out of date."""
    return FetchError("The site's security certificate is not valid.")


def status_failure(status: int, retry_after: str | None) -> FetchError:
    """What a final status other than 2xx means; `retry_after` is that header's value."""
    if status in RETRYABLE_STATUSES or 500 <= status < 600:
        reason = REASONS.get(status, f"The site has trouble of its own ({status}).")
        return FetchError(reason, True, parse_retry_after(retry_after))
    if 400 <= status < 500:
        return FetchError(REASONS.get(status, f"The site refuses the request ({status})."))
    return FetchError(f"The site answers without a page ({status}).")


def connection_failure(error: Exception) -> FetchError:
    """What an exception of httpcore means."""
    if isinstance(error, httpcore.TimeoutException):
        return took_too_long()
    if isinstance(error, httpcore.ProtocolError):
        return FetchError("The site answered with something that is not valid HTTP.", retryable=True)
    if isinstance(error, httpcore.ConnectError):
        return FetchError("The site could not be reached.", retryable=True)
    return FetchError("The connection to the site broke off.", retryable=True)


def parse_retry_after(value: str | None) -> int | None:
    """Seconds to wait, from a number of seconds or an HTTP date (RFC 9110, 10.2.3), at most a day."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), LONGEST_WAIT_SECONDS)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    seconds = math.ceil((aware - datetime.now(UTC)).total_seconds())
    return min(max(seconds, 0), LONGEST_WAIT_SECONDS)
