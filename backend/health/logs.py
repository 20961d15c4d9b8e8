"""Health check of the log files."""

from __future__ import annotations

from backend.extensions import current_settings
from backend.health.schemas import CheckOut
from backend.observability.logging import log_fault


def check_logs() -> CheckOut:
    """Check that lines reach the log files; the service goes on without them."""
    if not current_settings().LOG_DIR:
        return CheckOut(status="disabled", detail="LOG_DIR is not set; lines go to standard error.")
    fault = log_fault()
    return (
        CheckOut(status="degraded", detail=f"Log files cannot be written: {fault}.")
        if fault
        else CheckOut(status="healthy")
    )
