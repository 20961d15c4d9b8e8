"""Base classes of request bodies, query strings and response bodies, and the envelope of a page."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
)
from pydantic.config import JsonDict

from backend.http.field_types import QueryInteger, SafeText

T = TypeVar("T")


class RequestBody(BaseModel):
    """A request body: exact types as JSON has them, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class OptionalRequestBody(RequestBody):
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


class PatchBody(RequestBody):
    """A body in which every field may be left out, but none may be null."""

    model_config = ConfigDict(json_schema_extra=describe_omittable)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_null(cls, value: object) -> object:
        if value is None:
            raise ValueError("Input must not be null; leave the field out to keep it")
        return value


class QueryParams(BaseModel):
    """A query string: no unknown parameters. Use the types below, which say what text they take."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=describe_omittable, hide_input_in_errors=True)


class FormBody(BaseModel):
    """A multipart body: every field is text but for files, as in a query string; no unknown fields."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=describe_omittable, hide_input_in_errors=True)


class ResponseBody(BaseModel):
    """A response body."""

    model_config = ConfigDict(from_attributes=True, hide_input_in_errors=True)


class Problem(ResponseBody):
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


class ProblemField(ResponseBody):
    """One field at fault."""

    field: str = Field(examples=["body.url"])
    message: str
    code: str


class Page(ResponseBody, Generic[T]):
    """One page of a list. `total` is exact; `next_cursor` continues at the same cost however deep."""

    items: list[T]
    total: int
    page: int
    page_size: int
    total_pages: int
    has_next: bool
    has_prev: bool
    next_cursor: str | None


class PageQuery(QueryParams):
    """Which page of a list: by number, or by the cursor that the previous page gave."""

    page: Annotated[QueryInteger, Field(ge=1, le=10**12)] = Field(1, description="Page number, from 1")
    page_size: Annotated[QueryInteger, Field(ge=1, le=100)] = Field(20, description="Items on a page")
    cursor: SafeText | None = Field(None, max_length=2048, description="`next_cursor` of the page before")
