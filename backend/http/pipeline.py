"""The pipeline of a request through a declared route, from top to bottom.

Admission (limits, caller, cache) comes first. Reads: cached response, else the view, whose response is stored. Writes:
the view, once for an idempotency key, then invalidation. Validation and preconditions come right before the view.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Flask, Response, current_app, request
from sqlalchemy.exc import DBAPIError

from backend.actor import Actor
from backend.database import CONFLICTS, PRECONDITION_CHECKED, REPLICA
from backend.errors import PreconditionFailed
from backend.extensions import db, limiter
from backend.http.admission import READS, admit, charge_more
from backend.http.cache_lookup import CacheLookup, cache_key_of, lookup_of
from backend.http.cacheable_reads import cached_response, conditional, items_of, private
from backend.http.content_coding import encode
from backend.http.fast_path import CachedResponses
from backend.http.finish import finish
from backend.http.idempotency.replay import replay_or_run
from backend.http.operations import Operation, Route
from backend.http.preconditions import is_conditional_write
from backend.http.rate_limits.charge import RateLimits
from backend.http.replica_reads import read_on_replica
from backend.http.request_state import request_state
from backend.http.response_cache.flask_caching_backend import cache_backend
from backend.http.response_cache.refresh_ahead import refresh_later
from backend.http.response_cache.store import CachedResponse, CacheMiss, etag_of
from backend.http.unmatched_requests import UnmatchedRequests
from backend.http.validation import validate_request
from backend.http.write_invalidation import invalidate_written
from backend.http.write_preconditions import check_preconditions
from config import Settings

# PostgreSQL: a transaction's rows were changed by another since it began.
CHANGED_MEANWHILE = "40001"


def register_pipeline(app: Flask, settings: Settings) -> None:
    """Serve declared routes through the pipeline, and put the fast path in front of Flask."""
    app.extensions["rate_limits"] = RateLimits(settings.rate_limits)
    limiter.init_app(app)
    app.extensions["pipeline"] = serve
    app.wsgi_app = CachedResponses(app, app.wsgi_app, has_origins=bool(settings.ALLOWED_ORIGINS))  # type: ignore[method-assign]
    app.extensions["unmatched_requests"] = UnmatchedRequests(app)
    app.after_request(finish)


def serve(route: Route, arguments: dict[str, Any]) -> Response:
    """Answer the current request with a declared route; `arguments` are those of its path."""
    admission = admit(route.operation, arguments.get("bookmark_id"))
    actor = admission.actor
    if actor is None:
        response = run_view(route, arguments)
        return response if request.method in READS else private(response, "no-store")
    if "actor" in route.parameters:
        arguments["actor"] = actor
    if request.method not in READS and route.operation.changes != "nothing":
        return _write(route, actor, admission.cached, arguments)
    lookup, cached = admission.lookup, admission.cached
    if lookup is None:
        return conditional(run_view(route, arguments), route.operation)
    # Another process may compute the response: then this one waits for it.
    cached = cached or cache_backend().look_up(cache_key_of(actor, lookup), lookup.etags, lookup.coding)
    if isinstance(cached, CachedResponse):
        return cached_response(cached, route.operation)
    return _compute(route, cached, lookup, arguments)


def run_view(route: Route, arguments: dict[str, Any]) -> Response:
    """Validate query and body, check what a write requires, and return the response of the view."""
    arguments |= validate_request(request, route.query_model, route.body_model, route.form_model)
    cost = route.operation.cost
    if cost is not None and (extra := cost(arguments["json"]) - 1) > 0:
        charge_more(route.operation, extra)
    if request.method in ("PUT", "PATCH", "DELETE") and is_conditional_write():
        check_preconditions(arguments.get("actor"))
    response = read_on_replica(route, arguments) if REPLICA in current_app.extensions else None
    return response or route.respond(route.view(**arguments))


def compute_ahead(route: Route, actor: Actor, arguments: dict[str, Any]) -> None:
    """Compute and store the response to the current request, unless it is cached or another process computes it.

    Raises:
        Forbidden: the actor would not get it either.
    """
    actor.require(route.operation.scope or "")
    lookup = lookup_of(route.operation, request.environ, request.headers, arguments.get("bookmark_id"))
    if lookup is not None:
        miss = cache_backend().look_up(cache_key_of(actor, lookup), [], counted=False)
        if isinstance(miss, CacheMiss) and miss.generation is not None:
            _compute(route, miss, lookup, arguments)


def _compute(route: Route, miss: CacheMiss, lookup: CacheLookup, arguments: dict[str, Any]) -> Response:
    """Return the view's response as the client accepts it, and store it if it may be cached."""
    try:
        response = run_view(route, arguments)
    except Exception:
        cache_backend().abandon(miss)
        raise
    operation = route.operation
    if response.status_code != 200 or response.mimetype != operation.cached_type:
        cache_backend().abandon(miss)
        return conditional(response, operation)
    body = response.get_data()
    if operation.cache_policy.stored is not None:
        stored = operation.cache_policy.stored(body)
        computed = CachedResponse(etag_of(stored), stored)
        cache_backend().store_response(miss, computed)
        return _first_of(computed, operation, response)
    computed = CachedResponse(etag_of(body), body)
    if computed.etag in lookup.etags or "*" in lookup.etags:
        cache_backend().store_response(miss, computed, items_of(operation, response))
        return cached_response(CachedResponse(computed.etag, None), operation)
    variant = encode(current_app, computed, request_state().negotiation)
    cache_backend().store_response(miss, computed, items_of(operation, response), variant)
    return cached_response(variant, operation, response)


def _first_of(stored: CachedResponse, operation: Operation, response: Response) -> Response:
    """Return the view's response under the ETag of the stored one: weak, since the two are not the same to the byte."""
    first = encode(current_app, replace(stored, body=response.get_data()), request_state().negotiation)
    shown = cached_response(first, operation, response)
    shown.headers["ETag"] = f"W/{shown.headers['ETag']}"
    return shown


def _write(
    route: Route, actor: Actor, cached: CachedResponse | CacheMiss | None, arguments: dict[str, Any]
) -> Response:
    """Return the view's response, or that of the first request with the same idempotency key; invalidate."""
    response: Response | None = None
    try:
        response = replay_or_run(actor, lambda: run_view(route, arguments))
    except DBAPIError as error:
        changed = (CHANGED_MEANWHILE, *CONFLICTS)
        if db.session.info.get(PRECONDITION_CHECKED) and getattr(error.orig, "pgcode", None) in changed:
            raise PreconditionFailed from None
        raise
    finally:
        db.session.info.pop(PRECONDITION_CHECKED, None)
        # Also after a fault: it may have come after a commit.
        invalidate_written(route, actor, cached, arguments, response)
    refresh_later(actor)
    if response.status_code == 200 and request.method in ("PUT", "PATCH"):
        response.headers["ETag"] = f'"{etag_of(response.get_data())}"'
    # Tokens and keys are told in responses to writes.
    return private(response, "no-store")
