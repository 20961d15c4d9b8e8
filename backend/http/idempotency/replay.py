"""Idempotency-Key: a request that is sent again gets the response of the first one."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256

from flask import Response, current_app, request

from backend.actor import Actor
from backend.errors import Invalid
from backend.http.authentication import authenticator
from backend.http.idempotency.service import IdempotentAttempt, Replay, claim, complete, release
from backend.http.multipart import form_digest, is_multipart

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
ACCEPTABLE = re.compile(r"[\x21-\x7e]{1,255}")
# Headers that are stored with the body; the others are set on each response.
STORED_HEADERS = ("Content-Type", "Location", "ETag")


def replay_or_run(actor: Actor, work: Callable[[], Response]) -> Response:
    """Return the response of `work`, or the one that the first request with this key got.

    Only success is stored: a refused request has changed nothing, and may be tried again.

    Raises:
        Invalid: the key is none, or was used for another request.
        Conflict: the first request still runs, or its response was lost.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return work()
    if not ACCEPTABLE.fullmatch(key):
        raise Invalid.field(f"header.{HEADER}", "Input should be 1 to 255 visible ASCII characters.", "malformed")
    claimed = claim(actor.user_id, request.path, key, _digest(actor))
    return _replayed(claimed) if isinstance(claimed, Replay) else _run(claimed, work)


def _run(attempt: IdempotentAttempt, work: Callable[[], Response]) -> Response:
    try:
        response = work()
    except Exception:
        release(attempt)
        raise
    if response.is_streamed or not 200 <= response.status_code < 300:
        release(attempt)
        return response
    headers = {name: response.headers[name] for name in STORED_HEADERS if name in response.headers}
    complete(attempt, response.status_code, headers, response.get_data(as_text=True))
    return response


def _replayed(replay: Replay) -> Response:
    response = current_app.response_class(replay.body, replay.status)
    response.headers.update(replay.headers)
    response.headers[REPLAYED] = "true"
    return response


def _rights(actor: Actor) -> str:
    """Return what the caller may see: a caller with fewer rights does not get the response of the first request.

    One statement where the path names an organization; else none.
    """
    path = request.view_args or {}
    role = authenticator().role_in(actor, path["organization_id"]) if "organization_id" in path else actor.role
    return f"{actor.organization_id} {actor.reach} {role}"


def _digest(actor: Actor) -> bytes:
    # The boundary between the parts of a form differs each time.
    body = form_digest(request) if is_multipart(request) else request.get_data()
    parts = [_rights(actor).encode(), request.query_string, body]
    return sha256(b"".join(sha256(part).digest() for part in parts)).digest()
