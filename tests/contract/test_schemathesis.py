"""The running server against its own OpenAPI document: whatever is sent, it answers as described (R-HTTP 6)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backend.jobs.worker import HEARTBEATS
from backend.redis.client import redis_client
from tests.support.api import Api
from tests.support.live import LiveServer
from tests.support.processes import foreign_environment

pytestmark = [pytest.mark.integration, pytest.mark.processes]
HERE = Path(__file__).parent
ROOT = HERE.parent.parent
# Test cases for each operation, and where chance begins. More of them, or others, find more.
EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "12"))
SEED = os.environ.get("CONTRACT_SEED", "1")


@pytest.fixture(autouse=True)
def worker_alive(ada: Api) -> None:
    """A sign of life from a worker, good for an hour: /api/health/worker answers 503 without."""
    with ada.app.app_context():
        redis_client().zadd(HEARTBEATS, {"worker.1": time.time() + 3600})


def check(live: LiveServer, config: Path, *options: str) -> None:
    """Run Schemathesis against the server, in the directory of its configuration."""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("st"),
            *("--config-file", config),
            *("run", f"{live.url}/api/openapi.json", "--no-color", "--seed", SEED, *options),
        ],
        env=foreign_environment(PYTHONPATH=str(ROOT), SCHEMATHESIS_HOOKS="tests.contract.hooks"),
        cwd=config.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    written = "\n".join(line[:500] for line in f"{done.stdout}\n{done.stderr}".splitlines())
    assert done.returncode == 0, written


def configuration(directory: Path, more: str = "") -> Path:
    """Our configuration in a directory of the run's own, with more at its end."""
    path = directory / "schemathesis.toml"
    path.write_text((HERE / "schemathesis.toml").read_text() + more)
    return path


def test_whatever_a_person_sends_is_answered_as_described(ada: Api, bob: Api, live: LiveServer, tmp_path: Path) -> None:
    """As Ada; what she reads of her own is asked for as Bob too, who must not get it."""
    people = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {person.token}"}]}
        for name, person in (("ada", ada), ("bob", bob))
    ]
    (tmp_path / "people.json").write_text(json.dumps({"auth": people}))
    config = configuration(tmp_path, '\n[auth.wfc]\npath = "people.json"\nuser = "ada"\npeers = ["ada", "bob"]\n')
    check(live, config, "-n", str(EXAMPLES))


def test_whatever_a_stranger_sends_is_answered_as_described(live: LiveServer, tmp_path: Path) -> None:
    check(live, configuration(tmp_path), "--phases", "examples,fuzzing", "-n", str(max(1, EXAMPLES // 3)))
