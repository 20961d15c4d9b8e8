"""Command line of a fork, as tools that list processes show it."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

# Positions in /proc/self/stat behind the name of the program, see proc(5): arg_start and env_end.
FIRST_ARGUMENT, END_OF_ENVIRONMENT = 45, 48


def set_title(title: str) -> None:
    """Show `title` instead of the arguments that this process inherited, and no environment.

    Both lie in one stretch of memory, which the kernel shows to each reader. The environment that was inherited
    must be out of use: `os.environ.clear()` sees to that. Linux only; elsewhere nothing happens.
    """
    if sys.platform != "linux":
        return
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[FIRST_ARGUMENT]), int(fields[END_OF_ENVIRONMENT])
    if not 0 < start < end:
        return  # A sandbox that hides addresses.
    shown = title.encode()[: end - start - 1]
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, shown, len(shown))
