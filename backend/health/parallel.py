"""Checks at the same time, each in a thread, within a budget: one that hangs delays no other, and no answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from backend.extensions import db


@dataclass
class _Run:
    """One run of a check; several callers may wait for it."""

    check: Callable[[], Any]
    has_ended: threading.Event = field(default_factory=threading.Event)
    result: Any = None
    error: Exception | None = None


class ParallelChecks:
    """Runs checks in threads of their own. A check that still runs is waited for, and not begun a second time."""

    def __init__(self, app: Flask) -> None:
        """Run checks in the context of an application."""
        self._app = app
        self._lock = threading.Lock()
        self._running: dict[str, _Run] = {}

    def run(self, checks: Mapping[str, Callable[[], Any]], seconds: float) -> dict[str, Any]:
        """Return the results by name, without those of checks that have not ended within so many seconds in all."""
        deadline = time.monotonic() + seconds
        runs = {name: self._begin(name, check) for name, check in checks.items()}
        ended = {name: run for name, run in runs.items() if run.has_ended.wait(max(0.0, deadline - time.monotonic()))}
        for run in ended.values():
            if run.error is not None:
                raise run.error
        return {name: run.result for name, run in ended.items()}

    def _begin(self, name: str, check: Callable[[], Any]) -> _Run:
        with self._lock:
            run = self._running.get(name)
            if run is None:
                run = self._running[name] = _Run(check)
                threading.Thread(target=self._work, args=(name, run), name=f"check-{name}", daemon=True).start()
            return run

    def _work(self, name: str, run: _Run) -> None:
        try:
            with self._app.app_context():
                try:
                    run.result = run.check()
                finally:
                    db.session.remove()
        except Exception as error:  # Raised again where the result is waited for.
            run.error = error
        finally:
            with self._lock:
                del self._running[name]
            run.has_ended.set()
