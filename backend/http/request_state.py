"""The state of one request, from the fast path to the last hook: one typed object under one key of its environ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import request

from backend.http.content_coding import Negotiation, negotiate

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

KEY = "fuze.request"


@dataclass(slots=True)
class RequestState:
    """What has been decided about a request.

    Attributes:
        negotiation: What the client accepts.
        reply: Redis's reply to its admission, once that was asked for.
    """

    negotiation: Negotiation
    reply: list[Any] | None = None


def begin_request(environ: WSGIEnvironment) -> RequestState:
    """Attach a state to a request."""
    state: RequestState = RequestState(negotiate(environ.get("HTTP_ACCEPT_ENCODING")))
    environ[KEY] = state
    return state


def request_state() -> RequestState:
    """Return the state of the current request."""
    state: RequestState | None = request.environ.get(KEY)
    return state or begin_request(request.environ)
