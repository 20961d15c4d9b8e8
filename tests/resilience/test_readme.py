"""The README's tour works as pasted: its own lines run in a shell against the running stack."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import pytest

from tests.resilience.conftest import ROOT, Site, Stack

pytestmark = [pytest.mark.processes, pytest.mark.requires_db, pytest.mark.requires_redis]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tour needs curl")
def test_the_last_line_of_the_tour_finds_the_page_by_a_word_of_its_body(stack: Stack, site: Site) -> None:
    site.delay = 0.0
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    tour = next(block for block in blocks if "/search?q=" in block)
    assert len(tour.strip().splitlines()) == 5
    surroundings = {"API": f"{stack.url}/api/v1", "PAGE": site.url("zebrafinch"), "WORD": "ornithology"}
    done = subprocess.run(
        ["bash", "-eu", "-c", tour], env={**os.environ, **surroundings}, capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert found["total"] == 1
    assert found["items"][0]["bookmark"]["url"] == site.url("zebrafinch")
    assert found["items"][0]["highlights"]["snippet"] == "<mark>Ornithology</mark> of zebrafinch."
