"""Shapes of answers: JSON Schema for the model, Pydantic models for validation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from loguru import logger
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

Shape = TypeVar("Shape", bound=BaseModel)
# A model learns nothing from more errors.
MOST_FAULTS = 10
# Annotations for people and form builders; some endpoints reject them.
UNKNOWN_TO_ENDPOINTS = ("title", "default", "examples")

OPEN_THOUGHT, THOUGHT = "<think>", "</think>"
# An empty list may be a checkbox.
BARE_LIST = re.compile(r'\[\s*["{]')
NO_OBJECT = "There is no JSON object in it."


class InvalidAnswer(Exception):
    """An answer without the shape; the message tells the model why."""


def strict_schema(shape: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema for strict structured outputs: all properties required, no others allowed.

    Source: OpenAI's guide to structured outputs, "supported schemas".
    """
    schema = shape.model_json_schema()
    for node in _nodes(schema):
        for name in UNKNOWN_TO_ENDPOINTS:
            node.pop(name, None)
        if "properties" in node:
            node |= {"required": list(node["properties"]), "additionalProperties": False}
    return schema


def read_shape(text: str, shape: type[Shape], *, is_whole: bool = True) -> Shape:
    """Parse the object in an answer, whatever surrounds it: thoughts, a code fence, prose.

    A shape's own validator may accept a list, or plain text. Plain text is parsed only if the answer `is_whole`, since
    one that was cut off may have lost its object.

    Raises:
        InvalidAnswer: there is no object, or not of the shape.
    """
    end, last = text.rfind("}"), text.rfind("]")
    start = max(text.rfind(THOUGHT, 0, max(end, last, 0)), 0)
    first = text.find("{", start)
    bare = BARE_LIST.search(text, start, first + 1 if first >= 0 else len(text))
    if bare and bare.start() < last and _is_json(text[bare.start() : last + 1]):
        return _validated(lambda: shape.model_validate_json(text[bare.start() : last + 1]))
    if 0 <= first < end:
        return _validated(lambda: shape.model_validate_json(text[first : end + 1]))
    if is_whole:
        return _of_plain_text(text, shape)
    raise InvalidAnswer(NO_OBJECT)


def _is_json(text: str) -> bool:
    try:
        from_json(text)
    except ValueError:
        return False
    return True


def _of_plain_text(text: str, shape: type[Shape]) -> Shape:
    answer = text.rpartition(THOUGHT)[2]
    if OPEN_THOUGHT not in answer:
        try:
            return shape.model_validate(answer)
        except ValidationError:
            logger.debug("llm answer is no object, and no text that is read as one")
    raise InvalidAnswer(NO_OBJECT)


def _validated(validate: Callable[[], Shape]) -> Shape:
    try:
        return validate()
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        lines = (f"{'.'.join(map(str, fault['loc'])) or 'JSON'}: {fault['msg']}" for fault in faults[:MOST_FAULTS])
        raise InvalidAnswer("\n".join(lines)) from None


def _nodes(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield all nested schemas, but not their property tables, in which `title` may be a property."""
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", [])]
    for node in (*inner, *([schema["items"]] if "items" in schema else [])):
        yield from _nodes(node)
