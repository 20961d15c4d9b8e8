"""/dashboard/export and /dashboard/exports: an organization's tables as a file."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, url_for

from backend.actor import Actor
from backend.dashboard.export import service
from backend.dashboard.export.schemas import DashboardExportIn
from backend.http.file_responses import send_attachment
from backend.http.operations import operation
from backend.jobs.schemas import JobOut

blueprint = Blueprint("dashboard_exports", __name__, url_prefix="/dashboard")


@blueprint.post("/export")
@operation(
    scope="dashboard:write", limit="import", tag="dashboard", responses={202: JobOut, 429: None}, changes="person"
)
def export_dashboard(actor: Actor, json: DashboardExportIn) -> tuple[JobOut, int, dict[str, str]]:
    """Have the organization's tables written into a file."""
    job = service.request_export(actor, json)
    return JobOut.of(job), 202, {"Location": url_for("jobs.read_job", job_id=job.id)}


@blueprint.get("/exports/<uuid:export_id>/<string:signature>")
@operation(
    scope="dashboard:read",
    limit="read",
    tag="dashboard",
    responses={200: None, 206: None, 410: None, 416: None},
    media_types=tuple(service.MEDIA_TYPES.values()),
)
def download_dashboard(actor: Actor, export_id: UUID, signature: str) -> Response:
    """Download such a file by the link that its job has told, whole or in ranges."""
    return send_attachment(service.open_export(actor, export_id, signature))
