"""X-Forwarded-* headers, trusted only from the proxies that the operator names."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from loguru import logger
from werkzeug.middleware.proxy_fix import ProxyFix

from backend.http.client_addresses import plain_address
from config_checks import BASE_PATH, PRIVATE_NETWORKS, Network

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAPPED_PREFIX = 96
# Key in the environ: the address that the connection comes from, whatever its headers say.
PEER = "fuze.peer"
WITH_PORT = re.compile(r"(?:(?P<v4>[0-9.]+)|\[(?P<v6>[0-9A-Fa-f:.]+)\]):?[0-9]*")


class TrustedProxyFix:
    """Werkzeug's ProxyFix for requests that come from a trusted proxy; others pass as they are.

    A socket that takes both kinds of addresses writes those of IPv4 as `::ffff:192.0.2.1`: they are unwrapped here.

    Of the addresses in X-Forwarded-For, the client is the last one that is not itself a trusted proxy: those before it
    are only what the client claims.
    """

    def __init__(self, app: WSGIApplication, trusted: Sequence[Network], base_path: str = "") -> None:
        """Wrap `app`; `base_path` is its path below the host, unless a trusted proxy names another."""
        self._base_path = base_path
        self._direct = app
        self._forwarded = ProxyFix(app, x_for=0, x_proto=1, x_host=1)
        self._trusted = [_plain_network(network) for network in trusted]
        self._warnings = UntrustedProxyWarnings()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._base_path:
            _mount(environ, self._base_path)
        peer: str = environ.get("REMOTE_ADDR", "")
        if ":" in peer:
            peer = environ["REMOTE_ADDR"] = plain_address(peer)
        environ[PEER] = peer
        if not self._trusted or not self._is_trusted(peer):
            if "HTTP_X_FORWARDED_FOR" in environ:
                self._warnings.warn(peer)
            return self._direct(environ, start_response)
        addresses = [_bare(address.strip()) for address in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        while len(addresses) > 1 and self._is_trusted(addresses[-1]):
            addresses.pop()
        # Where the proxy names no address, the request counts as its own.
        if _is_address(addresses[-1]):
            environ["REMOTE_ADDR"] = addresses[-1]
        prefix = environ.get("HTTP_X_FORWARDED_PREFIX", "").rpartition(",")[2].strip().rstrip("/")
        if BASE_PATH.fullmatch(prefix):
            _mount(environ, prefix)
        return self._forwarded(environ, start_response)

    def _is_trusted(self, address: str) -> bool:
        if not _is_address(address):
            return False
        peer = ipaddress.ip_address(address)
        return any(peer in network for network in self._trusted)


class UntrustedProxyWarnings:
    """Warnings that say what to set where a proxy is not trusted: one for each process and kind of address.

    Every client can send the header: internet addresses must not use up the one line about the operator's own proxy.
    """

    def __init__(self) -> None:
        self._warned: set[bool] = set()

    def warn(self, peer: str) -> None:
        """Warn of a peer whose X-Forwarded-For is ignored. What the header holds is not logged."""
        if not _is_address(peer):
            return
        address = ipaddress.ip_address(peer)
        own = any(address in network for network in PRIVATE_NETWORKS)
        if own in self._warned:
            return
        self._warned.add(own)
        logger.warning(
            "X-Forwarded-For from {} is ignored: if that is your proxy, set TRUSTED_PROXIES={} (or its network), or all"
            " who come through it count as one client; if it is not, nothing need be done",
            address,
            address,
        )


def _mount(environ: WSGIEnvironment, base_path: str) -> None:
    """Mount the application below a path, whether the proxy has stripped it or not."""
    environ["SCRIPT_NAME"] = base_path
    path = environ.get("PATH_INFO", "")
    if path == base_path or path.startswith(f"{base_path}/"):
        environ["PATH_INFO"] = path.removeprefix(base_path) or "/"


def _bare(address: str) -> str:
    """Return the address without the port that some proxies add: with it, each connection would be another client."""
    match = WITH_PORT.fullmatch(address)
    return plain_address(match["v4"] or match["v6"] if match else address)


def _plain_network(network: Network) -> Network:
    """Return the network; of mapped addresses, the IPv4 network that they stand for."""
    mapped = network.network_address.ipv4_mapped if network.version == 6 else None
    if mapped is None or network.prefixlen < MAPPED_PREFIX:
        return network
    return ipaddress.ip_network((mapped, network.prefixlen - MAPPED_PREFIX))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
