"""/digests: what the links of digests lead to."""

from __future__ import annotations

from flask import Blueprint, Response

from backend.digests import service
from backend.digests.pages import unsubscribe_page
from backend.digests.schemas import UnsubscribeQuery
from backend.http.operations import operation

blueprint = Blueprint("digests", __name__, url_prefix="/digests")
HTML = "text/html"


@blueprint.get("/unsubscribe")
@operation(scope=None, limit="read", tag="profile", responses={200: None}, media_types=(HTML,))
def show_unsubscribe_page(query: UnsubscribeQuery) -> Response:
    """Show a page that asks whether to unsubscribe from digests; it changes nothing."""
    page = unsubscribe_page(service.subscriber_language(query.token), is_done=False)
    return Response(page, mimetype=HTML, headers={"Cache-Control": "no-store"})


@blueprint.post("/unsubscribe")
@operation(scope=None, limit="auth", tag="profile", responses={200: None}, media_types=(HTML,))
def unsubscribe(query: UnsubscribeQuery) -> Response:
    """Unsubscribe from digests by a mailed link, without a login (RFC 8058)."""
    return Response(unsubscribe_page(service.unsubscribe_by_link(query.token), is_done=True), mimetype=HTML)
