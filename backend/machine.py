"""What this process may use of the machine: cores and memory, the bounds of its container included."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

# Below this, fewer processes leave room for the page cache and for a large page: an idle stack takes 430 MB.
SMALL_BYTES = 1536 * 2**20
MOST_PROCESSES, SMALL_PROCESSES = 12, 2
# Versions 2 and 1 of Linux's control groups, as a container sees its own.
MEMORY_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def count_cores() -> int:
    """Return the number of cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def count_web_processes() -> int:
    """Return the number of serving processes: two for each core, since some always wait for the database."""
    return min(2 * count_cores(), SMALL_PROCESSES if is_small() else MOST_PROCESSES)


def memory_bytes() -> int:
    """Return the memory of the machine, or of its container where that has less."""
    return min([int(psutil.virtual_memory().total), *_limits()])


def is_small() -> bool:
    """Tell whether the machine is one of about a gigabyte."""
    return memory_bytes() < SMALL_BYTES


def _limits() -> list[int]:
    limits = []
    for path in MEMORY_LIMITS:
        try:
            text = path.read_text().strip()
        except OSError:
            continue  # Another version, or another system.
        if text.isdecimal():  # Else "max".
            limits.append(int(text))
    return limits
