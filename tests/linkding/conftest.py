"""Clients of linkding's API."""

from __future__ import annotations

import pytest

from tests.api import Api
from tests.linkding.client import LinkdingClient


@pytest.fixture
def client(ada: Api) -> LinkdingClient:
    """A client of linkding's API with a token of ada's."""
    return LinkdingClient(ada)
