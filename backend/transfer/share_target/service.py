"""Leads what is shared to the web client."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from backend.errors import NotFound
from backend.extensions import current_settings
from backend.transfer.share_target.schemas import ShareQuery


def save_address(host: str, shared: ShareQuery) -> str:
    """Find the page of the web client that saves what is shared; `host` is how this server was called.

    Raises:
        NotFound: FRONTEND_URL names this server itself, which has no such page.
    """
    target = f"{current_settings().FRONTEND_URL.rstrip('/')}/save"
    parts = urlsplit(target)
    if parts.netloc.lower() == host.lower() and parts.path == "/save":
        raise NotFound("There is no web client at FRONTEND_URL to save this with.")
    query = urlencode(shared.model_dump(exclude_none=True))
    return f"{target}?{query}" if query else target
