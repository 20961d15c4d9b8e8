"""/bookmarks/captures: progress of captures."""

from __future__ import annotations

from flask import Blueprint

from backend.actor import Actor
from backend.capture import queries
from backend.capture.schemas import CaptureBacklogOut
from backend.http.operations import operation

blueprint = Blueprint("captures", __name__, url_prefix="/bookmarks/captures")


@blueprint.get("")
@operation(scope="bookmarks:read", limit="list", tag="bookmarks", responses={200: CaptureBacklogOut})
def read_backlog(actor: Actor) -> CaptureBacklogOut:
    """Read how far the organization's captures have come."""
    return queries.capture_backlog(actor)
