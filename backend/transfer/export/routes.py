"""/bookmarks/export."""

from __future__ import annotations

from flask import Blueprint, Response

from backend.actor import Actor
from backend.http.operations import operation
from backend.transfer.export import service
from backend.transfer.export.schemas import ExportQuery

blueprint = Blueprint("exports", __name__, url_prefix="/bookmarks")


@blueprint.get("/export")
@operation(
    scope="bookmarks:read",
    limit="import",
    tag="bookmarks",
    responses={200: None},
    media_types=tuple(service.MEDIA_TYPES.values()),
)
def export_bookmarks(actor: Actor, query: ExportQuery) -> Response:
    """Export bookmarks as a file, with all that belongs to them if it is JSON."""
    file = service.export_bookmarks(actor, query)
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"', "Cache-Control": "no-store"}
    answer = Response(file.pieces, mimetype=file.media_type, headers=headers)
    answer.call_on_close(file.close)
    return answer
