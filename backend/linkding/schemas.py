"""What everything that comes in and goes out under /linkding has in common, as linkding 1.46 has it."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from backend.http.field_types import SafeText
from backend.http.schemas import ResponseBody, describe_omittable

LINKDING_VERSION = "1.46.2"
T = TypeVar("T")


def describe_without_defaults(schema: JsonDict) -> None:
    """Describe fields that may be left out: what is not sent is not changed, whatever stands for it here."""
    for field in cast("dict[str, dict[str, Any]]", schema.get("properties", {})).values():
        field.pop("default", None)


class LinkdingIn(BaseModel):
    """A body as linkding takes it: unknown fields are passed over, and numbers stand for their text."""

    model_config = ConfigDict(
        extra="ignore",
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
        json_schema_extra=describe_without_defaults,
    )


class LinkdingQuery(BaseModel):
    """A query string as linkding takes it: what it does not know is passed over."""

    model_config = ConfigDict(extra="ignore", json_schema_extra=describe_omittable, hide_input_in_errors=True)


class WindowQuery(LinkdingQuery):
    """Which part of a list. What is no number counts as not given."""

    limit: SafeText | None = Field(
        None, description="Results on a page; default: 100. A page ends before it exceeds 2 MB"
    )
    offset: SafeText | None = Field(None, description="How many results to pass over")


class LinkdingPage(ResponseBody, Generic[T]):
    """A part of a list, with the addresses of its neighbours."""

    count: int
    next: str | None = Field(examples=["https://fuze.example.org/linkding/api/bookmarks/?limit=100&offset=100"])
    previous: str | None = Field(examples=[None])
    results: list[T]


class LinkdingRefusal(ResponseBody):
    """A refusal as Django REST framework writes it: `detail`, or on 400 messages by field."""

    model_config = ConfigDict(extra="allow", json_schema_extra=describe_omittable)

    detail: str | None = Field(None, examples=["Not found."])
