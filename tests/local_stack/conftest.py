"""Fixtures for the tests of the embedded stack."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def directory() -> Iterator[Path]:
    """Not pytest's own: each session tightens the directory above those, and PostgreSQL loses its way there."""
    with tempfile.TemporaryDirectory(prefix="fuze-up-") as path:
        yield Path(path)
