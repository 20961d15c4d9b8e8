"""Idempotency-Key: a request that is sent again gets the answer of the first one."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256

from flask import Response, current_app, request

from backend.actor import Actor
from backend.errors import Invalid
from backend.http.authentication import authenticator
from backend.http.idempotency.service import Attempt, Replay, claim, complete, release

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
ACCEPTABLE = re.compile(r"[\x21-\x7e]{1,255}")
# What an answer says besides its body; the rest is said anew of every answer.
KEPT_HEADERS = ("Content-Type", "Location", "ETag")


def replay_or_run(actor: Actor, work: Callable[[], Response]) -> Response:
    """The answer of `work`, or the one that the first request with this key got.

    Only what succeeded is kept: what was refused has changed nothing, and may be tried again.

    Raises:
        Invalid: the key is none, or was used for another request.
        Conflict: the first request still runs, or its answer was lost.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return work()
    if not ACCEPTABLE.fullmatch(key):
        raise Invalid.field(f"header.{HEADER}", "Input should be 1 to 255 visible ASCII characters.", "malformed")
    begun = claim(actor.user_id, request.path, key, _digest(actor))
    return _replayed(begun) if isinstance(begun, Replay) else _done(begun, work)


def _done(attempt: Attempt, work: Callable[[], Response]) -> Response:
    try:
        response = work()
    except Exception:
        release(attempt)
        raise
    if response.is_streamed or not 200 <= response.status_code < 300:
        release(attempt)
        return response
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    complete(attempt, response.status_code, headers, response.get_data(as_text=True))
    return response


def _replayed(replay: Replay) -> Response:
    response = current_app.response_class(replay.body, replay.status)
    response.headers.update(replay.headers)
    response.headers[REPLAYED] = "true"
    return response


def _standing(actor: Actor) -> str:
    """What the caller may see, besides who they are: the answer to the first request is for nobody who may see less.

    One statement where the path names an organization; else none.
    """
    path = request.view_args or {}
    role = authenticator().role_in(actor, path["organization_id"]) if "organization_id" in path else actor.role
    return f"{actor.organization_id} {actor.reach} {role}"


def _digest(actor: Actor) -> bytes:
    # Each time a form is sent, another boundary stands between its parts.
    boundary = request.mimetype_params.get("boundary", "").encode()
    body = request.get_data()
    said = [
        _standing(actor).encode(),
        request.query_string,
        body.replace(boundary, b"") if boundary else body,
    ]
    return sha256(b"".join(sha256(part).digest() for part in said)).digest()
