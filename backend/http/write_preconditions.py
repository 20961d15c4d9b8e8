"""Preconditions of writes: the current representation is compared in the transaction that changes it."""

from __future__ import annotations

from flask import current_app, request
from werkzeug.exceptions import HTTPException

from backend.actor import Actor
from backend.database import PRECONDITION_CHECKED
from backend.errors import NotFound
from backend.extensions import db
from backend.http.operations import declared_route
from backend.http.preconditions import check_write
from backend.http.response_cache.store import etag_of


def check_preconditions(actor: Actor | None) -> None:
    """Compare the current representation with If-Match and If-None-Match.

    The transaction keeps its first snapshot, and fails if another changes the rows that it writes: the representation
    that was compared is the one that is changed.

    Raises:
        PreconditionFailed: they do not hold.
    """
    db.session.rollback()
    db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    db.session.info[PRECONDITION_CHECKED] = True
    check_write(_current_etag(actor))


def _current_etag(actor: Actor | None) -> str | None:
    adapter = current_app.url_map.bind_to_environ(request.environ)
    try:
        endpoint, arguments = adapter.match(request.path, method="GET")
        route = declared_route(current_app, endpoint)
        if route is None:
            return None
        given = {**arguments, "actor": actor} if "actor" in route.parameters else dict(arguments)
        return etag_of(route.represent(given).get_data())
    except HTTPException:
        return None
    except NotFound:
        if request.method == "PUT":
            return None
        raise
