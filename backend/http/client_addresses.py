"""Client addresses: their plain form, and the digest that stands for a customer."""

from __future__ import annotations

import hashlib
import ipaddress

# IPv6 gives every customer a network of at least this size.
IPV6_PREFIX = 64


def plain_address(address: str) -> str:
    """Return the address; of an IPv4 client on a socket for both kinds (`::ffff:192.0.2.1`), the IPv4 address."""
    if not address.lower().startswith("::ffff:"):
        return address
    try:
        mapped = ipaddress.IPv6Address(address).ipv4_mapped
    except ValueError:
        return address
    return str(mapped) if mapped else address


def address_digest(address: str) -> str:
    """Return one name for all addresses of a customer: no plain address is stored in Redis."""
    return hashlib.sha256(network_of(address).encode()).hexdigest()[:32]


def network_of(address: str) -> str:
    """Return what a customer's addresses have in common: the address itself, or the network of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(plain_address(address))
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False)) if parsed.version == 6 else str(parsed)
