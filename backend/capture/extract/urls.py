"""URLs inside a page."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from backend.capture.extract.text import clean_line


def absolute_url(address: str, base_url: str) -> str | None:
    """Resolve `address` against `base_url`; None unless the result is an http or https URL with a host."""
    try:
        url = urljoin(base_url, clean_line(address) or "")
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def host_of(url: str) -> str:
    """Return the host in `url`, in lower case; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
