"""The shape that an answer must have: as JSON Schema for the model, as Pydantic's model for us."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from loguru import logger
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

Shape = TypeVar("Shape", bound=BaseModel)
# More than that tells a model nothing new.
MOST_FAULTS = 10
# What is said of a shape, for people and for programs that fill in forms; endpoints take less.
UNKNOWN_TO_ENDPOINTS = ("title", "default", "examples")

OPEN_THOUGHT, THOUGHT = "<think>", "</think>"
# An empty list may be a checkbox.
BARE_LIST = re.compile(r'\[\s*["{]')
NO_OBJECT = "There is no JSON object in it."


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


def read_shape(text: str, shape: type[Shape], *, is_whole: bool = True) -> Shape:
    """The object in an answer, whatever stands around it: thoughts, a fence, kind words.

    A shape may say by a validator of its own that it takes a list in place of an object, or plain text, which is only
    looked at if the answer `is_whole`: one that was cut off does not show it.

    Raises:
        UnfitAnswer: there is none, or not of the shape.
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
    raise UnfitAnswer(NO_OBJECT)


def _is_json(text: str) -> bool:
    try:
        from_json(text)
    except ValueError:
        return False
    return True


def _of_plain_text(text: str, shape: type[Shape]) -> Shape:
    said = text.rpartition(THOUGHT)[2]
    if OPEN_THOUGHT not in said:
        try:
            return shape.model_validate(said)
        except ValidationError:
            logger.debug("llm answer is no object, and no text that is read as one")
    raise UnfitAnswer(NO_OBJECT)


def _validated(validate: Callable[[], Shape]) -> Shape:
    try:
        return validate()
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
