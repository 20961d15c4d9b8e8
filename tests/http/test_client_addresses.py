"""Whom a client's address stands for."""

from __future__ import annotations

import pytest

from backend.http.client_addresses import address_digest, plain_address

pytestmark = pytest.mark.unit


def test_neighbours_in_one_ipv6_network_are_one_address() -> None:
    assert address_digest("2001:db8:1:2:3::4") == address_digest("2001:db8:1:2::1")
    assert address_digest("2001:db8:1:2::1") != address_digest("2001:db8:1:3::1")
    assert address_digest("192.0.2.1") != address_digest("192.0.2.2")
    assert address_digest("no address") != address_digest("")


def test_an_ipv4_address_is_the_same_however_it_is_written() -> None:
    assert address_digest("::ffff:192.0.2.1") == address_digest("::FFFF:c000:201") == address_digest("192.0.2.1")
    assert address_digest("::ffff:192.0.2.1") != address_digest("::ffff:192.0.2.2")
    for other in ("::ffff:0:192.0.2.1", "::ffff:nonsense", "::1", "2001:db8::1", ""):
        assert plain_address(other) == other
