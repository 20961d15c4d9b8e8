"""/save."""

from __future__ import annotations

from flask import Blueprint, Response, request

from backend.http.operations import operation
from backend.transfer.share_target.schemas import ShareQuery
from backend.transfer.share_target.service import save_address

blueprint = Blueprint("share_target", __name__)


@blueprint.get("/save")
@operation(scope=None, limit="read", tag="bookmarks", responses={302: None})
def share(query: ShareQuery) -> Response:
    """Go on to the web client with a link that a bookmarklet or a phone shares."""
    headers = {"Location": save_address(request.host, request.script_root, query), "Cache-Control": "no-store"}
    return Response(status=302, headers=headers)
