"""One request to an address that was checked, and its answer."""

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
from config import VERSION

MAX_RESPONSE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class NetworkPolicy:
    """What a request may get to: public addresses, and networks that are allowed although they are not public.

    `resolve` gives a host's addresses.
    """

    allowed: Sequence[IPNetwork] = ()
    resolve: Resolver = system_resolver


@dataclass(frozen=True)
class HttpResponse:
    """What came back: the body with its compression undone, cut at 1 MiB."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@contextmanager
def open_response(request: httpx.Request, reach: NetworkPolicy, deadline: Deadline) -> Iterator[httpx.Response]:
    """The answer to a request whose address is of the form that `parse_url` gives, its body unread.

    Raises:
        FetchError: there is none, also from within the block.
    """
    host = request.url.raw_host.decode("ascii")
    addresses = resolve_permitted(host, reach.resolve, reach.allowed, deadline)
    try:
        with (
            PinnedTransport(addresses, deadline) as transport,
            closing(transport.handle_request(request)) as response,
        ):
            yield response
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise connection_error(error) from error


def post_json(url: str, content: bytes, api_key: str | None, reach: NetworkPolicy, deadline: Deadline) -> HttpResponse:
    """Send JSON, with the key if there is one, and read the answer. Redirects are not followed.

    Nothing is sent along that is not given here, nothing of the machine's environment either.

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
    request = httpx.Request("POST", parse_url(url), headers=headers, content=content)
    with open_response(request, reach, deadline) as response:
        coding = response.headers.get("content-encoding", "")
        body, _ = read_body(response.iter_raw(), coding, MAX_RESPONSE_BYTES, deadline)
        return HttpResponse(response.status_code, response.headers, body)
