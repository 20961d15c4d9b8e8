"""Cache warm-up: responses that a web client shows first, for recent people; popular lists after a write."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flask import Flask, current_app
from sqlalchemy import func, select, text
from werkzeug.exceptions import HTTPException

from backend.actor import Actor
from backend.auth.authentication import actor_of_login
from backend.auth.models import Session
from backend.errors import DomainError
from backend.extensions import current_settings, db
from backend.http.admission_script import POPULAR_SECONDS
from backend.http.cache_lookup import partition_of
from backend.http.operations import declared_route
from backend.http.pipeline import compute_ahead
from backend.http.request_state import current_request_id
from backend.http.response_cache.refresh_ahead import RefreshAhead
from backend.redis.client import resilient_redis
from backend.redis.resilient import Command

FIRST_SHOWN = ("/bookmarks", "/tags", "/projects", "/tasks", "/profile", "/organizations")
MOST_PEOPLE = 200
# So many lists are refreshed after a write, the most popular first. Each write halves the counts of requests, so that
# a list which is not requested between writes is not refreshed after the third.
MOST_REFRESHED = 5
LEAST_POPULAR = 0.2
POPULAR_PATH = re.compile(rb"/api/v1/[!-~]{1,1000}")


def warm(user_ids: Iterable[int]) -> int:
    """Cache the first responses for logins of these people, in their own organizations; return how many people."""
    if not current_settings().ENABLE_CACHING:
        return 0
    people = 0
    for user_id in user_ids:
        actor = actor_of_login(user_id)
        if actor is not None:
            people += 1
            for path in FIRST_SHOWN:
                _request(actor, f"/api/v1{path}")
    return people


def start_refreshing(app: Flask) -> None:
    """Refresh popular lists after writes, in this process. To be called after the fork."""
    if app.extensions["settings"].ENABLE_CACHING:
        app.extensions["refresh_ahead"] = RefreshAhead(app, refresh)


def refresh(actor: Actor) -> None:
    """Compute the lists that an actor's partition has requested lately."""
    for path in _popular_paths(actor):
        _request(actor, path)


def recent_people() -> list[int]:
    """Return who has used Fuze within a day, the last first; at most 200."""
    yesterday = func.now() - text("interval '1 day'")
    last = func.max(Session.last_used_at)
    statement = select(Session.user_id).where(Session.revoked_at.is_(None)).group_by(Session.user_id)
    user_ids = db.session.scalars(statement.having(last > yesterday).order_by(last.desc()).limit(MOST_PEOPLE)).all()
    db.session.rollback()
    return list(user_ids)


def _popular_paths(actor: Actor) -> list[str]:
    gate = resilient_redis()

    def commands() -> list[Command]:
        name = gate.key(f"asked:{partition_of(actor).name}")
        return [
            ("ZREVRANGE", name, 0, MOST_REFRESHED - 1),
            ("ZUNIONSTORE", name, 1, name, "WEIGHTS", 0.5),
            ("ZREMRANGEBYSCORE", name, "-inf", LEAST_POPULAR),
            ("EXPIRE", name, POPULAR_SECONDS),
        ]

    replies = gate.execute(commands)
    # Paths from Redis are not trusted.
    return [path.decode() for path in replies[0] if POPULAR_PATH.fullmatch(path)] if replies else []


def _request(actor: Actor, path: str) -> None:
    path, _, query = path.partition("?")
    # The id of the request that asked for this, if there is one, is that of this one too.
    headers = {"X-Request-ID": current_request_id()}
    with current_app.test_request_context(path, query_string=query, headers=headers):
        adapter = current_app.url_map.bind("")
        try:
            endpoint, arguments = adapter.match(path, method="GET")
            route = declared_route(current_app, endpoint)
            if route is not None:
                compute_ahead(route, actor, {**arguments, "actor": actor})
        except (HTTPException, DomainError):
            return  # No such route, or not for this person.
