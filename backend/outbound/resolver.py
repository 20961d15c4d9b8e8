"""DNS resolution: once for each request, within the deadline, every address checked (DESIGN 7)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from ipaddress import ip_address

from backend.outbound.addresses import IPAddress, IPNetwork, is_permitted, literal_address
from backend.outbound.deadline import Deadline
from backend.outbound.failures import FetchError, fetch_timeout, host_not_found

# From a host name to its addresses as text; raises socket.gaierror like getaddrinfo.
Resolver = Callable[[str], Sequence[str]]

# A name may have hundreds of addresses; all are checked, and only the first of them are tried.
MAX_ADDRESSES = 8
NO_SUCH_NAME = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))


def system_resolver(host: str) -> Sequence[str]:
    """Resolve a host by the machine's resolver, in its order of preference."""
    return [str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def resolve_permitted(
    host: str, resolve: Resolver, allowed: Sequence[IPNetwork], deadline: Deadline
) -> Sequence[IPAddress]:
    """Resolve a canonical host to the addresses that a connection may use.

    Raises:
        FetchError: the host has no address, one of its addresses is refused, or the lookup took too long.
    """
    literal = literal_address(host)
    if literal is not None:
        addresses = [literal]
    else:
        addresses = [ip_address(text) for text in dict.fromkeys(_look_up(host, resolve, deadline))]
    if not addresses:
        raise host_not_found()
    if not all(is_permitted(address, allowed) for address in addresses):
        raise FetchError("This address is not on the public internet, so it is not fetched.")
    return addresses[:MAX_ADDRESSES]


def _look_up(host: str, resolve: Resolver, deadline: Deadline) -> Sequence[str]:
    try:
        return _in_thread(resolve, host, deadline)
    except TimeoutError:
        raise fetch_timeout() from None
    except OSError as error:
        if isinstance(error, socket.gaierror) and error.errno in NO_SUCH_NAME:
            raise host_not_found() from error
        raise FetchError("The site's name could not be looked up.", retryable=True) from error


def _in_thread(resolve: Resolver, host: str, deadline: Deadline) -> Sequence[str]:
    addresses: Future[Sequence[str]] = Future()

    def look_up() -> None:
        try:
            addresses.set_result(resolve(host))
        except Exception as error:
            addresses.set_exception(error)

    # getaddrinfo cannot be interrupted: past the deadline the daemon thread is abandoned.
    threading.Thread(target=look_up, name="resolver", daemon=True).start()
    while not wait([addresses], deadline.longest_wait).done:
        deadline.beat()
    return addresses.result()
