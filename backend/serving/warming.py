"""Making answers before anybody asks: what a web client shows first, for people who have just come, or come often."""

from __future__ import annotations

from collections.abc import Iterable

from flask import current_app
from sqlalchemy import func, select, text
from werkzeug.exceptions import HTTPException

from backend.actor import Actor
from backend.api import declared_route
from backend.auth.authentication import actor_of_person
from backend.auth.models import Session
from backend.errors import DomainError
from backend.extensions import current_settings, db
from backend.serving.service import make_ready

FIRST_SHOWN = ("/bookmarks", "/tags", "/projects", "/tasks", "/profile", "/organizations")
MOST_PEOPLE = 200


def warm(user_ids: Iterable[int]) -> int:
    """Have the first answers of these people made and kept, in their personal organizations; how many people."""
    if not current_settings().ENABLE_CACHING:
        return 0
    people = 0
    for user_id in user_ids:
        actor = actor_of_person(user_id)
        if actor is not None:
            people += 1
            for path in FIRST_SHOWN:
                _ask(actor, f"/api/v1{path}")
    return people


def people_of_today() -> list[int]:
    """Who has used Fuze within a day, the last first; no more than 200."""
    yesterday = func.now() - text("interval '1 day'")
    last = func.max(Session.last_used_at)
    statement = select(Session.user_id).where(Session.revoked_at.is_(None)).group_by(Session.user_id)
    found = db.session.scalars(statement.having(last > yesterday).order_by(last.desc()).limit(MOST_PEOPLE)).all()
    db.session.rollback()
    return list(found)


def _ask(actor: Actor, path: str) -> None:
    with current_app.test_request_context(path):
        adapter = current_app.url_map.bind("")
        try:
            endpoint, arguments = adapter.match(path, method="GET")
            route = declared_route(current_app, endpoint)
            if route is not None:
                make_ready(route, actor, {**arguments, "actor": actor})
        except (HTTPException, DomainError):
            return  # A route that is not there, or not for this person, has no answer to keep.
