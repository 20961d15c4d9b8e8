"""The one place that knows the OpenAPI library: how a route declares itself, how input is validated, lists are paged.

A view says everything about itself in one `operation` decorator; the OpenAPI document, authentication, validation and
the tests that walk the URL map all read that one declaration.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar, cast, get_type_hints

from flask import Flask, Request, current_app
from flask import Response as FlaskResponse
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    field_validator,
)
from pydantic import AwareDatetime as PydanticAwareDatetime
from pydantic.config import JsonDict
from pydantic_core import ErrorDetails
from spectree import Response, SpecTree
from spectree.plugins.base import Context
from spectree.plugins.flask_plugin import FlaskPlugin
from werkzeug.routing import BaseConverter

from backend.dialects import BEARER, Dialect
from backend.errors import FieldError, Invalid, MalformedBody, UnsupportedMediaType

MAX_ID = 2**63 - 1
BODY_LIMIT_BYTES = 1024 * 1024
MAX_JSON_DEPTH = 32
JSON_TYPES = ("application/json",)
# RFC 7396: what a PATCH leaves out stays as it is.
JSON_TYPES_OF_PATCH = (*JSON_TYPES, "application/merge-patch+json")
MAX_QUERY_BYTES = 16 * 1024  # As long as the first line of a request may be.
# Possessive, and with the closing quote optional: what looks like a string is read once, however it ends.
STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
STRINGS_AND_BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
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
T = TypeVar("T")


class In(BaseModel):
    """A request body: exact types as JSON has them, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class OmittableIn(In):
    """A request body that may be left out altogether."""


def describe_omittable(schema: JsonDict) -> None:
    """Describe fields that may be left out, but never be null, without null; bounds under the names of JSON Schema."""
    for field in cast("dict[str, dict[str, Any]]", schema.get("properties", {})).values():
        kinds = [kind for kind in field.pop("anyOf", []) if kind != {"type": "null"}]
        field |= {"anyOf": kinds} if len(kinds) > 1 else (kinds or [{}])[0] | field
        if "default" in field and field["default"] is None:
            del field["default"]
        for ours, theirs in (("ge", "minimum"), ("le", "maximum")):
            if ours in field:
                field[theirs] = field.pop(ours)


class Patch(In):
    """A body in which every field may be left out, but none may be null."""

    model_config = ConfigDict(json_schema_extra=describe_omittable)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_null(cls, value: object) -> object:
        if value is None:
            raise ValueError("Input must not be null; leave the field out to keep it")
        return value


class Query(BaseModel):
    """A query string: no unknown parameters. Use the types below, which say what text they take."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=describe_omittable, hide_input_in_errors=True)


class Out(BaseModel):
    """A response body."""

    model_config = ConfigDict(from_attributes=True, hide_input_in_errors=True)


class Problem(Out):
    """An error, as RFC 9457 has it."""

    model_config = ConfigDict(json_schema_extra=describe_omittable)

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str
    instance: str = Field(description="Path of the request")
    request_id: str = Field(description="Finds the request in the server's logs")
    errors: list[ProblemField] | None = Field(None, description="On 422: every field at fault")
    code: str | None = Field(None, description="On 503: query_timeout, if the query took too long")
    existing_id: int | None = Field(None, description="On 409: what is there already")


class ProblemField(Out):
    """One field at fault."""

    field: str = Field(examples=["body.url"])
    message: str
    code: str


class Page(Out, Generic[T]):
    """One page of a list. `total` is exact; `next_cursor` continues at the same cost however deep."""

    items: list[T]
    total: int
    page: int
    page_size: int
    total_pages: int
    has_next: bool
    has_prev: bool
    next_cursor: str | None


def _strict_integer(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,19}", value):
        raise ValueError("Input should be a whole number")
    return value


def _strict_boolean(value: object) -> object:
    if isinstance(value, str):
        if value not in ("true", "false"):
            raise ValueError("Input should be true or false")
        return value == "true"
    return value


def _no_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("Input must not hold the NUL character")
    return value


def _storable(value: datetime) -> datetime:
    # At the ends of the calendar another time zone's year has no number.
    if not 1000 <= value.year <= 9000:
        raise ValueError("Input should lie between the years 1000 and 9000")
    # As it is answered and read back: always in UTC.
    return value.astimezone(UTC)


def _text_datetime(value: object) -> object:
    # Pydantic also takes numbers as Unix times; the contract has RFC 3339 text only.
    if not isinstance(value, datetime) and not re.match(r"\d{4}-\d{2}-\d{2}", str(value)):
        raise ValueError("Input should be an RFC 3339 date-time such as 2026-01-31T12:00:00Z, or a date")
    return value


def _midnight(value: object) -> object:
    return f"{value}T00:00:00Z" if isinstance(value, str) and DATE.fullmatch(value) else value


def _end_of_day(value: object) -> object:
    return f"{value}T23:59:59Z" if isinstance(value, str) and DATE.fullmatch(value) else value


def _whole(value: object) -> object:
    # To JSON 7.0 is the same number as 7.
    return int(value) if isinstance(value, float) and value.is_integer() else value


QueryInteger = Annotated[int, BeforeValidator(_strict_integer)]
QueryBoolean = Annotated[bool, BeforeValidator(_strict_boolean)]
QueryId = Annotated[QueryInteger, Field(ge=1, le=MAX_ID)]
Text = Annotated[str, AfterValidator(_no_nul)]
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT_SCHEMA = {
    "type": "string",
    "anyOf": [{"format": "date-time"}, {"format": "date"}],
    "examples": ["2026-01-31T12:00:00Z", "2026-01-31"],
}
_Instant = Annotated[
    PydanticAwareDatetime, Field(strict=False), BeforeValidator(_text_datetime), AfterValidator(_storable)
]
# A date alone is midnight in UTC; of a deadline, the end of that day.
Moment = Annotated[_Instant, BeforeValidator(_midnight), WithJsonSchema(MOMENT_SCHEMA)]
Deadline = Annotated[_Instant, BeforeValidator(_end_of_day), WithJsonSchema(MOMENT_SCHEMA)]
# After the bounds, or the document would not tell them.
WHOLE = BeforeValidator(_whole)
Id = Annotated[int, Field(ge=1, le=MAX_ID), WHOLE]


class PageQuery(Query):
    """Which page of a list: by number, or by the cursor that the previous page gave."""

    page: Annotated[QueryInteger, Field(ge=1, le=10**12)] = Field(1, description="Page number, from 1")
    page_size: Annotated[QueryInteger, Field(ge=1, le=100)] = Field(20, description="Items on a page")
    cursor: Text | None = Field(None, max_length=2048, description="`next_cursor` of the page before")


@dataclass(frozen=True)
class Part:
    """What an answer says about one bookmark: the body of that bookmark's own answer.

    `question` and `link` are the digests of what that is asked by: the bookmark's id, and its link.
    """

    bookmark_id: int
    question: str
    link: str
    body: bytes


@dataclass(frozen=True)
class Kept:
    """What a route declares about answers that may be kept, beyond the namespace.

    Attributes:
        shows: What they depend on: "tags" for nothing but the organization's tags, "link" for the bookmark that a link
            leads to; None for the one bookmark of the path, and without one for all that the organization has.
        asks: What is asked, given the bookmark of the path and the query string, in a form that JSON can hold; None
            where that cannot be said. Without it, path and parameters are.
        parts: What an answer's body says about single bookmarks, each as an answer that may be kept too.
    """

    shows: Literal["tags", "link"] | None = None
    asks: Callable[[int | None, str], object] | None = None
    parts: Callable[[bytes], Sequence[Part]] | None = None


@dataclass(frozen=True)
class Operation:
    """What a route declares about itself; see `operation`."""

    scope: str | None
    limit: LimitClass
    tag: str
    responses: dict[int, type[BaseModel] | None]
    media_types: tuple[str, ...] = ()
    cache: CacheNamespace | None = None
    cost: Callable[[Any], int] | None = None
    changes: Changes | None = None
    retags: Callable[[Any], bool] | None = None
    kept: Kept = Kept()
    is_timed: bool = False
    body_limit: int = BODY_LIMIT_BYTES
    dialect: Dialect | None = None

    @property
    def schemes(self) -> frozenset[str]:
        """What may stand before a token in Authorization, in lower case."""
        return self.dialect.schemes if self.dialect else BEARER


@dataclass(frozen=True)
class Route:
    """A declared view as the server calls it.

    Attributes:
        operation: What it declares.
        view: The view itself, with its checked arguments.
        checked: The view behind the validation of query and body.
        responses: The models of its answers, as the OpenAPI library wants them.
    """

    operation: Operation
    view: View
    checked: View
    responses: Response

    def takes(self, name: str) -> bool:
        """Whether the view has an argument of this name."""
        return name in self.view.__annotations__

    def represent(self, arguments: dict[str, Any]) -> FlaskResponse:
        """The answer of the view to a request without query and body, whatever request is at hand."""
        if self.takes("query"):
            arguments = {**arguments, "query": get_type_hints(self.view)["query"]()}
        answer: FlaskResponse = spec.backend.validate_response(  # type: ignore[attr-defined]
            self.view(**arguments), self.responses, False, False
        )[0]
        return answer


class Serving(Protocol):
    """What the application does around views."""

    def serve(self, route: Route, arguments: dict[str, Any]) -> FlaskResponse:
        """The answer of a route to the request at hand; `arguments` are those of its path."""

    def before_work(self, route: Route, arguments: dict[str, Any]) -> None:
        """Called with the checked arguments, right before the view."""


class IdConverter(BaseConverter):
    """A path segment that is a row's id; what PostgreSQL could not hold is no such path."""

    regex = r"[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        return int(value)


class _StrictPlugin(FlaskPlugin):
    """Validates as the contract says, with errors that name `body.…` or `query.…`."""

    def request_validation(  # type: ignore[no-untyped-def]
        self, request, query, json, form, headers, cookies
    ) -> None:
        faults: list[FieldError] = []
        checked_query = _checked(faults, "query", lambda: _validate_query(request, query))
        checked_json = _checked(faults, "body", lambda: _validate_body(request, json)) if json else None
        if faults:
            raise Invalid(faults)
        request.context = Context(checked_query, checked_json, None, None, None)

    def validate_response(  # type: ignore[no-untyped-def]
        self, resp, resp_model, skip_validation, force_resp_serialize
    ) -> Any:
        # The library would read a file that is sent in pieces into memory as a whole.
        if isinstance(resp, FlaskResponse) and resp.is_streamed:
            return resp, None
        return super().validate_response(resp, resp_model, skip_validation, force_resp_serialize)


def _checked(faults: list[FieldError], where: str, validate: Callable[[], T]) -> T | None:
    try:
        return validate()
    except ValidationError as error:
        faults.extend(_field_errors(where, error))
        return None


def _field_errors(where: str, error: ValidationError) -> Iterable[FieldError]:
    for fault in error.errors(include_url=False, include_input=False):
        path = ".".join([where, *(str(part) for part in fault["loc"])])
        yield FieldError(path, in_words(fault), fault["type"])


def in_words(fault: ErrorDetails) -> str:
    """What is wrong with a field, without naming it."""
    context = fault.get("ctx", {})
    if context.get("field_type") == "Value":  # Pydantic calls characters items.
        if fault["type"] == "too_long":
            return f"Input should have at most {context['max_length']} characters"
        if fault["type"] == "too_short":
            return f"Input should have at least {context['min_length']} characters"
    return fault["msg"].removeprefix("Value error, ")


def _validate_query(request: Request, model: type[BaseModel] | None) -> BaseModel | None:
    model = model or _query_of_others(request)
    if len(request.query_string) > MAX_QUERY_BYTES:
        raise Invalid.field("query", f"The query string is longer than {MAX_QUERY_BYTES} bytes.", "too_long")
    values: dict[str, object] = {}
    for name, given in request.args.lists():
        if any("\x00" in value for value in given):
            raise Invalid.field(f"query.{name}", "Input must not hold the NUL character", "nul")
        is_list = name in model.model_fields and _is_list(model, name)
        if not is_list and len(given) > 1:
            raise Invalid.field(f"query.{name}", "This parameter may be given only once.", "repeated")
        values[name] = given if is_list else given[0]
    return model.model_validate(values)


def _query_of_others(request: Request) -> type[BaseModel]:
    """The query string of a route that declares none."""
    declared = declared_operation(current_app, request.endpoint) if request.endpoint else None
    return declared.dialect.query if declared and declared.dialect else Query


def _is_list(model: type[BaseModel], name: str) -> bool:
    return "list[" in str(model.model_fields[name].annotation)


def _validate_body(request: Request, model: type[BaseModel]) -> BaseModel:
    # RFC 8259, 8.1: a mark at the beginning may be passed over.
    body = request.get_data().removeprefix(BOM_UTF8)
    # Some clients name the type of a body also where they send none.
    if not body and request.mimetype in ("", "application/json") and issubclass(model, OmittableIn):
        return model()
    if request.mimetype not in (JSON_TYPES_OF_PATCH if request.method == "PATCH" else JSON_TYPES):
        raise UnsupportedMediaType
    # A long body may be long for its texts: values beside them take many times their room once they are read.
    if len(body) > BODY_LIMIT_BYTES and len(STRINGS.sub(b"", body)) > BODY_LIMIT_BYTES:
        raise Invalid.field("body", f"There are more than {BODY_LIMIT_BYTES} bytes beside texts.", "too_long")
    if _depth_exceeds(body, MAX_JSON_DEPTH):
        raise Invalid.field("body", f"The body nests deeper than {MAX_JSON_DEPTH} levels.", "too_deep")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        if any(fault["type"] == "json_invalid" for fault in error.errors(include_input=False, include_url=False)):
            raise MalformedBody from None
        raise


def _depth_exceeds(body: bytes, limit: int) -> bool:
    if body.count(b"{") + body.count(b"[") <= limit:
        return False
    depth = 0
    for token in STRINGS_AND_BRACKETS.finditer(body):
        mark = token.group()
        if mark in b"[{":
            depth += 1
            if depth > limit:
                return True
        elif mark in b"]}":
            depth -= 1
    return False


def _component_name(model: type) -> str:
    return re.sub(r"\W+", "", model.__name__)


spec = SpecTree(
    backend=_StrictPlugin,
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
    kept: Kept = Kept(),
    is_timed: bool = False,
    body_limit: int = BODY_LIMIT_BYTES,
    dialect: Dialect | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a route: the scope it needs (None: public), its rate-limit class and its answers by status.

    Args:
        scope: What a token must carry; "login" what no API token does; "any" for every
            valid token.
        limit: Its class in `config.RATE_LIMIT_CLASSES`.
        tag: Its chapter in the documentation.
        responses: The model of each answer; None for one without a body or with a problem.
        media_types: Of a 200 answer that no model describes.
        cache: Keep its answers, in this namespace of `config.CACHE_SECONDS`.
        cost: How many requests a body counts as, if not one.
        changes: What a write changes at most: "lists" for all but bookmarks and tags, "bookmark" for these, tags and
            the one bookmark of its path or answer, "person" for what is shown to the caller alone, "nothing" where a
            POST only asks. Without it, all.
        retags: Whether a write of one bookmark changes tags, given its body. Without it, it does.
        kept: About the answers that are kept.
        is_timed: Whether the answer says how long it took (`took_ms`), which is no part of its ETag.
        body_limit: The most bytes that its body may have; what is more than usual is read of few at a time.
        dialect: How it speaks, where clients of another product call it.

    The view may take `actor`, `query` and `json`; each comes checked, in that order: 401 before 422, 422 before work.
    """
    declared = Operation(
        scope, limit, tag, responses, media_types, cache, cost, changes, retags, kept, is_timed, body_limit, dialect
    )

    def decorate(view: View) -> View:
        models = Response(**{f"HTTP_{status}": model for status, model in responses.items()})

        @wraps(view)
        def work(**arguments: Any) -> Any:
            _serving().before_work(route, arguments)
            return view(**arguments)

        # The library looks names up where the function stands that it is given.
        work.__annotations__ = get_type_hints(view, include_extras=True)
        route = Route(declared, view, spec.validate(resp=models, tags=[tag])(work), models)

        @wraps(route.checked)
        def served(**arguments: Any) -> FlaskResponse:
            return _serving().serve(route, arguments)

        served.route = route  # type: ignore[attr-defined]
        return served

    return decorate


def cost_of_many(number: int) -> int:
    """How many requests a body of so many items counts as: one for each fifty that are begun."""
    return max(1, -(-number // 50))


def _serving() -> Serving:
    return cast(Serving, current_app.extensions["serving"])


def declared_route(app: Flask, endpoint: str) -> Route | None:
    """The route behind an endpoint, or None where none is declared."""
    return getattr(app.view_functions[endpoint], "route", None)


def declared_operation(app: Flask, endpoint: str) -> Operation | None:
    """What the route behind an endpoint declares, or None where it declares nothing."""
    route = declared_route(app, endpoint)
    return route.operation if route else None
