"""Fast path: cached responses, served before Flask begins.

It looks up the same in Redis as the way through Flask, under the same rights. A request that is no plain hit goes on to
Flask with what has been decided about it (`RequestState`), so that nothing is looked up twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.datastructures import EnvironHeaders
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from backend.actor import Actor
from backend.errors import DomainError, NotFound
from backend.http.admission_script import KnownActor, PreparedLookup
from backend.http.authentication import Authenticator
from backend.http.cache_lookup import cache_key_of, lookup_of
from backend.http.content_coding import entity_tag, negotiated
from backend.http.middleware.cors import origin_headers
from backend.http.negotiation import IDENTITY
from backend.http.operations import Operation, declared_operation
from backend.http.preconditions import same_etag
from backend.http.rate_limits.charge import Charge
from backend.http.rate_limits.headers import limit_headers
from backend.http.rate_limits.service import rate_limits
from backend.http.rate_limits.windows import Verdict
from backend.http.request_state import Recognised, RequestState, begin_request
from backend.http.response_cache.store import CachedResponse, decode_reply
from backend.http.response_headers import JSON, PRIVATE, VARY
from backend.observability.logging import log_access
from backend.observability.metrics.recording import is_lookup_measured, record_lookup, request_in_progress
from backend.observability.metrics.requests import record_response
from backend.redis.resilient import ResilientRedis

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# A GET with one of these may be refused, or its response says more than CORS usually does.
LEFT_TO_FLASK = (
    "CONTENT_LENGTH",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_CONTENT_ENCODING",
    "HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK",
)

# What a lookup depends on beside the content coding, with the value that stands for a missing header.
LOOKUP_KEYS: tuple[tuple[str, str | None], ...] = (
    ("PATH_INFO", ""),
    ("QUERY_STRING", ""),
    ("HTTP_AUTHORIZATION", None),
    ("HTTP_X_ORGANIZATION_ID", None),
    ("HTTP_IF_NONE_MATCH", None),
)
LookupKey = tuple[str | None, ...]
REMEMBERED, LONGEST_REMEMBERED = 2_048, 2_000
REMEMBERED_PATHS, LONGEST_PATH = 4_096, 200
# For so long the same entries about a login are not verified again; the end of its token is checked each time.
ACTOR_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class CachedRoute:
    """A route whose responses are cached, its rule, and the one bookmark that it is about."""

    operation: Operation
    rule: str
    bookmark_id: int | None


@dataclass(frozen=True, slots=True)
class CacheHit:
    """A cached response, the actor and the route of its request, and the verdict of the limits."""

    actor: Actor
    response: CachedResponse
    verdict: Verdict | None
    route: CachedRoute


class CachedResponses:
    """WSGI middleware that answers from the cache what it can, and leaves the rest to the application behind it."""

    def __init__(self, app: Flask, behind: WSGIApplication, *, has_origins: bool) -> None:
        """Look nothing up yet.

        Args:
            app: The application whose routes and extensions to use.
            behind: What answers all other requests.
            has_origins: Whether other origins may call, so that every response varies by origin.
        """
        self._app = app
        self._authenticator: Authenticator = app.extensions["authenticator"]
        self._behind = behind
        self._vary = f"{VARY}, Origin, Accept-Encoding" if has_origins else f"{VARY}, Accept-Encoding"
        self._routes = lru_cache(maxsize=REMEMBERED_PATHS)(self._match)
        self._lookups = lru_cache(maxsize=REMEMBERED)(self._prepare)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        state = begin_request(environ)
        is_plain = environ["REQUEST_METHOD"] == "GET" and not any(map(environ.get, LEFT_TO_FLASK))
        hit = self._find(environ, state) if is_plain else None
        if hit is not None:
            return self._send(hit, environ, start_response, state)
        with request_in_progress():
            return self._behind(environ, start_response)

    def _find(self, environ: WSGIEnvironment, state: RequestState) -> CacheHit | None:
        """Return the cached response if the caller may see it; refusals are left to Flask."""
        gate: ResilientRedis = self._app.extensions["resilient_redis"]
        path = environ["PATH_INFO"]
        is_trusted = gate.is_trusted and self._app.extensions["settings"].ENABLE_CACHING
        if not is_trusted or state.negotiation.coding is None or len(path) > LONGEST_PATH:
            return None
        try:
            route = self._routes(path)
            prepared = self._lookup_of(environ, state) if route else None
        except (DomainError, HTTPException, RequestRedirect):
            return None
        if route is None or prepared is None or prepared.expires_at <= time.time():
            return None
        asked = time.perf_counter() if is_lookup_measured() else 0.0
        replies = gate.execute(lambda: [prepared.command(gate.key(""))])
        if asked:
            record_lookup(time.perf_counter() - asked)
        if replies is None or not gate.is_trusted:
            return None
        reply, known = replies[0], prepared.known_actor
        if known is None or known.entries != reply[1] or known.until < time.time():
            known = self._recognise(prepared, reply, route.operation)
        cached = None
        # Redis has looked up for whom it takes the caller to be.
        if known is not None and reply[2] and reply[3] == known.partition:
            cached = decode_reply(known.key, reply[2], prepared.lookup.coding)
        if known is None or not isinstance(cached, CachedResponse):
            state.recognised = Recognised(prepared, reply, known.actor if known else None, cached)
            return None
        if cached.identity_key:
            cached = negotiated(self._app, gate, cached, state.negotiation)
        return CacheHit(known.actor, cached, prepared.charge.decode(reply[0]), route)

    def _recognise(self, prepared: PreparedLookup, reply: list[Any], operation: Operation) -> KnownActor | None:
        """Return who acts, if Redis knows that and they may read; remember it of a login."""
        try:
            actor = self._authenticator.known_actor(prepared.credential, reply[1]) if reply[2] else None
            if actor is None:
                return None
            actor.require(operation.scope or "")
        except DomainError:
            return None
        key = cache_key_of(actor, prepared.lookup)
        known = KnownActor(reply[1], actor, key, key.partition.name.encode(), time.time() + ACTOR_SECONDS)
        if actor.is_login:
            prepared.known_actor = known
        return known

    def _lookup_of(self, environ: WSGIEnvironment, state: RequestState) -> PreparedLookup:
        """Return what to look up for a request; remembered, unless it is too long for that.

        Raises:
            DomainError: it shows no good token, or nothing is cached now.
        """
        key = (*[environ.get(name, default) for name, default in LOOKUP_KEYS], state.negotiation.coding)
        prepare = self._lookups if sum(map(len, filter(None, key))) <= LONGEST_REMEMBERED else self._prepare
        prepared = prepare(key)
        if prepared.charge.rules is not self._app.extensions["rate_limits"]:
            # Other limits hold than when the application was built.
            self._lookups.cache_clear()
            prepared = self._prepare(key)
        return prepared

    def _prepare(self, key: LookupKey) -> PreparedLookup:
        names = [*(name for name, _ in LOOKUP_KEYS), "HTTP_ACCEPT_ENCODING"]
        environ = {name: value for name, value in zip(names, key, strict=True) if value is not None}
        route = self._routes(environ["PATH_INFO"])
        headers = EnvironHeaders(environ)
        with self._app.app_context():
            lookup = lookup_of(route.operation, environ, headers, route.bookmark_id) if route else None
            if route is None or lookup is None:
                raise NotFound
            credential = self._authenticator.read_credential(headers)
            charge = Charge(credential.subject, route.operation.limit, rate_limits())
            return PreparedLookup(self._authenticator, credential, lookup, charge, credential.expires_at)

    def _send(
        self, hit: CacheHit, environ: WSGIEnvironment, start_response: StartResponse, state: RequestState
    ) -> Iterable[bytes]:
        response = hit.response
        is_known = response.body is None
        etag = same_etag(EnvironHeaders(environ), response.etag) if is_known else entity_tag(response)
        headers = [
            ("ETag", f'"{etag}"'),
            ("Cache-Control", PRIVATE),
            ("Vary", self._vary),
            ("X-Request-ID", state.request_id),
        ]
        if hit.verdict is not None:
            headers += limit_headers(hit.verdict)
        if origin := environ.get("HTTP_ORIGIN"):
            headers += origin_headers(self._app)(origin)
        if response.body is not None:
            headers += [("Content-Type", JSON), ("Content-Length", str(len(response.body)))]
            if response.coding != IDENTITY:
                headers.append(("Content-Encoding", response.coding))
        status = 304 if is_known else 200
        limited = hit.route.operation.limit if hit.verdict else ""
        record_response("GET", hit.route.rule, status, time.perf_counter() - state.started, limited)
        log_access(
            user_id=hit.actor.user_id,
            organization_id=hit.actor.organization_id,
            route=hit.route.rule,
            method="GET",
            path=environ["PATH_INFO"],
            status=status,
            started=state.started,
            request_id=state.request_id,
        )
        start_response("304 NOT MODIFIED" if is_known else "200 OK", headers)
        return [response.body or b""]

    def _match(self, path: str) -> CachedRoute | None:
        """Return the route of a path, if its responses are cached.

        Raises:
            HTTPException, RequestRedirect: no route takes it. That is not remembered: such paths are without number.
        """
        rule, arguments = self._app.url_map.bind("").match(path, method="GET", return_rule=True)
        operation = declared_operation(self._app, rule.endpoint)
        if operation is None or operation.cache is None:
            return None
        return CachedRoute(operation, str(rule), arguments.get("bookmark_id"))
