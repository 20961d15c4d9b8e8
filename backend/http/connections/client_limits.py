"""How slow a client may be, and how many connections one address may have."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import gettempdir
from typing import Self

from backend.http.client_addresses import network_of, plain_address
from config import Settings
from config_checks import Network

LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
REMEMBERED_ADDRESSES = 1024


@dataclass(frozen=True)
class ClientLimits:
    """What a process holds its clients to."""

    # For a request's headers, and for each span in which its body must go on at this rate.
    header_seconds: float = 10.0
    body_bytes_per_second: int = 500
    # Of one address at one process.
    connections: int = 256
    # Proxies: what comes through them comes from many people.
    uncounted: tuple[Network, ...] = LOOPBACK
    data_dir: Path = field(default_factory=lambda: Path(gettempdir()))

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Take the limits that the settings say."""
        return cls(
            settings.REQUEST_HEADER_SECONDS,
            settings.REQUEST_BODY_BYTES_PER_SECOND,
            settings.CONNECTIONS_PER_ADDRESS,
            (*LOOPBACK, *settings.TRUSTED_PROXIES),
            settings.FUZE_DATA_DIR,
        )


class AddressCounts:
    """Counts connections by address; all of an IPv6 customer's network count as one."""

    def __init__(self, limits: ClientLimits) -> None:
        self._most = limits.connections
        self._counts: Counter[str] = Counter()
        # A client that opens a connection for each request comes again and again.
        self._name = lru_cache(REMEMBERED_ADDRESSES)(lambda address: _counted_name(address, limits.uncounted))

    def admit(self, address: str) -> bool:
        """Count a connection, unless this address has as many as it may."""
        name = self._name(address)
        if name is None:
            return True
        if self._counts[name] >= self._most:
            return False
        self._counts[name] += 1
        return True

    def leave(self, address: str) -> None:
        """Count a connection no longer."""
        name = self._name(address)
        if name is not None:
            self._counts[name] -= 1
            if self._counts[name] <= 0:
                del self._counts[name]


def _counted_name(address: str, uncounted: Sequence[Network]) -> str | None:
    """Under which name connections of an address are counted; None where they are not, as those of a Unix socket."""
    try:
        parsed = ipaddress.ip_address(plain_address(address))
    except ValueError:
        return None
    return None if any(parsed in network for network in uncounted) else network_of(address)
