"""Address guard: canonical hosts, and the test for addresses on the public internet (DESIGN 7)."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import idna

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

MAX_HOST_LENGTH = 253
LABEL = re.compile(r"[a-z0-9_-]{1,63}")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

# Sources: the IANA IPv4 and IPv6 special-purpose address registries, and multicast. Ranges that IANA calls
# globally reachable but that serve no web pages (anycast relays, AS112) are refused with their neighbours.
SPECIAL_NETWORKS = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba Cloud's metadata at 100.100.100.200
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's platform service: a public number that every Azure machine reaches
        "169.254.0.0/16",  # link-local; cloud metadata at 169.254.169.254
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # IETF protocol assignments; Oracle Cloud's metadata at 192.0.0.192
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # automatic multicast tunnelling
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, with broadcast
        "2001::/23",  # IETF protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which carries an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)

# Only this block of IPv6 is assigned for the internet. Outside it lie loopback, unspecified, unique-local
# (with AWS's metadata at fd00:ec2::254), link-local and multicast addresses, and the forms that carry an IPv4
# address: mapped ::ffff:0:0/96, translated ::ffff:0:0:0/96, compatible ::/96, NAT64 64:ff9b::/96 and
# 64:ff9b:1::/48. They are refused whole: a public site has no need of them in its DNS.
GLOBAL_UNICAST = IPv6Network("2000::/3")

# The middle of an ISATAP interface identifier (RFC 5214, 6.1); an IPv4 address follows in the last 32 bits.
ISATAP_MARKS = (0x0000_5EFE, 0x0200_5EFE)


def is_public(address: IPAddress) -> bool:
    """Tell whether an address belongs to the public internet, by our table and by Python's."""
    if isinstance(address, IPv6Address) and not _is_plain_global_unicast(address):
        return False
    return address.is_global and not any(address in network for network in SPECIAL_NETWORKS)


def is_permitted(address: IPAddress, allowed: Sequence[IPNetwork]) -> bool:
    """Tell whether an address may be connected to: public, or in a network that the operator allows."""
    return any(address in network for network in allowed) or is_public(address)


def canonical_host(host: str) -> str:
    """Return the host as it is resolved or connected to: an address in its usual form, or an ASCII name.

    Numbers are read as `inet_aton` reads them (2130706433, 0x7f.1, 0177.0.0.1 and 127.1 are all 127.0.0.1),
    full-width digits and dots as the plain ones they stand for (UTS 46).

    Raises:
        ValueError: the host is neither an address nor a name.
    """
    if ":" in host:
        if "%" in host:
            raise ValueError("an address with a zone")
        return str(IPv6Address(host))
    if len(host) > MAX_HOST_LENGTH + 1:
        raise ValueError("a host that is too long")
    name = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    name = name.lower().removesuffix(".")
    labels = name.split(".")
    if NUMBER.fullmatch(labels[-1]):
        return str(_read_ipv4(name))
    if len(name) > MAX_HOST_LENGTH or not all(LABEL.fullmatch(label) for label in labels):
        raise ValueError("a host that is no name")
    return name


def literal_address(host: str) -> IPAddress | None:
    """Return the address that a canonical host denotes without DNS; None for a name.

    Names under `localhost` are the loopback address, whatever a name server says (RFC 6761, 6.3).
    """
    if host == "localhost" or host.endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_plain_global_unicast(address: IPv6Address) -> bool:
    isatap = (int(address) >> 32) & 0xFFFF_FFFF in ISATAP_MARKS
    return address in GLOBAL_UNICAST and address.scope_id is None and not isatap


def _read_ipv4(text: str) -> IPv4Address:
    try:
        return IPv4Address(socket.inet_aton(text))
    except OSError:
        raise ValueError("a host that ends in a number is an address, and this is none") from None
