"""What must be sent before a process ends: spans and reports of errors, if any are."""

from __future__ import annotations

from collections.abc import Callable

_flushes: dict[str, Callable[[], None]] = {}


def flush_at_end(name: str, flush: Callable[[], None] | None) -> None:
    """Have something sent at the end of this process and of its forks; None: no more."""
    if flush is None:
        _flushes.pop(name, None)
    else:
        _flushes[name] = flush


def flush_telemetry() -> None:
    """Send it now. Each waits a few seconds at most."""
    for flush in _flushes.values():
        flush()
