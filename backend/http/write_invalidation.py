"""Invalidation after a write: what its route declares to change, else all that the organization has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from backend.actor import Actor
from backend.http.cacheable_reads import items_of
from backend.http.idempotency.replay import REPLAYED
from backend.http.operations import Route
from backend.http.response_cache.invalidation import invalidate, invalidate_bookmark, invalidate_lists
from backend.http.response_cache.store import CachedResponse, CacheMiss

# Writes under these scopes show in responses about the person.
PERSONAL_SCOPES = ("login", "account", "organizations")


def invalidate_written(
    route: Route,
    actor: Actor,
    cached: CachedResponse | CacheMiss | None,
    arguments: Mapping[str, Any],
    response: Response | None,
) -> None:
    """Invalidate what a write may have changed; `response` is None after a fault. One round trip."""
    operation = route.operation
    if operation.changes == "lists":
        invalidate_lists(actor.organization_id)
    elif operation.changes == "bookmark" and response is not None:
        bookmark_id = arguments.get("bookmark_id") or response.get_json()["id"]
        # A replayed response may be out of date.
        items = () if REPLAYED in response.headers else items_of(operation, response)
        stored = (cached, items) if items and isinstance(cached, CacheMiss) else None
        invalidate_bookmark(actor.organization_id, bookmark_id, retagged=_retags(route, arguments), stored=stored)
    elif operation.changes == "person":
        invalidate([], [actor.user_id])
    else:
        is_personal = (operation.scope or "").partition(":")[0] in PERSONAL_SCOPES
        invalidate([actor.organization_id], [actor.user_id] if is_personal else [])


def _retags(route: Route, arguments: Mapping[str, Any]) -> bool:
    # A replayed request was not validated: its body is not known.
    if route.operation.retags is None or (route.body_model is not None and "json" not in arguments):
        return True
    return route.operation.retags(arguments.get("json"))
