"""One run of Schemathesis: which tests, as whom, with which configuration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.api import Api
from tests.support.live import LiveServer
from tests.support.processes import foreign_environment

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
# Test cases for each operation, and where chance begins. More of them, or others, find more.
EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "12"))
SEED = os.environ.get("CONTRACT_SEED", "1")


def check(live: LiveServer, config: Path, phases: str, examples: int = EXAMPLES) -> None:
    """Run Schemathesis against the server, in the directory of its configuration."""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("st"),
            *("--config-file", config),
            *("run", f"{live.url}/api/openapi.json", "--no-color", "--seed", SEED),
            *("--phases", phases, "-n", str(examples)),
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


def configuration_of_two(directory: Path, ada: Api, bob: Api) -> Path:
    """As Ada; what she reads of her own is asked for as Bob too, who must not get it."""
    people = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {person.token}"}]}
        for name, person in (("ada", ada), ("bob", bob))
    ]
    (directory / "people.json").write_text(json.dumps({"auth": people}))
    return configuration(directory, '\n[auth.wfc]\npath = "people.json"\nuser = "ada"\npeers = ["ada", "bob"]\n')
