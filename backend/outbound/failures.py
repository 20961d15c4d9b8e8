"""Failures of outbound requests, as sentences for the person who asked."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpcore

LONGEST_WAIT_SECONDS = 24 * 60 * 60


class FetchError(Exception):
    """An outbound request failed.

    Attributes:
        reason: a sentence for the person who asked; without details of the server.
        retryable: whether a later try may succeed.
        retry_after_seconds: the wait that the site asks for, from 0 to a day; None if it names none.
    """

    def __init__(self, reason: str, retryable: bool = False, retry_after_seconds: int | None = None) -> None:
        super().__init__(reason, retryable, retry_after_seconds)
        self.reason = reason
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        return self.reason


class FetchTimeout(FetchError):
    """No response before the deadline."""


def fetch_timeout() -> FetchTimeout:
    """Make the failure of a passed deadline, or of a connection that took half a minute."""
    return FetchTimeout("The site took too long to answer.", retryable=True)


def host_not_found() -> FetchError:
    """Make the failure of a host without an address."""
    return FetchError("There is no site of this name.")


def certificate_error() -> FetchError:
    """Make the failure of a certificate of another host, of an untrusted authority, or out of date."""
    return FetchError("The site's security certificate is not valid.")


def connection_error(error: Exception) -> FetchError:
    """Translate an exception of httpcore."""
    if isinstance(error, httpcore.TimeoutException):
        return fetch_timeout()
    if isinstance(error, httpcore.ProtocolError):
        return FetchError("The site answered with something that is not valid HTTP.", retryable=True)
    if isinstance(error, httpcore.ConnectError):
        return FetchError("The site could not be reached.", retryable=True)
    return FetchError("The connection to the site broke off.", retryable=True)


def broken_body() -> FetchError:
    """Make the failure of a body that ends before its end."""
    return FetchError("The site sent only a part of the page.", retryable=True)


def parse_retry_after(value: str | None) -> int | None:
    """Parse a Retry-After header (RFC 9110, 10.2.3) into seconds, at most a day."""
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
