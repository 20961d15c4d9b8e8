"""The load generators: wrk, which keeps its connections open, and ab, which opens one for each request."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SCRIPT = Path(__file__).parent / "wrk.lua"
PACKAGES = {"wrk": "wrk", "ab": "apache2-utils"}

# Another number for each run of wrk, in this process and, most probably, after it.
_runs = itertools.count(int(time.time()) % 1_000_000 * 1_000)


@dataclass(frozen=True)
class Target:
    """What is loaded: an address, the headers of every request, and in which way (see `wrk.lua`) requests differ."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = "same"
    file: Path | None = None


@dataclass(frozen=True)
class Load:
    """What one run of wrk measured. Percentiles in milliseconds.

    `refused` answers had a status of 400 or more; `lost` requests had no answer in time.
    """

    requests: int
    seconds: float
    refused: int
    lost: int
    p50: float
    p95: float
    p99: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def faults(self) -> int:
        return self.refused + self.lost


@dataclass(frozen=True)
class Burst:
    """What one run of ab measured; `failed` counts answers that were lost, of another length or not 2xx."""

    complete: int
    failed: int
    per_second: float


def need_programs(*names: str) -> None:
    """Leave with one line for each program that is not here, which says how to get it."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        sys.exit("\n".join(f"{name} is not here; on Debian: apt-get install {PACKAGES[name]}" for name in missing))


def run_wrk(target: Target, connections: int, seconds: float) -> Load:
    """Load the target over so many connections; wrk itself takes one thread."""
    headers = [f"--header={name}: {value}" for name, value in target.headers.items()]
    run = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout=30s", f"--script={SCRIPT}", *headers]
    file = [str(target.file)] if target.file else []
    done = _output([*run, target.url, "--", target.kind, str(next(_runs)), *file])
    return read_wrk(done)


def run_ab(target: Target, requests: int, connections: int) -> Burst:
    """Send so many requests, each over a connection of its own, so many at a time."""
    headers = [part for name, value in target.headers.items() for part in ("-H", f"{name}: {value}")]
    return read_ab(_output(["ab", "-q", "-n", str(requests), "-c", str(connections), *headers, target.url]))


def read_wrk(output: str) -> Load:
    """The last line is what `wrk.lua` wrote."""
    return Load(**json.loads(output.strip().splitlines()[-1]))


def read_ab(output: str) -> Burst:
    """What ab prints for people."""

    def number(label: str) -> float:
        found = re.search(rf"^{label}:\s+([\d.]+)", output, re.MULTILINE)
        return float(found[1]) if found else 0.0

    failed = int(number("Failed requests")) + int(number("Non-2xx responses"))
    return Burst(int(number("Complete requests")), failed, number("Requests per second"))


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout
