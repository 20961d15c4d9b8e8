"""The same with each value at the edges of its schema, and beyond them; a file of its own, for a worker of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.schemathesis_run import check, configuration_of_two
from tests.support.api import Api
from tests.support.live import LiveServer

pytestmark = [pytest.mark.untraced, pytest.mark.integration, pytest.mark.processes]


def test_values_at_the_edges_of_a_schema_are_answered_as_described(
    ada: Api, bob: Api, live: LiveServer, tmp_path: Path
) -> None:
    check(live, configuration_of_two(tmp_path, ada, bob), "coverage")
