"""Forks that run a module of Python: like programs that start, in all but the memory that they share."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.unit, pytest.mark.processes]

# The module that the fork runs tells what it sees, and sleeps.
MODULE = """
import json, os, signal, sys, time
seen = {
    "arguments": sys.argv[1:],
    "name": __name__,
    "environment": dict(os.environ),
    "shown": open("/proc/self/environ").read().strip(chr(0)),
    "title": open("/proc/self/cmdline").read().strip(chr(0)),
    "files": sorted(os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if int(fd) > 2 and
        os.path.exists(f"/proc/self/fd/{fd}")),
    "leads": os.getsid(0) == os.getpid(),
    "stops": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
}
print(json.dumps(seen))
if "sleep" in sys.argv:
    time.sleep(60)
sys.exit(3)
"""
PARENT = """
import json, os, signal, sys
from backend.local_stack.forks import fork_module
signal.signal(signal.SIGTERM, lambda *_: None)
held = open(os.devnull)
found = []
for words in (("one", "two"), ("sleep",)):
    fork = fork_module([sys.executable, "-m", "told", *words], env={"NAME": "value"})
    line = fork.stdout.readline()
    assert words != ("sleep",) or fork.poll() is None
    fork.send_signal(signal.SIGTERM) if words == ("sleep",) else None
    found.append({**json.loads(line), "code": fork.wait(), "polled": fork.poll()})
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What two forks told of themselves: one that exits, and one that is stopped."""
    folder = tmp_path_factory.mktemp("forks")
    Path(folder, "told.py").write_text(MODULE)
    path = os.pathsep.join((str(folder), str(Path(__file__).parents[2])))
    done = subprocess.run(
        [sys.executable, "-c", PARENT],
        env={**os.environ, "PYTHONPATH": path, "SECRET_OF_THE_PARENT": "hidden"},
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    forks: list[dict[str, Any]] = json.loads(done.stdout)
    return forks


def test_the_module_runs_as_a_program_with_its_arguments_and_environment(found: list[dict[str, Any]]) -> None:
    first = found[0]
    assert (first["name"], first["arguments"]) == ("__main__", ["one", "two"])
    assert first["environment"]["NAME"] == "value"
    assert "SECRET_OF_THE_PARENT" not in first["environment"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows them")
def test_tools_see_its_command_line_and_no_environment(found: list[dict[str, Any]]) -> None:
    assert [fork["title"] for fork in found] == ["python -m told one two", "python -m told sleep"]
    assert {fork["shown"] for fork in found} == {""}


def test_it_leads_a_session_and_has_no_file_and_no_signal_handler_of_its_parent(found: list[dict[str, Any]]) -> None:
    assert all(fork["leads"] and fork["stops"] for fork in found)
    assert not [path for fork in found for path in fork["files"] if path == os.devnull or path.startswith("pipe:")]


def test_the_parent_gets_the_exit_code_or_the_signal(found: list[dict[str, Any]]) -> None:
    assert [(fork["code"], fork["polled"]) for fork in found] == [(3, 3), (-signal.SIGTERM, -signal.SIGTERM)]
