"""The way of a request through a declared route.

Reads: admission, then the kept answer or the view. Writes: admission, conditions, the view, and after it the news that
what was kept is worthless.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Flask, Response, current_app, g, make_response, request
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from backend.actor import Actor
from backend.database import COMPARED, LOST_RACES
from backend.errors import NotFound, PreconditionFailed
from backend.extensions import db, limiter
from backend.http.admission import (
    JSON,
    PRIVATE,
    VARY,
    CacheLookup,
    WriteIntent,
    admit,
    cache_key_of,
    charge_more,
    is_kept_anything,
    lookup_of,
    remaining,
)
from backend.http.content_coding import encode, entity_tag, negotiated
from backend.http.fast_path import CachedResponses
from backend.http.idempotency.replay import REPLAYED, replay_or_run
from backend.http.operations import CachedItem, LimitClass, Operation, Route, declared_operation, declared_route
from backend.http.preconditions import check_write, is_conditional_write, known_etags, not_modified
from backend.http.rate_limits.charge import RateLimits, request_limits
from backend.http.rate_limits.headers import limit_headers
from backend.http.request_state import request_state
from backend.http.response_cache import store as answers
from backend.http.response_cache.flask_caching_backend import cache_backend
from backend.http.response_cache.invalidation import (
    invalidate,
    invalidate_bookmark,
    invalidate_lists,
)
from backend.http.response_cache.refresh_ahead import refresh_later
from backend.http.response_cache.store import CachedResponse, CacheKey, CacheMiss
from backend.http.unmatched_requests import UnmatchedRequests
from backend.redis.client import redis_gate
from config import Settings

READS = ("GET", "HEAD")
# What PostgreSQL says to a transaction whose rows another has changed since it began.
CHANGED_MEANWHILE = "40001"
# How long an answer took, where it says so. In a text of the answer these quotes would have backslashes.
TOOK = re.compile(rb'"took_ms":\s*[0-9.eE+-]+')
# What is written under these shows in answers about the person.
PERSONAL_SCOPES = ("login", "account", "organizations")


def register_serving(app: Flask, settings: Settings) -> None:
    """Have declared routes answered here, and the limits said on every answer."""
    app.extensions["rate_limits"] = RateLimits(settings.rate_limits)
    limiter.init_app(app)
    app.extensions["serving"] = RouteServing()
    app.wsgi_app = CachedResponses(app, app.wsgi_app, has_origins=bool(settings.ALLOWED_ORIGINS))  # type: ignore[method-assign]
    app.before_request(UnmatchedRequests(app).receive)
    app.after_request(_say_limits)


class RouteServing:
    """What `backend.api.operation` wraps around every view."""

    def serve(self, route: Route, arguments: dict[str, Any]) -> Response:
        """The answer of a route to the request at hand."""
        operation = route.operation
        question = _question(operation, arguments) if request.method in READS else _intent(operation)
        admission = admit(operation, question)
        actor = admission.actor
        if actor is not None and route.takes("actor"):
            arguments["actor"] = actor
        if actor is None:
            response = _view(route, arguments)
            return response if request.method in READS else _private(response, "no-store")
        if request.method not in READS and operation.changes != "nothing":
            return _write(route, actor, admission.found, arguments)
        if not isinstance(question, CacheLookup):
            return _conditional(_view(route, arguments), is_timed=route.operation.is_timed)
        return _kept_or_made(route, cache_key_of(actor, question), question, admission.found, arguments)

    def before_work(self, route: Route, arguments: dict[str, Any]) -> None:
        """With everything checked: charge for a large body, and look whether the caller's conditions hold."""
        cost = route.operation.cost
        if cost is not None and (extra := cost(arguments["json"]) - 1) > 0:
            charge_more(route.operation, extra)
        if route.operation.retags is not None:
            g.retags = route.operation.retags(arguments.get("json"))
        if request.method in ("PUT", "PATCH", "DELETE") and is_conditional_write():
            _check_conditions(arguments.get("actor"))


def make_ready(route: Route, actor: Actor, arguments: dict[str, Any]) -> None:
    """Have the answer to the request at hand kept, if it is one that may be, unless somebody is making it already.

    Raises:
        Forbidden: the actor would not get it either.
    """
    actor.require(route.operation.scope or "")
    question = _question(route.operation, arguments)
    if question is not None:
        found = cache_backend().look_up(cache_key_of(actor, question), [], counted=False)
        if isinstance(found, CacheMiss) and found.generation is not None:
            _make(route, found, arguments, [])


def _intent(operation: Operation) -> WriteIntent | None:
    """What a write asks the cache for, if its answer is that of the next read."""
    return WriteIntent() if operation.kept.parts is not None and is_kept_anything() else None


def _question(operation: Operation, arguments: Mapping[str, Any]) -> CacheLookup | None:
    """What to ask the cache, if it may know the answer."""
    return lookup_of(operation, request.environ, request.headers, arguments.get("bookmark_id"))


def _kept_or_made(
    route: Route,
    key: CacheKey,
    question: CacheLookup,
    found: CachedResponse | CacheMiss | None,
    arguments: dict[str, Any],
) -> Response:
    found = found or cache_backend().look_up(key, question.known, question.coding)
    if isinstance(found, CachedResponse):
        return _from_cache(found)
    return _private(_make(route, found, arguments, question.known))


def _make(route: Route, miss: CacheMiss, arguments: dict[str, Any], etags: Sequence[str]) -> Response:
    """Return the view's response, as the client accepts it, and store it for others if it may be cached."""
    try:
        response = _view(route, arguments)
    except Exception:
        cache_backend().abandon(miss)
        raise
    if response.status_code != 200 or response.mimetype != JSON:
        cache_backend().abandon(miss)
        return response
    body = response.get_data()
    computed = CachedResponse(answers.etag_of(body), body)
    is_known = computed.etag in etags or "*" in etags
    encoded = None if is_known else encode(current_app, computed, request_state().negotiation)
    cache_backend().store_response(miss, computed, _parts(route.operation, response), encoded)
    return not_modified(computed.etag) if encoded is None else _with_body(response, encoded)


def _with_body(response: Response, cached: CachedResponse) -> Response:
    response.set_data(cached.body or b"")
    response.headers["ETag"] = f'"{entity_tag(cached)}"'
    if cached.coding != answers.IDENTITY:
        response.headers["Content-Encoding"] = cached.coding
    return response


def _from_cache(cached: CachedResponse) -> Response:
    if cached.body is None:
        return _private(not_modified(cached.etag))
    shown = negotiated(current_app, redis_gate(), cached, request_state().negotiation)
    return _private(_with_body(current_app.response_class(mimetype=JSON), shown))


def _conditional(response: Response, *, is_timed: bool = False) -> Response:
    """The answer with its ETag; 304 if the caller has it already.

    Two answers that differ in how long they took are the same but for that: their ETag is a weak one.
    """
    if response.status_code == 200 and response.mimetype == JSON and not response.is_streamed:
        body = response.get_data()
        etag = answers.etag_of(TOOK.sub(b"", body) if is_timed else body)
        known = known_etags(request.headers)
        if etag in known or "*" in known:
            return _private(not_modified(etag, is_weak=is_timed))
        response.set_etag(etag, weak=is_timed)
    return _private(response)


def _write(route: Route, actor: Actor, found: CachedResponse | CacheMiss | None, arguments: dict[str, Any]) -> Response:
    response: Response | None = None
    try:
        response = replay_or_run(actor, lambda: _view(route, arguments))
    except DBAPIError as error:
        changed = (CHANGED_MEANWHILE, *LOST_RACES)
        if db.session.info.get(COMPARED) and getattr(error.orig, "pgcode", None) in changed:
            raise PreconditionFailed from None
        raise
    finally:
        db.session.info.pop(COMPARED, None)
        # Also after a fault: it may have come after a commit.
        _announce(route.operation, actor, found, arguments, response)
    refresh_later(actor)
    if response.status_code == 200 and request.method in ("PUT", "PATCH"):
        response.headers["ETag"] = f'"{answers.etag_of(response.get_data())}"'
    # Tokens and keys are told in answers to writes.
    return _private(response, "no-store")


def _announce(
    operation: Operation,
    actor: Actor,
    found: CachedResponse | CacheMiss | None,
    arguments: Mapping[str, Any],
    response: Response | None,
) -> None:
    """Tell what may have changed: what the route declares, else all that the organization has."""
    if operation.changes == "lists":
        invalidate_lists(actor.organization_id)
    elif operation.changes == "bookmark" and response is not None:
        bookmark_id = arguments.get("bookmark_id") or response.get_json()["id"]
        # What was answered to the first of repeated requests may not be so any more.
        parts = () if REPLAYED in response.headers else _parts(operation, response)
        answer = (found, parts) if parts and isinstance(found, CacheMiss) else None
        invalidate_bookmark(actor.organization_id, bookmark_id, retagged=g.get("retags", True), answer=answer)
    elif operation.changes == "person":
        invalidate([], [actor.user_id])
    else:
        is_personal = (operation.scope or "").partition(":")[0] in PERSONAL_SCOPES
        invalidate([actor.organization_id], [actor.user_id] if is_personal else [])


def _parts(operation: Operation, response: Response) -> Sequence[CachedItem]:
    """What an answer says about single bookmarks."""
    if operation.kept.parts is None or response.mimetype != JSON or response.status_code not in (200, 201):
        return ()
    return operation.kept.parts(response.get_data())


def _check_conditions(actor: Actor | None) -> None:
    """Compare what is there now with what the caller wants to be there.

    The transaction sees from here on what it has seen first, and fails if another changes the rows it writes: what was
    compared is what is changed.
    """
    db.session.rollback()
    db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    db.session.info[COMPARED] = True
    check_write(_current_etag(actor))


def _current_etag(actor: Actor | None) -> str | None:
    adapter = current_app.url_map.bind_to_environ(request.environ)
    try:
        endpoint, arguments = adapter.match(request.path, method="GET")
        route = declared_route(current_app, endpoint)
        if route is None:
            return None
        given = {**arguments, "actor": actor} if route.takes("actor") else dict(arguments)
        return answers.etag_of(route.represent(given).get_data())
    except HTTPException:
        return None
    except NotFound:
        if request.method == "PUT":
            return None
        raise


def _view(route: Route, arguments: Mapping[str, Any]) -> Response:
    return make_response(route.checked(**arguments))


def _private(response: Response, control: str = PRIVATE) -> Response:
    """For the caller alone, and to be asked for each time anew, unless the view has said something else."""
    response.headers.setdefault("Cache-Control", control)
    response.headers["Vary"] = VARY
    return response


def _say_limits(response: Response) -> Response:
    limits = request_limits()
    outcome = limits.verdict if limits else None
    if outcome is None:
        outcome = remaining(_limit_class())
    if outcome is not None:
        # Nothing else sets these: they need not be looked for first, as by `headers[name] = value`.
        response.headers.extend(limit_headers(outcome))
    return response


def _limit_class() -> LimitClass:
    operation = declared_operation(current_app, request.endpoint) if request.endpoint else None
    return operation.limit if operation else "default"
