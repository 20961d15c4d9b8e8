"""/feeds."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from backend.actor import Actor
from backend.http.operations import operation
from backend.transfer.feeds import service
from backend.transfer.feeds.atom import MEDIA_TYPE, write_atom
from backend.transfer.feeds.schemas import FeedCreatedOut, FeedIn, FeedListQuery, FeedPage

blueprint = Blueprint("feeds", __name__, url_prefix="/feeds")


@blueprint.post("")
@operation(scope="login", limit="write", tag="feeds", responses={201: FeedCreatedOut, 409: None}, changes="person")
def create_feed(actor: Actor, json: FeedIn) -> tuple[FeedCreatedOut, int]:
    """Publish a filter of the list as an Atom feed at a secret address."""
    feed, token = service.create_feed(actor, json)
    url = url_for("feeds.read_feed", token=token, _external=True)
    return FeedCreatedOut(**dict(feed), url=url), 201


@blueprint.get("")
@operation(scope="login", limit="list", tag="feeds", responses={200: FeedPage})
def list_feeds(actor: Actor, query: FeedListQuery) -> FeedPage:
    """List your feeds."""
    return service.list_feeds(actor, query)


@blueprint.delete("/<id:feed_id>")
@operation(scope="login", limit="write", tag="feeds", responses={204: None}, changes="person")
def delete_feed(actor: Actor, feed_id: int) -> tuple[str, int]:
    """Delete a feed; its address stops working at once."""
    service.delete_feed(actor, feed_id)
    return "", 204


@blueprint.get("/<string:token>.atom")
@operation(scope=None, limit="read", tag="feeds", responses={200: None}, media_types=(MEDIA_TYPE,))
def read_feed(token: str) -> Response:
    """Read a feed: the newest 50 bookmarks that its filter leaves."""
    answer = Response(write_atom(service.read_feed(token)), content_type=f"{MEDIA_TYPE}; charset=utf-8")
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    answer.make_conditional(request)
    return answer
