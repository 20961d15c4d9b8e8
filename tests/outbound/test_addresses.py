"""The table of addresses that capture refuses (DESIGN 7; issue 2, Shows 4)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.outbound.addresses import (
    SPECIAL_NETWORKS,
    canonical_host,
    is_permitted,
    is_public,
    literal_address,
)

pytestmark = pytest.mark.unit

PRIVATE_IPV4 = st.sampled_from([network for network in SPECIAL_NETWORKS if network.version == 4]).flatmap(
    lambda network: st.integers(int(network[0]), int(network[-1])).map(IPv4Address)
)

# How an IPv6 address can carry an IPv4 address that some gateway or stack on the way unpacks.
EMBEDDINGS = {
    "mapped": lambda v4: 0xFFFF << 32 | v4,
    "translated": lambda v4: 0xFFFF << 48 | v4,
    "compatible": lambda v4: v4,
    "NAT64": lambda v4: 0x64FF9B << 96 | v4,
    "local NAT64": lambda v4: 0x64FF9B0001 << 80 | v4,
    "6to4": lambda v4: 0x2002 << 112 | v4 << 80 | 1,
    "Teredo": lambda v4: 0x20010000 << 96 | (v4 ^ 0xFFFFFFFF),
    "Teredo server": lambda v4: 0x20010000 << 96 | v4 << 64,
    "ISATAP": lambda v4: 0x2A00 << 112 | 0x5EFE << 32 | v4,
    "ISATAP, global": lambda v4: 0x2A00 << 112 | 0x02005EFE << 32 | v4,
}


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1",
        "127.255.255.255", "168.63.129.16", "169.254.0.1", "169.254.169.254", "169.254.170.2", "172.16.0.1",
        "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1",
        "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::2", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8",
        "::ffff:0:10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::10.0.0.1", "100::1", "2001::1", "2001:2::1",
        "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::1", "2002:a00:1::1", "3fff::1", "4000::1",
        "5f00::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fe80::1", "fe80::1%lo", "febf::1", "fec0::1",
        "ff00::1", "ff02::1", "ff0e::1", "2a00:1450::1%lo", "2a00:1450::5efe:10.0.0.1",
    ],
)  # fmt: skip
def test_an_address_off_the_public_internet_is_refused(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize(
    "text",
    ["1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
     "128.0.0.1", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
     "198.20.0.0", "223.255.255.255", "2001:200::1", "2001:4860:4860::8888", "2606:4700::1111",
     "2a00:1450:4001:81b::200e"],
)  # fmt: skip
def test_an_address_of_the_public_internet_is_let_through(text: str) -> None:
    assert is_public(ip_address(text))


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_whatever_python_calls_not_global_or_multicast_is_refused(address: IPv4Address | IPv6Address) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        assert not is_public(address)


@given(PRIVATE_IPV4)
def test_every_address_of_every_special_network_is_refused(address: IPv4Address) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("form", EMBEDDINGS)
@given(PRIVATE_IPV4)
def test_a_private_ipv4_address_inside_an_ipv6_address_is_refused(form: str, address: IPv4Address) -> None:
    assert not is_public(IPv6Address(EMBEDDINGS[form](int(address))))


def test_allowed_networks_lift_the_refusal_for_themselves_only() -> None:
    allowed = [ip_network("127.0.0.0/8"), ip_network("fd12::/16")]
    assert is_permitted(ip_address("127.1.2.3"), allowed)
    assert is_permitted(ip_address("fd12::1"), allowed)
    assert is_permitted(ip_address("8.8.8.8"), allowed)
    for text in ("10.0.0.1", "::1", "::ffff:127.0.0.1", "fd13::1", "169.254.169.254"):
        assert not is_permitted(ip_address(text), allowed)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("under_score.example.com", "under_score.example.com"),
        ("trailing-.example.com", "trailing-.example.com"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("MÜNCHEN.de", "xn--mnchen-3ya.de"),
        ("xn--mnchen-3ya.de", "xn--mnchen-3ya.de"),
        ("日本語。ＪＰ", "xn--wgv71a119e.jp"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0X7F.1", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("127.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("１２７.０.０.１", "127.0.0.1"),
        ("127。0。0。1", "127.0.0.1"),
        ("①②⑦.⓪.⓪.①", "127.0.0.1"),
        ("ｌｏｃａｌｈｏｓｔ", "localhost"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("::FFFF:127.0.0.1", "::ffff:7f00:1"),
    ],
)
def test_a_host_is_read_the_way_it_will_be_connected(host: str, expected: str) -> None:
    assert canonical_host(host) == str(expected) or ip_address(canonical_host(host)) == ip_address(expected)


@pytest.mark.parametrize(
    "host",
    ["", ".", "a..b", ".example.com", "example.com..", "exa mple.com", "a\\b", "%31%32%37.0.0.1", "a%00b",
     "a/b", "1.2.3.4.5", "256.256.256.256", "4294967296", "08.1.1.1", "0x", "0x.0x", "example.123", "a.0x7f",
     "v1.x:y", "fe80::1%eth0", "fe80::1%25eth0", "1:2:3", "::1]", "a" * 64 + ".com", "a." * 127 + "com",
     "é" * 300, "\u200d.com", "a\u2028b.com", "ex\x00ample.com", "example.com\n"],
)  # fmt: skip
def test_what_is_neither_an_address_nor_a_name_is_refused(host: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is not part of the promise
        canonical_host(host)


@given(st.text(max_size=60))
def test_any_host_is_read_or_refused_and_reading_twice_changes_nothing(host: str) -> None:
    try:
        read = canonical_host(host)
    except ValueError:
        return
    assert read.isascii()
    assert canonical_host(read) == read


@pytest.mark.parametrize("host", ["localhost", "foo.localhost", "a.b.localhost"])
def test_names_under_localhost_are_loopback_without_a_lookup(host: str) -> None:
    assert literal_address(host) == IPv4Address("127.0.0.1")


@pytest.mark.parametrize("host", ["example.com", "localhost.example.com", "notlocalhost"])
def test_other_names_have_to_be_looked_up(host: str) -> None:
    assert literal_address(host) is None
