"""What glibc's malloc holds back, and when it gives that to the system; with another C library nothing happens."""

from __future__ import annotations

import ctypes
import sys

# malloc.h of glibc
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
ARENAS = 2
LARGE_BLOCK_BYTES = 512 * 1024

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
# Not every Linux has glibc.
_set_option, _trim = getattr(_libc, "mallopt", None), getattr(_libc, "malloc_trim", None)


def bound_arenas() -> None:
    """Use few arenas, as MALLOC_ARENA_MAX has it for a program that starts: each holds freed memory back."""
    if _set_option is not None:
        _set_option(M_ARENA_MAX, ARENAS)


def return_large_blocks() -> None:
    """Give each large block back to the system when it is freed.

    glibc would raise the size that counts as large with each such block, up to 32 MiB, and keep what is smaller.
    """
    if _set_option is not None:
        _set_option(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)


def return_free_memory() -> None:
    """Give free memory back to the system, after something large: glibc would hold it for the next one."""
    if _trim is not None:
        _trim(0)
