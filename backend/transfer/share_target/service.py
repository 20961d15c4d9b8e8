"""Leads what is shared to the web client."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from backend.extensions import current_settings
from backend.transfer.share_target.schemas import ShareQuery


def save_address(host: str, base: str, shared: ShareQuery) -> str:
    """Return the page of the web client that saves what is shared.

    `host` is how this server was called, `base` its path there: its own client has that page at another address, so
    that this one does not lead to itself.
    """
    site = current_settings().FRONTEND_URL.rstrip("/")
    parts = urlsplit(site)
    is_own = parts.netloc.lower() == host.lower() and parts.path == base
    target = f"{site}/add" if is_own else f"{site}/save"
    query = urlencode(shared.model_dump(exclude_none=True))
    return f"{target}?{query}" if query else target
