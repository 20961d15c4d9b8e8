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
from backend.http.admission import JSON, PRIVATE, VARY, CacheLookup, admission_command, cached_for, lookup_of
from backend.http.authentication import Authenticator, Credential
from backend.http.content_coding import entity_tag, negotiated
from backend.http.middleware.cors import origin_headers
from backend.http.middleware.request_id import request_id_of
from backend.http.operations import Operation, declared_operation
from backend.http.preconditions import same_etag
from backend.http.rate_limits.charge import Charge
from backend.http.rate_limits.headers import limit_headers
from backend.http.rate_limits.service import rate_limits
from backend.http.rate_limits.windows import Verdict
from backend.http.request_state import RequestState, begin_request
from backend.http.response_cache.store import IDENTITY, CachedResponse
from backend.observability.logging import log_access
from backend.redis.connections import pack
from backend.redis.resilient import RedisGate

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


@dataclass(frozen=True)
class CachedRoute:
    """A route whose responses are cached, its rule, and the one bookmark that it is about."""

    operation: Operation
    rule: str
    bookmark_id: int | None


@dataclass(frozen=True)
class CacheHit:
    """A cached response, the actor and the rule of its request, and the verdict of the limits."""

    actor: Actor
    response: CachedResponse
    verdict: Verdict | None
    rule: str


class PreparedLookup:
    """The admission command of a request: the same each time that it is sent, until its token ends."""

    def __init__(
        self, authenticator: Authenticator, credential: Credential, lookup: CacheLookup, charge: Charge
    ) -> None:
        self._authenticator = authenticator
        self.credential = credential
        self.lookup = lookup
        self.charge = charge
        self._packed: tuple[str, bytes] = ("", b"")

    def ask(self, gate: RedisGate) -> list[Any] | None:
        """Return the reply of `ADMIT`; None while Redis is away. One round trip."""
        replies = gate.ask(lambda: [self._command(gate.key(""))])
        return replies[0] if replies else None

    def _command(self, prefix: str) -> bytes:
        """Pack the command, once for each run of Redis: keys begin with its number."""
        packed_for, packed = self._packed
        if packed_for != prefix:
            packed = pack(admission_command(self._authenticator, prefix, self.charge, self.credential, self.lookup))
            self._packed = prefix, packed
        return packed


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
        started, state = time.perf_counter(), begin_request(environ)
        if environ["REQUEST_METHOD"] != "GET" or any(map(environ.get, LEFT_TO_FLASK)):
            return self._behind(environ, start_response)
        hit = self._find(environ, state)
        if hit is None:
            return self._behind(environ, start_response)
        return self._send(hit, environ, start_response, started)

    def _find(self, environ: WSGIEnvironment, state: RequestState) -> CacheHit | None:
        """Return the cached response if the caller may see it; refusals are left to Flask."""
        route = self._route_of(environ["PATH_INFO"])
        gate: RedisGate = self._app.extensions["redis_gate"]
        is_trusted = gate.is_trusted and self._app.extensions["settings"].ENABLE_CACHING
        if route is None or not is_trusted or state.negotiation.coding is None:
            return None
        try:
            prepared = self._lookup_of(environ, state)
            if prepared.credential.expires_at <= time.time():
                return None
            state.reply = reply = prepared.ask(gate)
            if reply is None or not reply[2] or not gate.is_trusted:
                return None
            actor = self._authenticator.known_actor(prepared.credential, reply[1])
            if actor is None:
                return None
            actor.require(route.operation.scope or "")
        except DomainError:
            return None
        cached = cached_for(actor, prepared.lookup, reply)
        if not isinstance(cached, CachedResponse):
            return None
        response = negotiated(self._app, gate, cached, state.negotiation)
        return CacheHit(actor, response, prepared.charge.decode(reply[0]), route.rule)

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
        route = self._route_of(environ["PATH_INFO"])
        headers = EnvironHeaders(environ)
        with self._app.app_context():
            lookup = lookup_of(route.operation, environ, headers, route.bookmark_id) if route else None
            if route is None or lookup is None:
                raise NotFound
            credential = self._authenticator.read_credential(headers)
            charge = Charge(credential.subject, route.operation.limit, rate_limits())
            return PreparedLookup(self._authenticator, credential, lookup, charge)

    def _send(
        self, hit: CacheHit, environ: WSGIEnvironment, start_response: StartResponse, started: float
    ) -> Iterable[bytes]:
        response = hit.response
        is_known = response.body is None
        request_id = request_id_of(environ.get("HTTP_X_REQUEST_ID"))
        etag = same_etag(EnvironHeaders(environ), response.etag) if is_known else entity_tag(response)
        headers = [
            ("ETag", f'"{etag}"'),
            ("Cache-Control", PRIVATE),
            ("Vary", self._vary),
            ("X-Request-ID", request_id),
        ]
        if hit.verdict is not None:
            headers += limit_headers(hit.verdict)
        if origin := environ.get("HTTP_ORIGIN"):
            headers += origin_headers(self._app)(origin)
        if response.body is not None:
            headers += [("Content-Type", JSON), ("Content-Length", str(len(response.body)))]
            if response.coding != IDENTITY:
                headers.append(("Content-Encoding", response.coding))
        log_access(
            user_id=hit.actor.user_id,
            organization_id=hit.actor.organization_id,
            route=hit.rule,
            method="GET",
            path=environ["PATH_INFO"],
            status=304 if is_known else 200,
            started=started,
            request_id=request_id,
        )
        start_response("304 NOT MODIFIED" if is_known else "200 OK", headers)
        return [response.body or b""]

    def _route_of(self, path: str) -> CachedRoute | None:
        """Return the route of a path, if its responses are cached."""
        if len(path) > LONGEST_PATH:
            return None
        try:
            return self._routes(path)
        except (HTTPException, RequestRedirect):
            return None

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
