"""The state of one request, from the fast path to the last hook: one typed object under one key of its environ."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import has_request_context, request

from backend.actor import Actor
from backend.http.middleware.request_id import ACCEPTABLE, new_request_id
from backend.http.negotiation import Negotiation, negotiate

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from sqlalchemy import Connection

    from backend.http.admission_script import PreparedLookup
    from backend.http.response_cache.store import CachedResponse, CacheMiss

KEY = "fuze.request"


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the fast path has found out about a request that is no plain hit.

    Attributes:
        lookup: Credential, charge and cache lookup.
        reply: Redis's reply to them.
        actor: None where PostgreSQL has to be asked, or refuses. They may read what they ask for.
        cached: The lease to compute the response; None where another process computes it, or for another partition.
    """

    lookup: PreparedLookup
    reply: list[Any]
    actor: Actor | None
    cached: CachedResponse | CacheMiss | None


@dataclass(slots=True)
class RequestState:
    """What has been decided about a request.

    Attributes:
        negotiation: What content codings the client accepts.
        request_id: Its id in responses, logs and jobs.
        recognised: What the fast path has found out; admission takes it.
        actor: Who acts, once that is known.
        unexecuted: The connection whose transaction has begun without a statement (see `read_timeout`).
    """

    negotiation: Negotiation
    request_id: str
    started: float = field(default_factory=time.perf_counter)
    recognised: Recognised | None = None
    actor: Actor | None = None
    unexecuted: Connection | None = None


def begin_request(environ: WSGIEnvironment) -> RequestState:
    """Attach a state to a request. The id is the one that the client has sent, if that is harmless."""
    given = environ.get("HTTP_X_REQUEST_ID")
    request_id = given if given and ACCEPTABLE.fullmatch(given) else new_request_id()
    state = environ[KEY] = RequestState(negotiate(environ.get("HTTP_ACCEPT_ENCODING")), request_id)
    return state


def request_state() -> RequestState:
    """Return the state of the current request."""
    state: RequestState | None = request.environ.get(KEY)
    return state or begin_request(request.environ)


def current_request_id() -> str:
    """Return the id of the current request; empty outside of one."""
    return request_state().request_id if has_request_context() else ""
