"""Kept answers, given before Flask begins: the shortest way, and the one that most requests go.

What is asked of Redis is the same as on the way through Flask, and so is who may see the answer. Where it is not kept,
or anything else is to be said of the request, Flask takes over with what Redis has said: nothing is asked twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.datastructures import EnvironHeaders
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from backend.actor import Actor
from backend.api import Operation, declared_operation
from backend.auth.authentication import actor_of, is_first_use, read_credential
from backend.cache import answers
from backend.cache.answers import Answer
from backend.errors import DomainError
from backend.limits.service import Charge, rate_limits
from backend.limits.windows import Verdict
from backend.middleware.request_id import request_id_of
from backend.observability.logging import log_access
from backend.serving.admission import ASKED, JSON, PRIVATE, VARY, ask, question_of, slot_of
from backend.serving.conditions import same_etag
from backend.serving.limit_headers import limit_headers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Who sends one of these gets more than the answer: what CORS says, or a refusal.
MORE_TO_SAY = ("HTTP_ORIGIN", "CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING")


@dataclass(frozen=True)
class Read:
    """A route whose answers are kept, its rule, and the one bookmark that it is about."""

    operation: Operation
    rule: str
    bookmark_id: int | None


@dataclass(frozen=True)
class Found:
    """A kept answer, who asked for it by which rule, and what the limits say."""

    actor: Actor
    answer: Answer
    verdict: Verdict | None
    rule: str


class KeptAnswers:
    """Answers what it can from the cache, and leaves the rest to the application behind it."""

    def __init__(self, app: Flask, behind: WSGIApplication, *, has_origins: bool) -> None:
        """Nothing is looked up yet.

        Args:
            app: Whose routes and extensions to use.
            behind: What answers all other requests.
            has_origins: Whether browsers of other origins may call, so that every answer varies by origin.
        """
        self._app = app
        self._behind = behind
        self._vary = f"{VARY}, Origin, Accept-Encoding" if has_origins else f"{VARY}, Accept-Encoding"
        self._read_of = lru_cache(maxsize=4096)(self._look_up)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "GET" and not any(environ.get(name) for name in MORE_TO_SAY):
            started = time.perf_counter()
            found = self._find(environ)
            if found is not None and not self._is_to_be_packed(environ, found.answer):
                return self._send(found, environ, start_response, started)
        return self._behind(environ, start_response)

    def _find(self, environ: WSGIEnvironment) -> Found | None:
        """The kept answer to a request, if it is its caller's to see; refusals are left to Flask."""
        read = self._read_of(environ["PATH_INFO"])
        if read is None:
            return None
        headers = EnvironHeaders(environ)
        with self._app.app_context():
            question = question_of(read.operation, environ, headers, read.bookmark_id)
            if question is None:
                return None
            try:
                credential = read_credential(headers)
                charge = Charge(credential.subject, read.operation.limit, rate_limits())
                environ[ASKED] = asked = ask(charge, credential, question)
                if asked is None or not asked[2] or is_first_use(credential, asked[1]):
                    return None
                actor = actor_of(credential, asked[1])
                actor.require(read.operation.scope or "")
            except DomainError:
                return None
            answer = answers.settle(slot_of(actor, question), asked[2])
            return Found(actor, answer, charge.settle(asked[0]), read.rule) if isinstance(answer, Answer) else None

    def _is_to_be_packed(self, environ: WSGIEnvironment, answer: Answer) -> bool:
        return len(answer.body or b"") >= self._app.config["COMPRESS_MIN_SIZE"] and "HTTP_ACCEPT_ENCODING" in environ

    def _send(
        self, found: Found, environ: WSGIEnvironment, start_response: StartResponse, started: float
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

    def _look_up(self, path: str) -> Read | None:
        """What a path reads, if its answers are kept."""
        try:
            rule, arguments = self._app.url_map.bind("").match(path, method="GET", return_rule=True)
        except (HTTPException, RequestRedirect):
            return None
        operation = declared_operation(self._app, rule.endpoint)
        if operation is None or operation.cache is None:
            return None
        return Read(operation, str(rule), arguments.get("bookmark_id"))
