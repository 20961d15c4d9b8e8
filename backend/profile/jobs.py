"""Jobs of the own account: export, deletion, test of the language model."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from backend.ai.credentials import own_credentials
from backend.encryption import DecryptionError
from backend.extensions import current_settings, db
from backend.jobs.queue import send
from backend.jobs.registry import job
from backend.jobs.running import ClaimedJob, JobFailed, RetryLater, durable_job, report_progress
from backend.profile import exports
from backend.profile.ai.check import CheckOutcome, check_provider
from backend.profile.deletion import deletion_message, is_removal_due, remove_deleted
from backend.transfer.export_storage import NO_ANSWER, StorageUnavailable

# Length of a slice: messages of other queues wait meanwhile.
REMOVAL_SLICE_SECONDS = 60


@job("profile.run_ai_test")
@durable_job
def run_ai_test(job: ClaimedJob) -> dict[str, Any]:
    """Ask the person's LLM provider for one token."""
    return asdict(_check(job))


@job("profile.run_export")
@durable_job
def run_export(job: ClaimedJob) -> dict[str, Any]:
    """Write the export of a person's data."""
    try:
        export = exports.write_export(job.user_id, lambda done, total, text: report_progress(job, done, total, text))
    except exports.OrganizationLeft:
        raise RetryLater(0) from None
    except StorageUnavailable:
        report_progress(job, 0, 0, f"{NO_ANSWER} Trying again")
        raise
    expires_at = export.expires_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return {"download_url": f"/api/v1/profile/exports/{export.id}", "expires_at": expires_at}


@job("profile.purge_exports")
def purge_exports() -> None:
    """Delete exports that have expired."""
    exports.purge_exports()


@job("profile.remove_deleted_accounts")
def remove_deleted_accounts() -> None:
    """Remove what belonged to deleted accounts, in slices."""
    if not remove_deleted(REMOVAL_SLICE_SECONDS):
        send([deletion_message()])


@job("profile.resend_removals")
def resend_removals() -> None:
    """Send the message again where it was lost or its worker was killed."""
    if is_removal_due():
        send([deletion_message()])


def _check(job: ClaimedJob) -> CheckOutcome:
    try:
        credentials = own_credentials(job.user_id)
    except DecryptionError:
        return CheckOutcome(False, "The stored key can no longer be decrypted: enter it again.", 0)
    if credentials is None:
        raise JobFailed("No provider is set any more.")
    # The connection must not wait for the provider.
    db.session.commit()
    return check_provider(credentials, current_settings().AI_ALLOWED_NETWORKS)
