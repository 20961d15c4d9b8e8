"""HTTP exchange: one request to a checked address, and its response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

import httpcore
import httpx

from backend.outbound.addresses import IPNetwork
from backend.outbound.deadline import Deadline
from backend.outbound.decode import ACCEPT_ENCODING, read_body
from backend.outbound.failures import connection_error
from backend.outbound.resolver import Resolver, resolve_permitted, system_resolver
from backend.outbound.transport import PinnedTransport
from backend.outbound.urls import parse_url
from backend.spans import annotate_span, child_span, current_traceparent
from config import VERSION

MAX_RESPONSE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class NetworkPolicy:
    """Network policy of a request: public addresses, and the networks that the operator allows.

    `resolve` returns the addresses of a host.
    """

    allowed: Sequence[IPNetwork] = ()
    resolve: Resolver = system_resolver


@dataclass(frozen=True)
class HttpResponse:
    """HTTP response; the body is decompressed, and cut at 1 MiB."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@contextmanager
def open_response(request: httpx.Request, policy: NetworkPolicy, deadline: Deadline) -> Iterator[httpx.Response]:
    """Send a request whose address comes from `parse_url`, and yield the response, its body unread.

    Raises:
        FetchError: there is no response; also from within the block.
    """
    host = request.url.raw_host.decode("ascii")
    addresses = resolve_permitted(host, policy.resolve, policy.allowed, deadline)
    try:
        with (
            PinnedTransport(addresses, deadline) as transport,
            closing(transport.handle_request(request)) as response,
        ):
            annotate_span({"http.response.status_code": response.status_code})
            yield response
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise connection_error(error) from error


def post_json(url: str, content: bytes, api_key: str | None, policy: NetworkPolicy, deadline: Deadline) -> HttpResponse:
    """Send JSON, with the key if there is one, and read the response. Redirects are not followed.

    No other header is sent but `traceparent` where traces are on, and nothing of the machine's environment.

    Raises:
        FetchError: the address cannot be used or reached, or time is up.
    """
    headers = {
        "User-Agent": f"Fuze/{VERSION}",
        "Accept": "application/json",
        "Accept-Encoding": ACCEPT_ENCODING,
        "Content-Type": "application/json",
        "Connection": "close",
    }
    if api_key is not None:
        headers["Authorization"] = f"Bearer {api_key}"
    with child_span("POST", "client", {"http.request.method": "POST"}):
        if traceparent := current_traceparent():
            headers["traceparent"] = traceparent
        request = httpx.Request("POST", parse_url(url), headers=headers, content=content)
        with open_response(request, policy, deadline) as response:
            return _read_response(response, deadline)


def _read_response(response: httpx.Response, deadline: Deadline) -> HttpResponse:
    coding = response.headers.get("content-encoding", "")
    body = read_body(response.iter_raw(), coding, MAX_RESPONSE_BYTES, deadline)
    if body.fault is not None:
        raise body.fault
    return HttpResponse(response.status_code, response.headers, body.content)
