"""Making answers before anybody asks: what a web client shows first, for people who have just come, or come often; and
what somebody has asked for before their own write has made it worthless."""

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
from backend.http.response_cache.refresh_ahead import RefreshAhead
from backend.redis.client import redis_gate
from backend.redis.resilient import Command

FIRST_SHOWN = ("/bookmarks", "/tags", "/projects", "/tasks", "/profile", "/organizations")
MOST_PEOPLE = 200
# After a write so many lists are made anew, those first that were asked for most. Each write counts what was asked for
# before as half as much, so that what nobody asks for between writes is left alone after the third.
MOST_REMADE = 5
LEAST_ASKED = 0.2
ASKABLE = re.compile(rb"/api/v1/[!-~]{1,1000}")


def warm(user_ids: Iterable[int]) -> int:
    """Have the first answers made and kept for logins of these people, in their own organizations; how many people."""
    if not current_settings().ENABLE_CACHING:
        return 0
    people = 0
    for user_id in user_ids:
        actor = actor_of_login(user_id)
        if actor is not None:
            people += 1
            for path in FIRST_SHOWN:
                _ask(actor, f"/api/v1{path}")
    return people


def start_refreshing(app: Flask) -> None:
    """Have answers made anew after writes, in this process. To be called after the fork."""
    if app.extensions["settings"].ENABLE_CACHING:
        app.extensions["remaker"] = RefreshAhead(app, refresh)


def refresh(actor: Actor) -> None:
    """Make the lists anew that somebody has asked for lately."""
    for path in _asked_lately(actor):
        _ask(actor, path)


def people_of_today() -> list[int]:
    """Who has used Fuze within a day, the last first; no more than 200."""
    yesterday = func.now() - text("interval '1 day'")
    last = func.max(Session.last_used_at)
    statement = select(Session.user_id).where(Session.revoked_at.is_(None)).group_by(Session.user_id)
    found = db.session.scalars(statement.having(last > yesterday).order_by(last.desc()).limit(MOST_PEOPLE)).all()
    db.session.rollback()
    return list(found)


def _asked_lately(actor: Actor) -> list[str]:
    gate = redis_gate()

    def commands() -> list[Command]:
        name = gate.key(f"asked:{partition_of(actor).name}")
        return [
            ("ZREVRANGE", name, 0, MOST_REMADE - 1),
            ("ZUNIONSTORE", name, 1, name, "WEIGHTS", 0.5),
            ("ZREMRANGEBYSCORE", name, "-inf", LEAST_ASKED),
            ("EXPIRE", name, POPULAR_SECONDS),
        ]

    answers = gate.ask(commands)
    # Whoever writes to Redis can put anything there.
    return [path.decode() for path in answers[0] if ASKABLE.fullmatch(path)] if answers else []


def _ask(actor: Actor, path: str) -> None:
    path, _, query = path.partition("?")
    with current_app.test_request_context(path, query_string=query):
        adapter = current_app.url_map.bind("")
        try:
            endpoint, arguments = adapter.match(path, method="GET")
            route = declared_route(current_app, endpoint)
            if route is not None:
                compute_ahead(route, actor, {**arguments, "actor": actor})
        except (HTTPException, DomainError):
            return  # A route that is not there, or not for this person, has no answer to keep.
