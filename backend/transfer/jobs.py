"""What the worker does for imports."""

from __future__ import annotations

from typing import Any

from backend.jobs.registry import job
from backend.jobs.running import ClaimedJob, durable_job
from backend.transfer import importing, service


@job("transfer.run_import")
@durable_job
def run_import(job: ClaimedJob) -> dict[str, Any]:
    """Import a file of bookmarks."""
    return importing.run(job)


@job("transfer.purge_imports")
def purge_imports() -> None:
    """Delete the files of imports that were cancelled before they began, and what is known of old ones."""
    service.purge_imports()
