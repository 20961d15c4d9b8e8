"""What tests of recommendations share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from backend.ai.service import embedding_fault
from tests.recommendations.offers import Directions


@pytest.fixture
def directions(app: Flask) -> Iterator[Directions]:
    """A provider of embeddings that knows four directions, and settings that name it."""
    usual = app.extensions["settings"]
    with app.app_context():
        embedding_fault()  # Makes the slot.
    slot = app.extensions["embeddings"]
    slot.provider = provider = Directions()
    app.extensions["settings"] = usual.model_copy(
        update={
            "EMBEDDING_PROVIDER": "local",
            "EMBEDDING_MODEL": provider.model,
            "EMBEDDING_DIMENSION": provider.dimension,
        }
    )
    with app.app_context():
        yield provider
    app.extensions["settings"] = usual
    slot.provider = None
