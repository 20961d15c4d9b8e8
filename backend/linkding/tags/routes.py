"""/linkding/api/tags."""

from __future__ import annotations

from flask import Blueprint, request

from backend.actor import Actor
from backend.bookmarks.tags import service as tags
from backend.linkding.operations import linkding_operation
from backend.linkding.pages import Address, OffsetRange, page_at
from backend.linkding.schemas import WindowQuery
from backend.linkding.tags import queries, service
from backend.linkding.tags.schemas import LinkdingTagIn, LinkdingTagOut, LinkdingTagPage

blueprint = Blueprint("linkding_tags", __name__, url_prefix="/linkding/api/tags")


@blueprint.get("/", strict_slashes=False)
@linkding_operation(scope="bookmarks:read", limit="list", responses={200: LinkdingTagPage})
def list_tags(actor: Actor, query: WindowQuery) -> LinkdingTagPage:
    """List tags, oldest first."""
    part = queries.list_tags(actor, OffsetRange.of(query))
    return page_at(LinkdingTagPage, part, Address(request.base_url, request.query_string.decode()))


@blueprint.post("/", strict_slashes=False)
@linkding_operation(scope="bookmarks:write", limit="write", responses={201: LinkdingTagOut}, takes_body=True)
def create_tag(actor: Actor, json: LinkdingTagIn) -> tuple[LinkdingTagOut, int]:
    """Make a tag, or find the one of this name."""
    return service.add_tag(actor, json.name), 201


@blueprint.get("/<id:tag_id>/", strict_slashes=False)
@linkding_operation(scope="bookmarks:read", limit="read", responses={200: LinkdingTagOut})
def read_tag(actor: Actor, tag_id: int) -> LinkdingTagOut:
    """Read a tag."""
    return queries.get_tag(actor, tag_id)


@blueprint.delete("/<id:tag_id>/", strict_slashes=False)
@linkding_operation(scope="bookmarks:write", limit="write", responses={204: None})
def delete_tag(actor: Actor, tag_id: int) -> tuple[str, int]:
    """Delete a tag; its bookmarks stay."""
    tags.delete_tag(actor, tag_id)
    return "", 204
