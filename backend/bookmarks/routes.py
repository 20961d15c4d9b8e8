"""/bookmarks."""

from __future__ import annotations

from flask import Blueprint, url_for

from backend.actor import Actor
from backend.bookmarks import bulk_actions, cache_policy, queries, service, trash
from backend.bookmarks.schemas import (
    ActionIn,
    ActionOut,
    BookmarkIn,
    BookmarkListQuery,
    BookmarkOut,
    BookmarkPage,
    BookmarkPatch,
    BookmarksDeleted,
    BulkIn,
    BulkOut,
    ContentOut,
    CreateQuery,
    DeleteQuery,
    LookupIn,
    LookupQuery,
    SimilarItem,
    SimilarOut,
    SimilarQuery,
)
from backend.http.operations import cost_of_many, operation
from backend.http.pagination import page_of
from backend.jobs.schemas import JobOut

blueprint = Blueprint("bookmarks", __name__, url_prefix="/bookmarks")

# A thousand links with long texts.
BULK_LIMIT_BYTES = 16 * 1024 * 1024


def cost_of_items(json: BulkIn) -> int:
    """Count the requests that a bulk save costs."""
    return cost_of_many(len(json.items))


def cost_of_ids(json: ActionIn) -> int:
    """Count the requests that a bulk action costs."""
    return cost_of_many(len(json.ids or []))


@blueprint.post("")
@operation(
    scope="bookmarks:write",
    limit="write",
    tag="bookmarks",
    responses={201: BookmarkOut, 200: BookmarkOut, 409: None},
    changes="bookmark",
    retags=lambda json: bool(json.tags),
    cache_policy=cache_policy.BOOKMARK,
)
def create_bookmark(actor: Actor, query: CreateQuery, json: BookmarkIn) -> tuple[BookmarkOut, int, dict[str, str]]:
    """Save a link; one that is saved already is merged, kept or refused."""
    on_duplicate = query.on_duplicate or json.on_duplicate or "merge"
    bookmark, created = service.save_bookmark(actor, json, on_duplicate)
    location = url_for("bookmarks.read_bookmark", bookmark_id=bookmark.id)
    return bookmark, 201 if created else 200, {"Location": location}


@blueprint.get("")
@operation(
    scope="bookmarks:read",
    limit="list",
    tag="bookmarks",
    responses={200: BookmarkPage},
    cache="list",
    cache_policy=cache_policy.BOOKMARK_PAGE,
)
def list_bookmarks(actor: Actor, query: BookmarkListQuery) -> BookmarkPage:
    """List bookmarks."""
    rows, items = queries.list_bookmarks(actor, query)
    return page_of(BookmarkPage, rows, items)


@blueprint.delete("/trash")
@operation(scope="bookmarks:write", limit="write", tag="bookmarks", responses={200: BookmarksDeleted})
def empty_trash(actor: Actor) -> BookmarksDeleted:
    """Delete for good what is in the trash."""
    return BookmarksDeleted(deleted=trash.empty_trash(actor))


@blueprint.get("/lookup")
@operation(
    scope="bookmarks:read",
    limit="read",
    tag="bookmarks",
    responses={200: BookmarkOut},
    cache="bookmark",
    cache_policy=cache_policy.BOOKMARK_BY_LINK,
)
def lookup_bookmark(actor: Actor, query: LookupQuery) -> BookmarkOut:
    """Find the bookmark of a link, compared in normalised form."""
    return queries.lookup_bookmark(actor, query.url)


@blueprint.post("/lookup")
@operation(scope="bookmarks:read", limit="read", tag="bookmarks", responses={200: BookmarkOut}, changes="nothing")
def lookup_long_link(actor: Actor, json: LookupIn) -> BookmarkOut:
    """Find the bookmark of a link that is too long for an address."""
    return queries.lookup_bookmark(actor, json.url)


@blueprint.post("/bulk")
@operation(
    scope="bookmarks:write",
    limit="write",
    tag="bookmarks",
    responses={200: BulkOut},
    cost=cost_of_items,
    body_limit=BULK_LIMIT_BYTES,
)
def create_bookmarks(actor: Actor, query: CreateQuery, json: BulkIn) -> BulkOut:
    """Save up to 1000 links; one bad item spoils no other."""
    return service.save_bookmarks(actor, json.items, query.on_duplicate or "merge")


@blueprint.post("/actions")
@operation(scope="bookmarks:write", limit="write", tag="bookmarks", responses={200: ActionOut}, cost=cost_of_ids)
def act_on_bookmarks(actor: Actor, json: ActionIn) -> ActionOut:
    """Change many bookmarks at once."""
    return ActionOut(affected=bulk_actions.apply_action(actor, json))


@blueprint.get("/<id:bookmark_id>")
@operation(
    scope="bookmarks:read",
    limit="read",
    tag="bookmarks",
    responses={200: BookmarkOut},
    cache="bookmark",
    cache_policy=cache_policy.BOOKMARK,
)
def read_bookmark(actor: Actor, bookmark_id: int) -> BookmarkOut:
    """Read one bookmark."""
    return queries.get_bookmark(actor, bookmark_id)


@blueprint.patch("/<id:bookmark_id>")
@operation(
    scope="bookmarks:write",
    limit="write",
    tag="bookmarks",
    responses={200: BookmarkOut, 409: None},
    changes="bookmark",
    retags=lambda json: json.tags is not None,
    cache_policy=cache_policy.BOOKMARK,
)
def update_bookmark(actor: Actor, bookmark_id: int, json: BookmarkPatch) -> BookmarkOut:
    """Change a bookmark."""
    return service.update_bookmark(actor, bookmark_id, json)


@blueprint.delete("/<id:bookmark_id>")
@operation(scope="bookmarks:write", limit="write", tag="bookmarks", responses={204: None}, changes="bookmark")
def delete_bookmark(actor: Actor, bookmark_id: int, query: DeleteQuery) -> tuple[str, int]:
    """Move a bookmark to the trash, or delete it for good."""
    service.delete_bookmark(actor, bookmark_id, permanent=query.permanent)
    return "", 204


@blueprint.post("/<id:bookmark_id>/restore")
@operation(
    scope="bookmarks:write",
    limit="write",
    tag="bookmarks",
    responses={200: BookmarkOut, 409: None},
    changes="bookmark",
    cache_policy=cache_policy.BOOKMARK,
)
def restore_bookmark(actor: Actor, bookmark_id: int) -> BookmarkOut:
    """Take a bookmark out of the trash."""
    return service.restore_bookmark(actor, bookmark_id)


@blueprint.post("/<id:bookmark_id>/capture")
@operation(
    scope="bookmarks:write",
    limit="write",
    tag="bookmarks",
    responses={202: JobOut},
    changes="bookmark",
    retags=lambda json: False,
)
def recapture_bookmark(actor: Actor, bookmark_id: int) -> tuple[JobOut, int, dict[str, str]]:
    """Read the page again."""
    job = service.recapture_bookmark(actor, bookmark_id)
    return JobOut.of(job), 202, {"Location": url_for("jobs.read_job", job_id=job.id)}


@blueprint.get("/<id:bookmark_id>/content")
@operation(scope="bookmarks:read", limit="read", tag="bookmarks", responses={200: ContentOut}, cache="bookmark")
def read_content(actor: Actor, bookmark_id: int) -> ContentOut:
    """Read the captured page."""
    return ContentOut.model_validate(queries.read_content(actor, bookmark_id))


@blueprint.get("/<id:bookmark_id>/similar")
@operation(scope="bookmarks:read", limit="search", tag="bookmarks", responses={200: SimilarOut}, may_lag=True)
def similar_bookmarks(actor: Actor, bookmark_id: int, query: SimilarQuery) -> SimilarOut:
    """List the nearest bookmarks in meaning."""
    neighbours = queries.similar_bookmarks(actor, bookmark_id, query.limit)
    return SimilarOut(items=[SimilarItem(bookmark=bookmark, score=score) for bookmark, score in neighbours])
