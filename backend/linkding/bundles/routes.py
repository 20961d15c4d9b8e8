"""/linkding/api/bundles."""

from __future__ import annotations

from flask import Blueprint, request

from backend.actor import Actor
from backend.linkding.bundles import queries, service
from backend.linkding.bundles.schemas import BundleIn, BundleOut, BundlePage, BundlePatch
from backend.linkding.operations import linkding_operation
from backend.linkding.pages import Address, OffsetRange, page_at
from backend.linkding.schemas import WindowQuery

blueprint = Blueprint("linkding_bundles", __name__, url_prefix="/linkding/api/bundles")


@blueprint.get("/", strict_slashes=False)
@linkding_operation(scope="bookmarks:read", limit="list", responses={200: BundlePage})
def list_bundles(actor: Actor, query: WindowQuery) -> BundlePage:
    """List stored searches."""
    part = queries.list_bundles(actor, OffsetRange.of(query))
    return page_at(BundlePage, part, Address(request.base_url, request.query_string.decode()))


@blueprint.post("/", strict_slashes=False)
@linkding_operation(
    scope="bookmarks:write", limit="write", responses={201: BundleOut}, takes_body=True, changes="lists"
)
def create_bundle(actor: Actor, json: BundleIn) -> tuple[BundleOut, int]:
    """Store a search."""
    return service.create_bundle(actor, json), 201


@blueprint.get("/<id:bundle_id>/", strict_slashes=False)
@linkding_operation(scope="bookmarks:read", limit="read", responses={200: BundleOut})
def read_bundle(actor: Actor, bundle_id: int) -> BundleOut:
    """Read a stored search."""
    return queries.get_bundle(actor, bundle_id)


@blueprint.put("/<id:bundle_id>/", strict_slashes=False)
@linkding_operation(
    scope="bookmarks:write", limit="write", responses={200: BundleOut}, takes_body=True, changes="lists"
)
def replace_bundle(actor: Actor, bundle_id: int, json: BundleIn) -> BundleOut:
    """Change a stored search, given its name."""
    return service.update_bundle(actor, bundle_id, json)


@blueprint.patch("/<id:bundle_id>/", strict_slashes=False)
@linkding_operation(
    scope="bookmarks:write", limit="write", responses={200: BundleOut}, takes_body=True, changes="lists"
)
def update_bundle(actor: Actor, bundle_id: int, json: BundlePatch) -> BundleOut:
    """Change a stored search."""
    return service.update_bundle(actor, bundle_id, json)


@blueprint.delete("/<id:bundle_id>/", strict_slashes=False)
@linkding_operation(scope="bookmarks:write", limit="write", responses={204: None}, changes="lists")
def delete_bundle(actor: Actor, bundle_id: int) -> tuple[str, int]:
    """Delete a stored search; its bookmarks stay."""
    service.delete_bundle(actor, bundle_id)
    return "", 204
