"""Declare a route: `operation` says everything about it in one place.

The OpenAPI document, authentication, validation and the tests that walk the URL map all read that one declaration.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Literal, cast, get_type_hints

from flask import Flask, current_app, request
from flask import Response as FlaskResponse
from pydantic import (
    BaseModel,
)
from spectree import Response

from backend.http.dialects import BEARER, Dialect
from backend.http.rate_limits.declaration import Check, declare_limit, unlimited
from backend.http.response_headers import JSON
from backend.http.schemas import Problem
from backend.http.spec_tree import DeferredSpecTree
from backend.http.validation import BODY_LIMIT_BYTES, StrictPlugin

LimitClass = Literal[
    "default",
    "list",
    "read",
    "write",
    "search",
    "auth",
    "dashboard",
    "activity",
    "import",
    "llm",
    "recommendations",
    "exempt",
]

CacheNamespace = Literal[
    "list",
    "bookmark",
    "project",
    "task",
    "dashboard",
    "activity",
    "statistics",
    "profile",
    "organization",
    "recommendations",
]

Changes = Literal["bookmark", "lists", "person", "nothing"]
View = Callable[..., Any]


@dataclass(frozen=True)
class CachedItem:
    """One bookmark in a response, as the body of its own response.

    `digest` and `link_digest` are those of its cache keys: by id, and by link.
    """

    bookmark_id: int
    digest: str
    link_digest: str
    body: bytes


@dataclass(frozen=True)
class CachePolicy:
    """How the responses of a route are cached.

    Attributes:
        subject: What they show: "tags" for nothing but the organization's tags, "link" for the bookmark that a link
            leads to; None for the one bookmark of the path, and without one for all that the organization has.
        key: The cache key, given the bookmark of the path and the query string, as a value that JSON can hold; None for
            path and parameters, which is also the default.
        items: The single bookmarks in a body, each as a response that may be cached too.
        stored: The body as later requests get it, given that of the first, which says that it was not cached.
    """

    subject: Literal["tags", "link"] | None = None
    key: Callable[[int | None, str], object] | None = None
    items: Callable[[bytes], Sequence[CachedItem]] | None = None
    stored: Callable[[bytes], bytes] | None = None


@dataclass(frozen=True)
class Operation:
    """The declaration of a route; see `operation`."""

    scope: str | None
    limit: LimitClass
    tag: str
    responses: dict[int, type[BaseModel] | None]
    media_types: tuple[str, ...] = ()
    cache: CacheNamespace | None = None
    cost: Callable[[Any], int] | None = None
    changes: Changes | None = None
    retags: Callable[[Any], bool] | None = None
    cache_policy: CachePolicy = CachePolicy()
    is_timed: bool = False
    body_limit: int = BODY_LIMIT_BYTES
    dialect: Dialect | None = None
    check_limit: Check = unlimited
    may_lag: bool | None = None

    @property
    def schemes(self) -> frozenset[str]:
        """The schemes that may stand before a token in Authorization, in lower case."""
        return self.dialect.schemes if self.dialect else BEARER

    @property
    def is_read_on_replica(self) -> bool:
        """Whether its reads may be answered by a replica."""
        return self.cache is not None if self.may_lag is None else self.may_lag

    @property
    def cached_type(self) -> str:
        """The media type of responses that may be cached."""
        return self.media_types[0] if self.cache and self.media_types else JSON


@dataclass(frozen=True)
class Route:
    """A declared view as the pipeline calls it.

    Attributes:
        operation: Its declaration.
        view: The view itself; `parameters` are the names of its arguments.
        query_model: What its query string is validated against; None: no parameters.
        body_model: What its body is validated against; None: no body.
        form_model: What its multipart body is validated against; None: no form.
        responses: The models of its responses, as the OpenAPI library takes them.
    """

    operation: Operation
    view: View
    parameters: frozenset[str]
    query_model: type[BaseModel] | None
    body_model: type[BaseModel] | None
    form_model: type[BaseModel] | None
    responses: Response

    def respond(self, result: Any) -> FlaskResponse:
        """Return what a view has returned as a response, validated against its model."""
        response, fault = spec.backend.validate_response(result, self.responses, False, False)  # type: ignore[attr-defined]
        if fault is not None:
            spec.after(request, response, fault, None, spec.model_adapter)
        return cast(FlaskResponse, response)

    def represent(self, arguments: dict[str, Any]) -> FlaskResponse:
        """Return the response of the view to a request without query and body, whatever the current request is."""
        if self.query_model is not None:
            arguments = {**arguments, "query": self.query_model()}
        return self.respond(self.view(**arguments))


Pipeline = Callable[[Route, dict[str, Any]], FlaskResponse]


def _component_name(model: type) -> str:
    return re.sub(r"\W+", "", model.__name__)


spec = DeferredSpecTree(
    backend=StrictPlugin,
    title="Fuze",
    naming_strategy=_component_name,
    nested_naming_strategy=lambda _parent, child: re.sub(r"\W+", "", child),
    validation_error_model=Problem,
)


def operation(
    *,
    scope: str | None,
    limit: LimitClass,
    tag: str,
    responses: dict[int, type[BaseModel] | None],
    media_types: tuple[str, ...] = (),
    cache: CacheNamespace | None = None,
    cost: Callable[[Any], int] | None = None,
    changes: Changes | None = None,
    retags: Callable[[Any], bool] | None = None,
    cache_policy: CachePolicy = CachePolicy(),
    is_timed: bool = False,
    body_limit: int = BODY_LIMIT_BYTES,
    dialect: Dialect | None = None,
    may_lag: bool | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a route: its scope (None: public), rate-limit class and responses by status.

    Args:
        scope: What a token must carry; "login" for what no API token does; "any" for every valid token.
        limit: Its class in `config.RATE_LIMIT_CLASSES`.
        tag: Its chapter in the documentation.
        responses: The model of each response; None for one without a body or with a problem.
        media_types: Of a 200 response that no model describes.
        cache: Cache its responses, in this namespace of `config.CACHE_SECONDS`.
        cost: How many requests a body counts as, if not one.
        changes: What a write changes at most: "lists" for all but bookmarks and tags, "bookmark" for these, tags and
            the one bookmark of its path or answer, "person" for what is shown to the caller alone, "nothing" where a
            POST only asks. Without it, all.
        retags: Whether a write of one bookmark changes tags, given its body. Without it, it does.
        cache_policy: How its responses are cached.
        is_timed: Whether the response says how long it took (`took_ms`), which is not part of its ETag.
        body_limit: The most bytes of its body; only a few bodies over the usual limit are read at the same time.
        dialect: The dialect of another product's clients, where these call it.
        may_lag: Whether a replica may answer its reads: they write nothing, and show nothing but what invalidates the
            responses of an organization or a person when it changes. Without it, those that are cached.

    The view may take `actor`, `query`, and `json` or (a multipart body with a file) `form`; each comes checked, in that
    order: 401 before 422, 422 before work.
    """
    declared = Operation(
        *(scope, limit, tag, responses, media_types, cache, cost, changes, retags, cache_policy, is_timed),
        body_limit,
        dialect,
        may_lag=may_lag,
    )

    def decorate(view: View) -> View:
        models = Response(**{f"HTTP_{status}": model for status, model in responses.items()})

        hints = get_type_hints(view, include_extras=True)
        route = Route(
            replace(declared, check_limit=declare_limit(view, limit)),
            view,
            frozenset(hints) - {"return"},
            hints.get("query"),
            hints.get("json"),
            hints.get("form"),
            models,
        )

        @wraps(view)
        def documented(**arguments: Any) -> Any:
            """Stands for the view in the OpenAPI document."""

        # The library looks names up where the function stands that it is given.
        documented.__annotations__ = hints

        @wraps(spec.validate(resp=models, tags=[tag])(documented))
        def served(**arguments: Any) -> FlaskResponse:
            return cast(Pipeline, current_app.extensions["pipeline"])(route, arguments)

        served.route = route  # type: ignore[attr-defined]
        served.operation = route.operation  # type: ignore[attr-defined]
        return served

    return decorate


def cost_of_many(number: int) -> int:
    """Return how many requests a body of so many items counts as: one for each fifty or part of them."""
    return max(1, -(-number // 50))


def declared_route(app: Flask, endpoint: str) -> Route | None:
    """Return the route of an endpoint; None where none is declared."""
    return getattr(app.view_functions[endpoint], "route", None)


def declared_operation(app: Flask, endpoint: str) -> Operation | None:
    """Return the declaration of an endpoint's route; None where none is declared."""
    return getattr(app.view_functions[endpoint], "operation", None)
