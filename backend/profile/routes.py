"""/profile: the person's own account."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request, url_for

from backend.actor import Actor
from backend.auth.service import get_user
from backend.http.operations import operation
from backend.jobs.schemas import JobOut
from backend.profile import deletion, exports, queries, service
from backend.profile.schemas import (
    AccountDeletionIn,
    PasswordIn,
    ProfileOut,
    ProfilePatch,
    SecurityEventPage,
    SecurityEventsQuery,
)

blueprint = Blueprint("profile", __name__, url_prefix="/profile")


@blueprint.get("")
@operation(scope="any", limit="read", tag="profile", responses={200: ProfileOut}, cache="profile")
def read_profile(actor: Actor) -> ProfileOut:
    """Read your own account."""
    return ProfileOut.model_validate(get_user(actor))


@blueprint.patch("")
@operation(scope="login", limit="auth", tag="profile", responses={200: ProfileOut, 409: None})
def change_profile(actor: Actor, json: ProfilePatch) -> ProfileOut:
    """Change your name, mail address or preferences."""
    return ProfileOut.model_validate(service.change_profile(actor, json, request.remote_addr or ""))


@blueprint.delete("")
@operation(scope="login", limit="auth", tag="profile", responses={204: None, 409: None})
def delete_account(actor: Actor, json: AccountDeletionIn) -> tuple[str, int]:
    """Delete your account, your personal organization and everything in it."""
    deletion.delete_account(actor, json.password, request.remote_addr or "")
    return "", 204


@blueprint.post("/password")
@operation(scope="login", limit="auth", tag="profile", responses={204: None})
def change_password(actor: Actor, json: PasswordIn) -> tuple[str, int]:
    """Set a new password; every other session ends."""
    service.change_password(actor, json, request.remote_addr or "")
    return "", 204


@blueprint.get("/security-events")
@operation(scope="login", limit="list", tag="profile", responses={200: SecurityEventPage})
def list_security_events(actor: Actor, query: SecurityEventsQuery) -> SecurityEventPage:
    """List what happened to your account, newest first."""
    return queries.list_security_events(actor, query)


@blueprint.post("/export")
@operation(scope="login", limit="write", tag="profile", responses={202: JobOut})
def export_data(actor: Actor) -> tuple[JobOut, int, dict[str, str]]:
    """Have all that is stored about you written into a file."""
    job = exports.request_export(actor)
    return JobOut.of(job), 202, {"Location": url_for("jobs.read_job", job_id=job.id)}


@blueprint.get("/exports/<uuid:export_id>")
@operation(scope="login", limit="read", tag="profile", responses={200: None}, media_types=("application/zip",))
def download_export(actor: Actor, export_id: UUID) -> Response:
    """Download such a file, within a day."""
    download = exports.get_export(actor, export_id)
    headers = {"Content-Disposition": f'attachment; filename="{download.name}"', "Cache-Control": "no-store"}
    response = Response(download.parts, mimetype="application/zip", headers=headers)
    response.content_length = download.size
    return response
