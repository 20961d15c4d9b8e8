"""URLs: validation for saving, and normalisation for finding duplicates."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

MAX_LENGTH = 2048
MAX_HOST_LENGTH = 253  # RFC 1035, 2.3.4, without the root's dot; an index holds no much longer one.
DEFAULT_PORTS = {"http": 80, "https": 443}
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
BAD_HOST = re.compile(r'[\s<>"\\^`{|}%#?@/\[\]]')
IPV6_PLACE = re.compile(r"\[([0-9a-f:.]+)\](:[0-9]*)?", re.IGNORECASE)
# A host as people type or paste it; scheme, user information, path, query and fragment are ignored.
SITE = re.compile(
    r"(?:https?://)?(?:[^/?#@\s]*@)?(?:\[(?P<ipv6>[0-9a-f:.]+)\]|(?P<host>[\w-]+(?:\.[\w-]+)*))\.?"
    r"(?::(?P<port>[0-9]{1,5}))?(?:[/?#].*)?"
)
# Tracking parameters, which never select a page.
TRACKING = re.compile(
    r"utm_.*|fbclid|gclid|gclsrc|gbraid|wbraid|msclkid|dclid|yclid|twclid|ttclid"
    r"|igshid|igsh|mc_[ce]id|_hs(enc|mi)|__hs(sc|tc|fp)|hsctatracking|mkt_tok|vero_(id|conv)|oly_(anon|enc)_id|s_kwcid"
    r"|_openstat|srsltid|gad_source|gad_campaignid|li_fat_id|rb_clickid|wickedid|_g[al]|ml_subscriber(_hash)?|ref_src|sc_cid",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Site:
    """A host in lower case, with a port where one is given. `parse_site` parses its `str` back."""

    host: str
    port: int | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


def parse_site(text: str) -> Site | None:
    """Parse the site of a host, a host with a port, an IPv6 address, or a URL; None for other text."""
    text = text.strip().lower()
    if _is_ipv6(text):
        return Site(text)
    match = SITE.fullmatch(text)
    if match is None or (match["ipv6"] and not _is_ipv6(match["ipv6"])):
        return None
    port = int(match["port"]) if match["port"] else None
    return Site(match["ipv6"] or match["host"], port) if port is None or 0 < port < 2**16 else None


def url_error(url: str) -> str | None:
    """Return why a URL cannot be saved, or None."""
    if len(url) > MAX_LENGTH:
        return f"A URL is at most {MAX_LENGTH} characters long"
    if CONTROL.search(url):
        return "A URL holds no control characters"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "This is not a valid URL"
    if parts.scheme not in DEFAULT_PORTS:
        return "Only http and https URLs can be saved"
    if "@" in parts.netloc:
        return "A URL must not carry a user name or password"
    if not _is_host(parts) or port == 0:
        return "A URL needs a valid host"
    return None


def normalise_url(url: str) -> str:
    """Return the form by which duplicates are found (API.md, Bookmarks); never shown, never fetched."""
    parts = urlsplit(url)
    query = _normalised_query(parts.query)
    fragment = parts.fragment if parts.fragment.startswith(("/", "!")) else ""
    return "".join(
        [
            "//",
            _normalised_host(parts),
            parts.path.rstrip("/"),
            f"?{query}" if query else "",
            f"#{fragment}" if fragment else "",
        ]
    )


def url_hash(url: str) -> bytes:
    """Return the SHA-256 of the normalised URL: short enough for an index, whatever the URL's length."""
    return hashlib.sha256(normalise_url(url).encode("utf-8", "surrogatepass")).digest()


def domain_of(url: str) -> str:
    """Return the host without `www.`, for lists and filters."""
    return _bare_host(urlsplit(url))


def normalise_domain(domain: str) -> str:
    """Return the stored form of a domain that a person typed in a filter."""
    return _ascii_host(domain.strip().lower()).removeprefix("www.")


def _normalised_host(parts: SplitResult) -> str:
    port = parts.port
    host = _bare_host(parts)
    host = f"[{host}]" if ":" in host else host
    return host if port is None or port == DEFAULT_PORTS[parts.scheme] else f"{host}:{port}"


def _bare_host(parts: SplitResult) -> str:
    return _ascii_host(parts.hostname or "").removeprefix("www.")


def _is_host(parts: SplitResult) -> bool:
    if "[" in parts.netloc:
        match = IPV6_PLACE.fullmatch(parts.netloc)
        return match is not None and _is_ipv6(match.group(1))
    host = _ascii_host(parts.hostname or "")
    return bool(host) and len(host) <= MAX_HOST_LENGTH and not BAD_HOST.search(host)


def _is_ipv6(address: str) -> bool:
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return False
    return True


def _ascii_host(host: str) -> str:
    # The root's dot is removed last, since IDNA converts full stops of other scripts to dots.
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        ascii_host = host
    return ascii_host.rstrip(".")


def _normalised_query(query: str) -> str:
    parts = [part for part in query.split("&") if part and not TRACKING.fullmatch(part.partition("=")[0])]
    # Sorted by name alone: the order of repeated parameters is significant.
    return "&".join(sorted(parts, key=lambda part: part.partition("=")[0]))
