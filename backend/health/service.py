"""Health of the service: all checks at the same time, within a second."""

from __future__ import annotations

import threading
import time
from typing import Any, cast, get_args

from flask import Flask, current_app

from backend.clock import uptime_seconds
from backend.extensions import current_settings
from backend.health.checks import CHECKS, AggregatedName, CheckName, unanswered
from backend.health.parallel import ParallelChecks
from backend.health.revisions import code_revision
from backend.health.schemas import CheckOut, ChecksOut, HealthOut
from config import VERSION

# Longest wait for all checks, and for so long their results are given again.
BUDGET_SECONDS, REUSED_SECONDS = 1.0, 1.0


class HealthMonitor:
    """Health of an application: all checks at the same time, within a second, and not again for a second."""

    def __init__(self, app: Flask) -> None:
        """Check nothing yet."""
        self._checks = ParallelChecks(app)
        self._lock = threading.Lock()
        self._latest: HealthOut | None = None
        self._checked_at = 0.0

    def check(self, name: CheckName) -> Any:
        """Return the result of one check, made now."""
        return self._checks.run({name: CHECKS[name]}, BUDGET_SECONDS).get(name) or unanswered(name)

    def check_all(self) -> HealthOut:
        """Return the results of all checks, at most a second old: unhealthy only without a database."""
        with self._lock:
            if self._latest is None or time.monotonic() - self._checked_at > REUSED_SECONDS:
                self._latest, self._checked_at = self._check_all(), time.monotonic()
            return self._latest.model_copy(update={"uptime_seconds": uptime_seconds()})

    def forget(self) -> None:
        """Check everything at the next request."""
        with self._lock:
            self._latest = None

    def _check_all(self) -> HealthOut:
        names = get_args(AggregatedName)
        ended = self._checks.run({name: CHECKS[name] for name in (*names, "embedding_model")}, BUDGET_SECONDS)
        checks = {name: ended.get(name) or unanswered(name) for name in names}
        checks["embeddings"] = _with_model(checks["embeddings"], ended.get("embedding_model"))
        is_down = checks["database"].status == "unhealthy"
        well = all(check.status in ("healthy", "disabled") for check in checks.values())
        return HealthOut(
            status="unhealthy" if is_down else "healthy" if well else "degraded",
            version=VERSION,
            revision=current_settings().GIT_REVISION or code_revision(),
            uptime_seconds=uptime_seconds(),
            checks=ChecksOut(**checks),
        )


def _with_model(embeddings: CheckOut, model: CheckOut | None) -> CheckOut:
    """Return the check of embeddings with what is known of their model; nothing is while it is being loaded."""
    if model is None or model.status == "healthy" or embeddings.status != "healthy":
        return embeddings
    return embeddings.model_copy(update={"status": model.status, "detail": model.detail})


def bind_health(app: Flask) -> None:
    """Attach the health of an application."""
    app.extensions["health"] = HealthMonitor(app)


def health_monitor() -> HealthMonitor:
    """Return the health of the running application."""
    return cast(HealthMonitor, current_app.extensions["health"])
