"""/projects/{id}/bookmarks."""

from __future__ import annotations

from flask import Blueprint

from backend.actor import Actor
from backend.bookmarks import queries
from backend.bookmarks.attachments import service as attachments
from backend.bookmarks.schemas import AttachedBookmarkOut, AttachedBookmarkPage, AttachedListQuery, AttachIn
from backend.http.operations import operation
from backend.http.pagination import page_of

blueprint = Blueprint("project_bookmarks", __name__, url_prefix="/projects")


@blueprint.get("/<id:project_id>/bookmarks")
@operation(scope="bookmarks:read", limit="list", tag="projects", responses={200: AttachedBookmarkPage}, cache="list")
def list_attached(actor: Actor, project_id: int, query: AttachedListQuery) -> AttachedBookmarkPage:
    """List the bookmarks that are attached to a project."""
    rows, items = queries.list_attached(actor, project_id, query)
    return page_of(AttachedBookmarkPage, rows, items)


@blueprint.put("/<id:project_id>/bookmarks/<id:bookmark_id>")
@operation(
    scope="bookmarks:write",
    limit="write",
    tag="projects",
    responses={200: AttachedBookmarkOut, 201: AttachedBookmarkOut},
)
def attach_bookmark(actor: Actor, project_id: int, bookmark_id: int, json: AttachIn) -> tuple[AttachedBookmarkOut, int]:
    """Attach a bookmark to a project, with a note on what it is for."""
    note = json.note if "note" in json.model_fields_set else None
    bookmark, created = attachments.attach_bookmark(actor, project_id, bookmark_id, note)
    return bookmark, 201 if created else 200


@blueprint.delete("/<id:project_id>/bookmarks/<id:bookmark_id>")
@operation(scope="bookmarks:write", limit="write", tag="projects", responses={204: None})
def detach_bookmark(actor: Actor, project_id: int, bookmark_id: int) -> tuple[str, int]:
    """Take a bookmark off a project; the bookmark stays."""
    attachments.detach_bookmark(actor, project_id, bookmark_id)
    return "", 204
