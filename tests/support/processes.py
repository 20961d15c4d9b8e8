"""What the tests of the command line share: free ports, patience, and a look at who is alive."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress

import psutil


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# With it coverage measures the processes that a test starts.
OF_PROCESSES = "COVERAGE_PROCESS_CONFIG"
# Coverage slows a process by half. Programs go without that run none of our code, or what other tests measure.
UNMEASURED = {OF_PROCESSES: ""}


def foreign_environment(**more: str) -> dict[str, str]:
    """The environment for a program that runs none of our code."""
    return {**os.environ, **UNMEASURED, **more}


def eventually(condition: Callable[[], object], timeout: float = 20) -> bool:
    """Whether the condition comes true within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def survivors(pids: list[int]) -> dict[int, list[str]]:
    """Those of some processes that still run, with their state and command lines."""
    found: dict[int, list[str]] = {}
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if alive(pid):
                found[pid] = [process.status(), str(process.ppid()), *process.cmdline()]
    return found
