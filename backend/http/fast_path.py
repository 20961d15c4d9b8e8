"""Kept answers, given before Flask begins: the shortest way, and the one that most requests go.

What is asked of Redis is the same as on the way through Flask, and so is who may see the answer. Where it is not kept,
or anything else is to be said of the request, Flask takes over with what Redis has said: nothing is asked twice.
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
from backend.http.admission import ASKED, JSON, PRIVATE, VARY, CacheLookup, admission_command, cached_for, lookup_of
from backend.http.authentication import Authenticator, Credential
from backend.http.middleware.compression import may_rule_out_identity
from backend.http.middleware.request_id import request_id_of
from backend.http.operations import Operation, declared_operation
from backend.http.preconditions import same_etag
from backend.http.rate_limits.headers import limit_headers
from backend.http.rate_limits.service import Charge, rate_limits
from backend.http.rate_limits.windows import Verdict
from backend.http.response_cache.store import CachedResponse
from backend.observability.logging import log_access
from backend.redis.connections import pack
from backend.redis.resilient import RedisGate

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Who sends one of these gets more than the answer: what CORS says, or a refusal.
MORE_TO_SAY = ("HTTP_ORIGIN", "CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING")

# What the question to Redis depends on, with what stands for nothing.
ASKED_BY: tuple[tuple[str, str | None], ...] = (
    ("PATH_INFO", ""),
    ("QUERY_STRING", ""),
    ("HTTP_AUTHORIZATION", None),
    ("HTTP_X_ORGANIZATION_ID", None),
    ("HTTP_IF_NONE_MATCH", None),
)
Key = tuple[str | None, ...]
REMEMBERED, LONGEST_REMEMBERED = 2_048, 2_000
REMEMBERED_PATHS, LONGEST_PATH = 4_096, 200


@dataclass(frozen=True)
class CachedRoute:
    """A route whose answers are kept, its rule, and the one bookmark that it is about."""

    operation: Operation
    rule: str
    bookmark_id: int | None


@dataclass(frozen=True)
class CacheHit:
    """A kept answer, who asked for it by which rule, and what the limits say."""

    actor: Actor
    answer: CachedResponse
    verdict: Verdict | None
    rule: str


class PreparedLookup:
    """What a request asks of Redis: the same each time that it is sent, but for the end of its token."""

    def __init__(
        self, authenticator: Authenticator, credential: Credential, question: CacheLookup, charge: Charge
    ) -> None:
        self._authenticator = authenticator
        self.credential = credential
        self.question = question
        self.charge = charge
        self._packed: tuple[str, bytes] = ("", b"")

    def ask(self, gate: RedisGate) -> list[Any] | None:
        """What `ADMIT` answers; None while Redis is away. One round trip."""
        answered = gate.ask(lambda: [self._command(gate.key(""))])
        return answered[0] if answered else None

    def _command(self, prefix: str) -> bytes:
        """Packed once for each run of Redis: keys begin with its number."""
        packed_for, packed = self._packed
        if packed_for != prefix:
            packed = pack(admission_command(self._authenticator, prefix, self.charge, self.credential, self.question))
            self._packed = prefix, packed
        return packed


class CachedResponses:
    """Answers what it can from the cache, and leaves the rest to the application behind it."""

    def __init__(self, app: Flask, behind: WSGIApplication, *, has_origins: bool) -> None:
        """Nothing is looked up yet.

        Args:
            app: Whose routes and extensions to use.
            behind: What answers all other requests.
            has_origins: Whether browsers of other origins may call, so that every answer varies by origin.
        """
        self._app = app
        self._authenticator: Authenticator = app.extensions["authenticator"]
        self._behind = behind
        self._vary = f"{VARY}, Origin, Accept-Encoding" if has_origins else f"{VARY}, Accept-Encoding"
        self._remembered = lru_cache(maxsize=REMEMBERED_PATHS)(self._look_up)
        self._prepared = lru_cache(maxsize=REMEMBERED)(self._prepare)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET" and not any(environ.get(name) for name in MORE_TO_SAY):
            started = time.perf_counter()
            found = self._find(environ)
            if found is not None and not self._is_to_be_packed(environ, found.answer):
                return self._send(found, environ, start_response, started)
        return self._behind(environ, start_response)

    def _find(self, environ: WSGIEnvironment) -> CacheHit | None:
        """The kept answer to a request, if it is its caller's to see; refusals are left to Flask."""
        read = self._read_of(environ["PATH_INFO"])
        gate: RedisGate = self._app.extensions["redis_gate"]
        if read is None or not gate.is_trusted or not self._app.extensions["settings"].ENABLE_CACHING:
            return None
        key = tuple(environ.get(name, default) for name, default in ASKED_BY)
        # What is longer is not remembered: it would take too much room.
        prepare = self._prepared if sum(map(len, filter(None, key))) <= LONGEST_REMEMBERED else self._prepare
        try:
            asked = prepare(key)
            if asked.charge.rules is not self._app.extensions["rate_limits"]:
                # Other limits hold than when the application was made.
                self._prepared.cache_clear()
                asked = self._prepare(key)
            if asked.credential.expires_at <= time.time():
                return None
            environ[ASKED] = answered = asked.ask(gate)
            if answered is None or not answered[2] or not gate.is_trusted:
                return None
            actor = self._authenticator.known_actor(asked.credential, answered[1])
            if actor is None:
                return None
            actor.require(read.operation.scope or "")
        except DomainError:
            return None
        answer = cached_for(actor, asked.question, answered)
        if not isinstance(answer, CachedResponse):
            return None
        return CacheHit(actor, answer, asked.charge.settle(answered[0]), read.rule)

    def _prepare(self, key: Key) -> PreparedLookup:
        """What to ask of Redis for a request whose answers are kept.

        Raises:
            DomainError: it shows no good token, or nothing is kept now. Neither is remembered.
        """
        environ = {name: value for (name, _), value in zip(ASKED_BY, key, strict=True) if value is not None}
        read = self._read_of(environ["PATH_INFO"])
        headers = EnvironHeaders(environ)
        with self._app.app_context():
            question = lookup_of(read.operation, environ, headers, read.bookmark_id) if read else None
            if read is None or question is None:
                raise NotFound
            credential = self._authenticator.read_credential(headers)
            charge = Charge(credential.subject, read.operation.limit, rate_limits())
            return PreparedLookup(self._authenticator, credential, question, charge)

    def _is_to_be_packed(self, environ: WSGIEnvironment, answer: CachedResponse) -> bool:
        accepted = environ.get("HTTP_ACCEPT_ENCODING")
        if accepted is None:
            return False
        return len(answer.body or b"") >= self._app.config["COMPRESS_MIN_SIZE"] or may_rule_out_identity(accepted)

    def _send(
        self, found: CacheHit, environ: WSGIEnvironment, start_response: StartResponse, started: float
    ) -> Iterable[bytes]:
        answer, is_same = found.answer, found.answer.body is None
        request_id = request_id_of(environ.get("HTTP_X_REQUEST_ID"))
        etag = same_etag(EnvironHeaders(environ), answer.etag) if is_same else answer.etag
        headers = [
            ("ETag", f'"{etag}"'),
            ("Cache-Control", PRIVATE),
            ("Vary", self._vary),
            ("X-Request-ID", request_id),
        ]
        if found.verdict is not None:
            headers += limit_headers(found.verdict)
        if answer.body is not None:
            headers += [("Content-Type", JSON), ("Content-Length", str(len(answer.body)))]
        log_access(
            user_id=found.actor.user_id,
            organization_id=found.actor.organization_id,
            route=found.rule,
            method="GET",
            path=environ["PATH_INFO"],
            status=304 if is_same else 200,
            started=started,
            request_id=request_id,
        )
        start_response("304 NOT MODIFIED" if is_same else "200 OK", headers)
        return [answer.body or b""]

    def _read_of(self, path: str) -> CachedRoute | None:
        """What a path reads, if its answers are kept."""
        if len(path) > LONGEST_PATH:
            return None
        try:
            return self._remembered(path)
        except (HTTPException, RequestRedirect):
            return None

    def _look_up(self, path: str) -> CachedRoute | None:
        """What a path reads, if its answers are kept.

        Raises:
            HTTPException, RequestRedirect: no route takes it. That is not remembered: anybody can think of such paths.
        """
        rule, arguments = self._app.url_map.bind("").match(path, method="GET", return_rule=True)
        operation = declared_operation(self._app, rule.endpoint)
        if operation is None or operation.cache is None:
            return None
        return CachedRoute(operation, str(rule), arguments.get("bookmark_id"))
