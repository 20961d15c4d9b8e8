"""Who may read the metrics: whoever shows METRICS_TOKEN; without one, callers on this machine."""

from __future__ import annotations

import hmac
import ipaddress

from werkzeug.datastructures import Headers

from backend.errors import Forbidden, Unauthenticated
from config import Settings

# A request with one of these has come through a proxy, which may pass on those of the whole internet.
FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")
NOT_LOCAL = (
    "Metrics are for callers on this machine. Set METRICS_TOKEN to read them from elsewhere, or through a proxy."
)
SCHEME = "bearer"


def authorize_scrape(settings: Settings, headers: Headers, peer: str) -> None:
    """Let a scrape pass; `peer` is the address that the connection comes from, whatever the headers say.

    Raises:
        Unauthenticated: METRICS_TOKEN is set, and the request does not show it.
        Forbidden: it is not set, and the caller is not known to be on this machine.
    """
    token = settings.METRICS_TOKEN.get_secret_value()
    if token:
        scheme, _, shown = headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME or not hmac.compare_digest(shown.strip().encode(), token.encode()):
            raise Unauthenticated("The metrics ask for METRICS_TOKEN.")
    elif not _is_local(settings, headers, peer):
        raise Forbidden(NOT_LOCAL)


def _is_local(settings: Settings, headers: Headers, peer: str) -> bool:
    """Whether a caller is certainly on this machine: over loopback, and through no proxy on it."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    is_proxy = any(address in network for network in settings.TRUSTED_PROXIES)
    return address.is_loopback and not is_proxy and not any(name in headers for name in FORWARDED)
