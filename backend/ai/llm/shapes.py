"""The shape that an answer must have: as JSON Schema for the model, as Pydantic's model for us."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

Shape = TypeVar("Shape", bound=BaseModel)
# More than that tells a model nothing new.
MOST_FAULTS = 10
# What is said of a shape, for people and for programs that fill in forms; endpoints take less.
UNKNOWN_TO_ENDPOINTS = ("title", "default", "examples")


class UnfitAnswer(Exception):
    """An answer is not of the shape; the message tells the model why."""


def strict_schema(shape: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a shape as strict structured outputs want it: every property required, no other allowed.

    Source: OpenAI's guide to structured outputs, "supported schemas".
    """
    schema = shape.model_json_schema()
    for node in _nodes(schema):
        for name in UNKNOWN_TO_ENDPOINTS:
            node.pop(name, None)
        if "properties" in node:
            node |= {"required": list(node["properties"]), "additionalProperties": False}
    return schema


def read_shape(text: str, shape: type[Shape]) -> Shape:
    """The object in an answer, whatever stands around it: thoughts, a fence, kind words.

    Raises:
        UnfitAnswer: there is none, or not of the shape.
    """
    start, end = text.find("{"), text.rfind("}")
    if not 0 <= start < end:
        raise UnfitAnswer("There is no JSON object in it.")
    after = text.rfind("</think>", 0, end)
    start = text.find("{", after) if after > start else start
    try:
        return shape.model_validate_json(text[start : end + 1])
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        lines = (f"{'.'.join(map(str, fault['loc'])) or 'JSON'}: {fault['msg']}" for fault in faults[:MOST_FAULTS])
        raise UnfitAnswer("\n".join(lines)) from None


def _nodes(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schema and all schemas in it, but not their tables of properties, in which a `title` is a property."""
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", [])]
    for one in (*inner, *([schema["items"]] if "items" in schema else [])):
        yield from _nodes(one)
