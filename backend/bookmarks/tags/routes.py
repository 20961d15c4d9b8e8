"""/tags."""

from __future__ import annotations

from flask import Blueprint

from backend.actor import Actor
from backend.bookmarks import cache_policy
from backend.bookmarks.tags import service
from backend.bookmarks.tags.schemas import (
    TagListQuery,
    TagMergeIn,
    TagOut,
    TagPage,
    TagPatch,
    TagsDeleted,
    UnusedTagsQuery,
)
from backend.http.operations import operation

blueprint = Blueprint("tags", __name__, url_prefix="/tags")


@blueprint.get("")
@operation(
    scope="bookmarks:read",
    limit="list",
    tag="tags",
    responses={200: TagPage},
    cache="list",
    cache_policy=cache_policy.TAGS,
)
def list_tags(actor: Actor, query: TagListQuery) -> TagPage:
    """List tags."""
    return service.list_tags(actor, query)


@blueprint.delete("")
@operation(scope="bookmarks:write", limit="write", tag="tags", responses={200: TagsDeleted})
def delete_tags(actor: Actor, query: UnusedTagsQuery) -> TagsDeleted:
    """Delete the tags that no bookmark carries."""
    return TagsDeleted(deleted=service.delete_tags(actor, unused=query.unused))


@blueprint.patch("/<id:tag_id>")
@operation(scope="bookmarks:write", limit="write", tag="tags", responses={200: TagOut, 409: None})
def rename_tag(actor: Actor, tag_id: int, json: TagPatch) -> TagOut:
    """Rename a tag."""
    return service.rename_tag(actor, tag_id, json.name)


@blueprint.post("/<id:tag_id>/merge")
@operation(scope="bookmarks:write", limit="write", tag="tags", responses={200: TagOut})
def merge_tags(actor: Actor, tag_id: int, json: TagMergeIn) -> TagOut:
    """Merge a tag into another one."""
    return service.merge_tags(actor, tag_id, json.into_id)


@blueprint.delete("/<id:tag_id>")
@operation(scope="bookmarks:write", limit="write", tag="tags", responses={204: None})
def delete_tag(actor: Actor, tag_id: int) -> tuple[str, int]:
    """Delete a tag; its bookmarks stay."""
    service.delete_tag(actor, tag_id)
    return "", 204
