"""Responses of reads: from the cache, in the negotiated content coding, or 304 where the client has them already."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import Response, current_app, request

from backend.http.content_coding import entity_tag, negotiated
from backend.http.negotiation import IDENTITY
from backend.http.operations import CachedItem, Operation
from backend.http.preconditions import known_etags, not_modified
from backend.http.request_state import request_state
from backend.http.response_cache.store import CachedResponse, etag_of
from backend.http.response_headers import JSON, PRIVATE, VARY
from backend.redis.client import resilient_redis

# The duration in a response. In a text of the response these quotes would have backslashes.
TOOK = re.compile(rb'"took_ms":\s*[0-9.eE+-]+')


def cached_response(cached: CachedResponse, response: Response | None = None) -> Response:
    """Return a cached body as a response, or put it into one that the view has made."""
    if cached.body is None:
        return private(not_modified(cached.etag))
    shown = (
        negotiated(current_app, resilient_redis(), cached, request_state().negotiation)
        if cached.identity_key
        else cached
    )
    response = response or current_app.response_class(mimetype=JSON)
    response.set_data(shown.body or b"")
    response.headers["ETag"] = f'"{entity_tag(shown)}"'
    if shown.coding != IDENTITY:
        response.headers["Content-Encoding"] = shown.coding
    return private(response)


def conditional(response: Response, *, is_timed: bool = False) -> Response:
    """Return a response that is not cached with its ETag; 304 if the client has it already.

    Responses that differ only in how long they took have the same ETag, which is a weak one.
    """
    if response.status_code == 200 and response.mimetype == JSON and not response.is_streamed:
        body = response.get_data()
        etag = etag_of(TOOK.sub(b"", body) if is_timed else body)
        known = known_etags(request.headers)
        if etag in known or "*" in known:
            return private(not_modified(etag, is_weak=is_timed))
        response.set_etag(etag, weak=is_timed)
    return private(response)


def private(response: Response, control: str = PRIVATE) -> Response:
    """Mark a response as for the caller alone, unless the view has set `Cache-Control`."""
    response.headers.setdefault("Cache-Control", control)
    response.headers["Vary"] = VARY
    return response


def items_of(operation: Operation, response: Response) -> Sequence[CachedItem]:
    """Return what a response says about single bookmarks, as responses that may be cached too."""
    if operation.cache_policy.items is None or response.mimetype != JSON or response.status_code not in (200, 201):
        return ()
    return operation.cache_policy.items(response.get_data())
