"""Clients of linkding's API."""

from __future__ import annotations

import pytest

from tests.linkding.client import LinkdingClient
from tests.support.api import Api


@pytest.fixture
def client(ada: Api) -> LinkdingClient:
    """A client of linkding's API with a token of ada's."""
    return LinkdingClient(ada)
