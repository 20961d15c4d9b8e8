"""/linkding/api/bookmarks."""

from __future__ import annotations

from flask import Blueprint, request

from backend.actor import Actor
from backend.bookmarks import service as bookmarks
from backend.linkding.bookmarks import queries, service
from backend.linkding.bookmarks.schemas import (
    AssetPage,
    BookmarkWindowQuery,
    CheckQuery,
    LinkCheckOut,
    LinkdingBookmarkIn,
    LinkdingBookmarkOut,
    LinkdingBookmarkPage,
    LinkdingBookmarkPatch,
    ScrapingQuery,
)
from backend.linkding.operations import linkding_operation
from backend.linkding.pages import Address, OffsetRange, page_at
from backend.linkding.schemas import WindowQuery

blueprint = Blueprint("linkding_bookmarks", __name__, url_prefix="/linkding/api/bookmarks")


@blueprint.get("/", strict_slashes=False)
@linkding_operation(scope="bookmarks:read", limit="list", responses={200: LinkdingBookmarkPage})
def list_bookmarks(actor: Actor, query: BookmarkWindowQuery) -> LinkdingBookmarkPage:
    """List bookmarks that are not archived."""
    return page_at(LinkdingBookmarkPage, service.list_bookmarks(actor, query, archived=False), _address())


@blueprint.get("/archived/", strict_slashes=False)
@linkding_operation(scope="bookmarks:read", limit="list", responses={200: LinkdingBookmarkPage})
def list_archived(actor: Actor, query: BookmarkWindowQuery) -> LinkdingBookmarkPage:
    """List archived bookmarks."""
    return page_at(LinkdingBookmarkPage, service.list_bookmarks(actor, query, archived=True), _address())


@blueprint.get("/shared/", strict_slashes=False)
@linkding_operation(scope="bookmarks:read", limit="list", responses={200: LinkdingBookmarkPage})
def list_shared(query: BookmarkWindowQuery) -> LinkdingBookmarkPage:
    """List shared bookmarks: none."""
    return page_at(LinkdingBookmarkPage, service.list_shared(query), _address())


@blueprint.get("/check/", strict_slashes=False)
@linkding_operation(scope="bookmarks:read", limit="read", responses={200: LinkCheckOut})
def check_link(actor: Actor, query: CheckQuery) -> LinkCheckOut:
    """Tell whether a link is saved, and what is known of its page; nothing is fetched."""
    return service.check_link(actor, query.url)


@blueprint.post("/", strict_slashes=False)
@linkding_operation(
    scope="bookmarks:write",
    limit="write",
    responses={201: LinkdingBookmarkOut},
    takes_body=True,
    changes="bookmark",
)
def create_bookmark(actor: Actor, query: ScrapingQuery, json: LinkdingBookmarkIn) -> tuple[LinkdingBookmarkOut, int]:
    """Save a link, or change the bookmark that it has."""
    return service.add_bookmark(actor, json, captures=query.disable_scraping is None), 201


@blueprint.get("/<id:bookmark_id>/", strict_slashes=False)
@linkding_operation(scope="bookmarks:read", limit="read", responses={200: LinkdingBookmarkOut})
def read_bookmark(actor: Actor, bookmark_id: int) -> LinkdingBookmarkOut:
    """Read a bookmark."""
    return queries.get_bookmark(actor, bookmark_id)


@blueprint.put("/<id:bookmark_id>/", strict_slashes=False)
@linkding_operation(
    scope="bookmarks:write",
    limit="write",
    responses={200: LinkdingBookmarkOut},
    takes_body=True,
    changes="bookmark",
)
def replace_bookmark(actor: Actor, bookmark_id: int, json: LinkdingBookmarkIn) -> LinkdingBookmarkOut:
    """Change a bookmark, given its link."""
    return service.update_bookmark(actor, bookmark_id, json)


@blueprint.patch("/<id:bookmark_id>/", strict_slashes=False)
@linkding_operation(
    scope="bookmarks:write",
    limit="write",
    responses={200: LinkdingBookmarkOut},
    takes_body=True,
    changes="bookmark",
)
def update_bookmark(actor: Actor, bookmark_id: int, json: LinkdingBookmarkPatch) -> LinkdingBookmarkOut:
    """Change a bookmark."""
    return service.update_bookmark(actor, bookmark_id, json)


@blueprint.delete("/<id:bookmark_id>/", strict_slashes=False)
@linkding_operation(scope="bookmarks:write", limit="write", responses={204: None}, changes="bookmark")
def delete_bookmark(actor: Actor, bookmark_id: int) -> tuple[str, int]:
    """Move a bookmark to the trash."""
    bookmarks.delete_bookmark(actor, bookmark_id, permanent=False)
    return "", 204


@blueprint.post("/<id:bookmark_id>/archive/", strict_slashes=False)
@linkding_operation(scope="bookmarks:write", limit="write", responses={204: None}, changes="bookmark")
def archive_bookmark(actor: Actor, bookmark_id: int) -> tuple[str, int]:
    """Archive a bookmark."""
    service.set_archived(actor, bookmark_id, archived=True)
    return "", 204


@blueprint.post("/<id:bookmark_id>/unarchive/", strict_slashes=False)
@linkding_operation(scope="bookmarks:write", limit="write", responses={204: None}, changes="bookmark")
def unarchive_bookmark(actor: Actor, bookmark_id: int) -> tuple[str, int]:
    """Take a bookmark out of the archive."""
    service.set_archived(actor, bookmark_id, archived=False)
    return "", 204


@blueprint.get("/<id:bookmark_id>/assets/", strict_slashes=False)
@linkding_operation(scope="bookmarks:read", limit="list", responses={200: AssetPage})
def list_assets(actor: Actor, bookmark_id: int, query: WindowQuery) -> AssetPage:
    """List the files of a bookmark: none."""
    return page_at(AssetPage, queries.list_assets(actor, bookmark_id, OffsetRange.of(query)), _address())


def _address() -> Address:
    return Address(request.base_url, request.query_string.decode())
