"""Turns of exports: of one person one runs at a time, and others who have waited come before the next one."""

from __future__ import annotations

from backend.extensions import db
from backend.jobs.running import ClaimedJob, RetryLater
from backend.jobs.turns import KINDS_BESIDE
from backend.named_blocks import read_statements

SQL = read_statements(__file__)
LOOK_AGAIN_SECONDS = 15


def wait_for_turn(job: ClaimedJob) -> None:
    """Return if it is the turn of an export.

    Raises:
        RetryLater: an earlier export of the same person runs, or somebody else has waited since one ended.
    """
    values = {"job_id": job.id, "user_id": job.user_id}
    if db.session.scalar(SQL["earlier_runs"], values):
        raise RetryLater(LOOK_AGAIN_SECONDS)
    if db.session.scalar(SQL["others_waited"], {**values, "kinds": list(KINDS_BESIDE)}):
        raise RetryLater(0)
