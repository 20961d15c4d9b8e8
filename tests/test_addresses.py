"""Whom a client's address stands for."""

from __future__ import annotations

import pytest

from backend.addresses import address_digest

pytestmark = pytest.mark.unit


def test_neighbours_in_one_ipv6_network_are_one_address() -> None:
    assert address_digest("2001:db8:1:2:3::4") == address_digest("2001:db8:1:2::1")
    assert address_digest("2001:db8:1:2::1") != address_digest("2001:db8:1:3::1")
    assert address_digest("192.0.2.1") != address_digest("192.0.2.2")
    assert address_digest("no address") != address_digest("")
