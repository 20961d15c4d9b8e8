"""Guarded fetch: a page from a hostile internet, within limits of time, size and network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import httpx

from backend.capture.extract.interstitials import HEADER_NAMES, interstitial_by_headers
from backend.capture.extract.media_types import content_type, is_unreadable, sniff
from backend.capture.failures import status_failure
from backend.capture.refresh import HTML_TYPES, refresh_target
from backend.outbound.addresses import IPNetwork
from backend.outbound.deadline import Deadline
from backend.outbound.decode import ACCEPT_ENCODING, DecodedBody, read_body
from backend.outbound.exchange import NetworkPolicy, open_response
from backend.outbound.failures import FetchError, parse_retry_after
from backend.outbound.resolver import Resolver, system_resolver
from backend.outbound.urls import parse_url
from backend.spans import child_span
from config import VERSION

__all__ = [
    "FetchError",
    "FetchPolicy",
    "FetchedPage",
    "LinkStatus",
    "Resolver",
    "fetch_page",
    "fetch_status",
    "system_resolver",
]
T = TypeVar("T")


def _allow(_: object) -> None:
    """Raise nothing: the default of checks."""


LARGE_BODY_BYTES = 2 * 1024 * 1024
ACCEPT = "text/html,application/xhtml+xml,application/pdf;q=0.9,text/plain;q=0.8,*/*;q=0.5"


@dataclass(frozen=True)
class FetchPolicy:
    """The limits of a fetch.

    Attributes:
        allowed_networks: may be reached although they are not public.
        timeout_seconds: for everything: lookups, connections, redirects and the body.
        max_bytes: longest body, as sent and inflated; the rest is cut off.
        max_redirects: hops after the first URL.
        resolve: resolves a host's addresses; called once for each hop.
        user_agent: value of the User-Agent header.
        enter: called with each URL before it is visited; an exception ends the fetch.
        reserve_memory: called with the length of each piece of a body before it is stored; likewise.
        headers: further headers of each request.
    """

    allowed_networks: Sequence[IPNetwork] = ()
    timeout_seconds: float = 20.0
    max_bytes: int = 10 * 1024 * 1024
    max_redirects: int = 5
    resolve: Resolver = system_resolver
    user_agent: str = f"Fuze/{VERSION} (+self-hosted bookmarks; reads a page once when a person saves it)"
    enter: Callable[[str], None] = _allow
    reserve_memory: Callable[[int], None] = _allow
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FetchedPage:
    """A fetched page.

    Attributes:
        url: the final URL, after redirects, without fragment.
        status: 200 to 299.
        media_type: lower-case, without parameters; by the header, else by the first bytes.
        charset: as the header names it, unchecked; None if it names none.
        body: decompressed; empty where the media type is unreadable.
        truncated: whether the body was cut.
        broken_off: whether it was the server or the connection that cut it.
        requested_url: the URL before redirects.
        headers: those that tell interstitial pages, by lower-case name.
    """

    url: str
    status: int
    media_type: str
    charset: str | None
    body: bytes
    truncated: bool
    broken_off: bool = False
    requested_url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_large(self) -> bool:
        """Whether its extraction takes much memory: ten to twenty times the body."""
        return len(self.body) > LARGE_BODY_BYTES


@dataclass(frozen=True)
class LinkStatus:
    """What an address says without its page: its status after redirects, and validators for a conditional request."""

    status: int
    etag: str | None
    last_modified: str | None


# What to make of the answer of an address: the result, or the URL that it leads on to.
Reader = Callable[[httpx.Response, FetchPolicy, Deadline], T | httpx.URL]


def fetch_page(url: str, policy: FetchPolicy) -> FetchedPage:
    """Fetch the page at a URL, following redirects, declarative refreshes among them, each of which is checked.

    Raises:
        FetchError: there is no page, or none that may be fetched.
    """
    reader = _PageReader()
    page = _follow(url, policy, reader.read)
    if reader.left is not None and is_unreadable(page.media_type):
        page = reader.left
    return replace(page, requested_url=url)


def fetch_status(url: str, policy: FetchPolicy) -> LinkStatus:
    """Fetch what an address answers, without its body, following redirects as `fetch_page`.

    Raises:
        FetchError: nothing answers, or it may not be fetched.
    """
    return _follow(url, policy, _read_status)


def _follow(url: str, policy: FetchPolicy, read: Reader[T]) -> T:
    deadline = Deadline(policy.timeout_seconds)
    cookies: dict[str, str] = {}
    target = parse_url(url)
    for _ in range(policy.max_redirects + 1):
        result = _visit(target, policy, cookies, deadline, read)
        if not isinstance(result, httpx.URL):
            return result
        if (result.scheme, result.raw_host) != (target.scheme, target.raw_host):
            cookies.clear()
        target = result
    raise FetchError("The address redirects too many times.")


def _visit(
    target: httpx.URL, policy: FetchPolicy, cookies: dict[str, str], deadline: Deadline, read: Reader[T]
) -> T | httpx.URL:
    """Fetch one URL; return what is read of it, or the URL that it redirects to."""
    policy.enter(str(target))
    request = httpx.Request("GET", target, headers=_headers(policy, cookies))
    # No address in the span, and no `traceparent` in the request: neither is anybody's business.
    with (
        child_span("GET", "client", {"http.request.method": "GET"}),
        open_response(request, NetworkPolicy(policy.allowed_networks, policy.resolve), deadline) as response,
    ):
        cookies.update(_cookies_of(response))
        if response.has_redirect_location:
            return parse_url(response.headers["location"], base=str(target))
        return read(response, policy, deadline)


def _headers(policy: FetchPolicy, cookies: dict[str, str]) -> dict[str, str]:
    headers = {
        "User-Agent": policy.user_agent,
        "Accept": ACCEPT,
        "Accept-Encoding": ACCEPT_ENCODING,
        "Connection": "close",
        **policy.headers,
    }
    if cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return headers


def _cookies_of(response: httpx.Response) -> dict[str, str]:
    """Return the cookies that a response sets, for its own host within this one fetch.

    Some sites redirect to themselves until their cookie comes back. Domains, paths and dates are not read:
    http.cookiejar stumbles over hostile ones.
    """
    pairs = (value.partition(";")[0].partition("=") for value in response.headers.get_list("set-cookie"))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip() and (name + value).isascii()}


def _read_status(response: httpx.Response, policy: FetchPolicy, deadline: Deadline) -> LinkStatus:
    return LinkStatus(response.status_code, response.headers.get("etag"), response.headers.get("last-modified"))


class _PageReader:
    """Reader of the pages of one fetch.

    `left` is the last page that led on by a refresh: a browser that is sent to a download stays on it.
    """

    def __init__(self) -> None:
        self.left: FetchedPage | None = None

    def read(self, response: httpx.Response, policy: FetchPolicy, deadline: Deadline) -> FetchedPage | httpx.URL:
        page = _read_page(response, policy, deadline)
        target = refresh_target(page.body, response.headers, page.media_type, page.url)
        if target is None:
            return page
        self.left = page
        return parse_url(target)


def _read_page(response: httpx.Response, policy: FetchPolicy, deadline: Deadline) -> FetchedPage:
    retry_after = response.headers.get("retry-after")
    if wall := interstitial_by_headers(response.headers):
        raise FetchError(wall.reason, True, parse_retry_after(retry_after))
    if not response.is_success:
        raise status_failure(response.status_code, retry_after)
    media_type, charset = content_type(response.headers)
    body = _read_body(response, media_type, policy, deadline)
    media_type = media_type or sniff(body.content)
    if body.fault and not _begins_document(body.content, media_type):
        raise body.fault
    return FetchedPage(
        url=str(response.url),
        status=response.status_code,
        media_type=media_type,
        charset=charset,
        body=body.content,
        truncated=body.is_cut or body.fault is not None,
        broken_off=body.fault is not None,
        headers={name: value for name, value in response.headers.items() if name in HEADER_NAMES},
    )


def _read_body(response: httpx.Response, media_type: str, policy: FetchPolicy, deadline: Deadline) -> DecodedBody:
    if is_unreadable(media_type):
        return DecodedBody(b"")
    coding = response.headers.get("content-encoding", "")
    return read_body(response.iter_raw(), coding, policy.max_bytes, deadline, policy.reserve_memory)


def _begins_document(body: bytes, media_type: str) -> bool:
    """Tell whether the beginning of a body is of use: of an HTML page, some markup."""
    return bool(body.strip()) and (media_type not in HTML_TYPES or b"<" in body)
