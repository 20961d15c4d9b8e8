"""Validate query strings and bodies: all faults at once, each with its field."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterable
from functools import cache
from typing import Any

from flask import Request, current_app
from flask import Response as FlaskResponse
from pydantic import (
    BaseModel,
    ValidationError,
)
from pydantic_core import ErrorDetails
from spectree.plugins.flask_plugin import FlaskPlugin

from backend.errors import FieldError, Invalid, MalformedBody, UnsupportedMediaType
from backend.http.multipart import form_values
from backend.http.schemas import OptionalRequestBody, QueryParams

BODY_LIMIT_BYTES = 1024 * 1024
MAX_JSON_DEPTH = 32
JSON_TYPES = ("application/json",)

# RFC 7396: what a PATCH leaves out stays as it is.
JSON_TYPES_OF_PATCH = (*JSON_TYPES, "application/merge-patch+json")
MAX_QUERY_BYTES = 16 * 1024  # As long as the first line of a request may be.

# Possessive, and with an optional closing quote: a string is scanned once, however it ends.
STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
STRINGS_AND_BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class StrictPlugin(FlaskPlugin):
    """The library's plugin, which only validates responses: `validate_request` validates requests."""

    def validate_response(  # type: ignore[no-untyped-def]
        self, resp, resp_model, skip_validation, force_resp_serialize
    ) -> Any:
        # The library would read a streamed file into memory as a whole.
        if isinstance(resp, FlaskResponse) and resp.is_streamed:
            return resp, None
        return super().validate_response(resp, resp_model, skip_validation, force_resp_serialize)


def validate_request(
    request: Request,
    query_model: type[BaseModel] | None,
    body_model: type[BaseModel] | None,
    form_model: type[BaseModel] | None = None,
) -> dict[str, BaseModel]:
    """Return the arguments `query`, `json` and `form` of a view, as far as it has models of them.

    Raises:
        Invalid: all faults, whose fields are named `body.…` or `query.…`.
    """
    faults: list[FieldError] = []
    arguments: dict[str, BaseModel] = {}
    try:
        query = _validate_query(request, query_model or _default_query(request))
        if query_model is not None:
            arguments["query"] = query
    except ValidationError as error:
        faults.extend(_field_errors("query", error))
    try:
        if body_model is not None:
            arguments["json"] = _validate_body(request, body_model)
        if form_model is not None:
            arguments["form"] = form_model.model_validate(form_values(request))
    except ValidationError as error:
        faults.extend(_field_errors("body", error))
    if faults:
        raise Invalid(faults)
    return arguments


def _field_errors(where: str, error: ValidationError) -> Iterable[FieldError]:
    for fault in error.errors(include_url=False, include_input=False):
        path = ".".join([where, *(str(part) for part in fault["loc"])])
        yield FieldError(path, validation_message(fault), fault["type"])


def validation_message(fault: ErrorDetails) -> str:
    """Return the message about an invalid field, without its name."""
    context = fault.get("ctx", {})
    if context.get("field_type") == "Value":  # Pydantic calls characters items.
        if fault["type"] == "too_long":
            return f"Input should have at most {context['max_length']} characters"
        if fault["type"] == "too_short":
            return f"Input should have at least {context['min_length']} characters"
    return fault["msg"].removeprefix("Value error, ")


def _validate_query(request: Request, model: type[BaseModel]) -> BaseModel:
    if len(request.query_string) > MAX_QUERY_BYTES:
        raise Invalid.field("query", f"The query string is longer than {MAX_QUERY_BYTES} bytes.", "too_long")
    values: dict[str, object] = {}
    for name, given in request.args.lists():
        if any("\x00" in value for value in given):
            raise Invalid.field(f"query.{name}", "Input must not hold the NUL character", "nul")
        is_list = name in _list_fields(model)
        if not is_list and len(given) > 1:
            raise Invalid.field(f"query.{name}", "This parameter may be given only once.", "repeated")
        values[name] = given if is_list else given[0]
    return model.model_validate(values)


def _default_query(request: Request) -> type[BaseModel]:
    """Return the query string of a route that declares none."""
    # `operations` uses this module, so the declaration is read off the view.
    route = getattr(current_app.view_functions.get(request.endpoint or ""), "route", None)
    return route.operation.dialect.query if route and route.operation.dialect else QueryParams


@cache
def _list_fields(model: type[BaseModel]) -> frozenset[str]:
    """Return the parameters that may be repeated."""
    return frozenset(name for name, field in model.model_fields.items() if "list[" in str(field.annotation))


def _validate_body(request: Request, model: type[BaseModel]) -> BaseModel:
    # RFC 8259, 8.1: a byte order mark may be ignored.
    body = request.get_data().removeprefix(BOM_UTF8)
    # Some clients send a content type without a body.
    if not body and request.mimetype in ("", "application/json") and issubclass(model, OptionalRequestBody):
        return model()
    if request.mimetype not in (JSON_TYPES_OF_PATCH if request.method == "PATCH" else JSON_TYPES):
        raise UnsupportedMediaType
    # Parsed values other than texts take many times their size in memory.
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
