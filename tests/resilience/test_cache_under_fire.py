"""Redis dies, hangs and forgets under load: nobody is refused, nobody sees what was true before a write (R-CACHE 4)."""

from __future__ import annotations

import json

import pytest

from benchmarks.staleness import under_fire
from tests.resilience.conftest import Stack

pytestmark = [pytest.mark.untraced, pytest.mark.processes, pytest.mark.requires_db, pytest.mark.requires_redis]
PAIRS = 200
LANES = 3
PROCESSES = 2  # As the stack runs.


def test_what_one_process_wrote_every_other_one_shows_whatever_happens_to_redis(stack: Stack) -> None:
    people = [stack.client(f"lane{number}") for number in range(LANES)]
    tokens = [person.headers["Authorization"].removeprefix("Bearer ") for person in people]
    redis_url = json.loads((stack.data_dir / "stack.json").read_text())["REDIS_URL"]
    findings = under_fire(stack.url, tokens, redis_url, PAIRS, PROCESSES, breath=1.0)
    assert findings.faults == {}
    assert findings.stale == []
    assert findings.pairs >= PAIRS
    assert findings.reads >= PAIRS
    assert len(findings.processes) == PROCESSES
