"""URL parsing for requests: one reading, whatever other parsers make of the text."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import httpx

from backend.outbound.addresses import canonical_host
from backend.outbound.failures import FetchError

MAX_URL_LENGTH = 8192


def parse_url(url: str, base: str = "") -> httpx.URL:
    """Parse a URL, relative to `base`, into the form that is requested: canonical host, no fragment.

    It is rebuilt from the checked parts, so that no other reading of the text matters.

    Raises:
        FetchError: the URL may not be fetched.
    """
    invalid = FetchError("This is not a valid web address.")
    try:
        parts = urlsplit(urljoin(base, url))
        if parts.scheme not in ("http", "https"):
            raise FetchError("Only http and https addresses can be fetched.")
        if "@" in parts.netloc:
            raise FetchError("An address with a user name or a password in it is not fetched.")
        if parts.port == 0 or len(url) > MAX_URL_LENGTH:
            raise invalid
        host = canonical_host(parts.hostname or "")
        authority = f"[{host}]" if ":" in host else host
        if parts.port is not None:
            authority += f":{parts.port}"
        return httpx.URL(parts._replace(netloc=authority, fragment="").geturl())
    except (ValueError, httpx.InvalidURL):
        raise invalid from None
