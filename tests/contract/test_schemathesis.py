"""The running server against its own OpenAPI document: whatever is sent, it answers as described (R-HTTP 6)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.schemathesis_run import EXAMPLES, check, configuration, configuration_of_two
from tests.support.api import Api
from tests.support.live import LiveServer

pytestmark = [pytest.mark.untraced, pytest.mark.integration, pytest.mark.processes]


def test_whatever_a_person_sends_is_answered_as_described(ada: Api, bob: Api, live: LiveServer, tmp_path: Path) -> None:
    check(live, configuration_of_two(tmp_path, ada, bob), "examples,fuzzing,stateful")


def test_whatever_a_stranger_sends_is_answered_as_described(live: LiveServer, tmp_path: Path) -> None:
    check(live, configuration(tmp_path), "examples,fuzzing", max(1, EXAMPLES // 3))
