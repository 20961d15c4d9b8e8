"""Fixtures of the capture tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.capture.fetching import PUBLIC
from tests.capture.local_server import LocalServer, running


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """A server at the one address that the tests' bounds allow."""
    with running(PUBLIC) as running_server:
        yield running_server
