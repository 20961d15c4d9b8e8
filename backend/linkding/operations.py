"""How a route of linkding's API declares itself: like any other, with linkding's tokens, query strings and refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from backend.http.dialects import BEARER, Dialect
from backend.http.operations import Changes, LimitClass, operation
from backend.linkding.schemas import LinkdingQuery, LinkdingRefusal

TAG = "linkding"
LINKDING = Dialect(
    schemes=BEARER | {"token"},
    refusal=LinkdingRefusal,
    query=LinkdingQuery,
    scheme_name="linkding",
    scheme={
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Token` and an API token, as linkding's clients send it",
    },
)
OF_GUARDED, OF_LIMITED, OF_BODIES = (400, 401, 403, 404), (429, 503), (413, 415)
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def linkding_operation(
    *,
    scope: str | None,
    limit: LimitClass,
    responses: dict[int, type[BaseModel] | None],
    takes_body: bool = False,
    changes: Changes | None = None,
) -> Decorator:
    """Declare a route of linkding's API; see `backend.api.operation`."""
    statuses = (
        *(OF_GUARDED if scope is not None else (400,)),
        *(OF_LIMITED if limit != "exempt" else ()),
        *(OF_BODIES if takes_body else ()),
    )
    refusals = dict.fromkeys(statuses, LINKDING.refusal)
    return operation(
        scope=scope,
        limit=limit,
        tag=TAG,
        responses={**refusals, **responses},
        changes=changes,
        dialect=LINKDING,
        may_lag=scope == "bookmarks:read",
    )
