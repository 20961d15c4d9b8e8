"""Jobs of the dashboard: exports, and their purge."""

from __future__ import annotations

from typing import Any

from backend.dashboard.export import service
from backend.dashboard.export.turns import wait_for_turn
from backend.dashboard.export.writing import write_export
from backend.jobs.registry import job
from backend.jobs.running import ClaimedJob, durable_job


@job("dashboard.run_export")
@durable_job
def run_export(job: ClaimedJob) -> dict[str, Any]:
    """Write an organization's tables into a file."""
    wait_for_turn(job)
    return write_export(job)


@job("dashboard.purge_exports")
def purge_exports() -> None:
    """Delete exports that have expired."""
    service.purge_exports()
