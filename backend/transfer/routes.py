"""/bookmarks/import: whole collections from elsewhere."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, url_for

from backend.actor import Actor
from backend.http.operations import operation
from backend.jobs.schemas import JobOut
from backend.transfer import service
from backend.transfer.failure_list import failure_list
from backend.transfer.options import ImportOptions
from backend.transfer.schemas import ImportForm, ImportQuery

blueprint = Blueprint("imports", __name__, url_prefix="/bookmarks/import")
jobs_blueprint = Blueprint("imports_of_jobs", __name__, url_prefix="/jobs")

UPLOAD_LIMIT_BYTES = 64 * 1024 * 1024


@blueprint.post("")
@operation(
    scope="bookmarks:write",
    limit="import",
    tag="bookmarks",
    responses={202: JobOut, 409: None},
    changes="lists",
    body_limit=UPLOAD_LIMIT_BYTES,
)
def import_bookmarks(actor: Actor, query: ImportQuery, form: ImportForm) -> tuple[JobOut, int, dict[str, str]]:
    """Import bookmarks from a file."""
    job = service.ask_for_import(actor, form.file.stream, ImportOptions.of(query, form))
    return JobOut.of(job), 202, {"Location": url_for("jobs.read_job", job_id=job.id)}


@jobs_blueprint.get("/<uuid:job_id>/failures.csv")
@operation(scope="jobs:read", limit="read", tag="jobs", responses={200: None}, media_types=("text/csv",))
def download_failures(actor: Actor, job_id: UUID) -> Response:
    """Download the lines that an import did not take as they are."""
    name, pieces = failure_list(actor, job_id)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(pieces, content_type="text/csv; charset=utf-8", headers=headers)
