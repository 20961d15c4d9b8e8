"""The shape of answers, as a model is told it and as it is read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from backend.ai.llm.shapes import InvalidAnswer, read_shape, strict_schema
from backend.tasks.breakdown.llm_answers import SuggestedSteps

pytestmark = pytest.mark.unit


class Part(BaseModel):
    title: str
    size: int = Field(0, description="in metres")


class Whole(BaseModel):
    """Something with parts."""

    parts: list[Part] = []
    note: str | None = None


def nodes(schema: Any) -> list[dict[str, Any]]:
    """Every object in a JSON document."""
    found = [schema] if isinstance(schema, dict) else []
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else []:
        found += nodes(inner)
    return found


def test_a_schema_requires_every_property_and_allows_no_other() -> None:
    schema = strict_schema(Whole)
    assert schema["required"] == ["parts", "note"]
    assert schema["$defs"]["Part"] == {
        "properties": {"title": {"type": "string"}, "size": {"type": "integer", "description": "in metres"}},
        "required": ["title", "size"],
        "additionalProperties": False,
        "type": "object",
    }


@pytest.mark.parametrize("shape", [Whole, SuggestedSteps])
def test_a_schema_has_no_word_that_strict_outputs_do_not_take(shape: type[BaseModel]) -> None:
    allowed = {
        "$defs", "$ref", "type", "properties", "required", "additionalProperties", "items", "anyOf", "description",
    }  # fmt: skip
    schema = strict_schema(shape)
    names = {name for node in nodes(schema) for name in node}
    properties = {name for node in nodes(schema) for name in node.get("properties", {})}
    assert names - properties - set(schema["$defs"]) <= allowed


@pytest.mark.parametrize(
    "text",
    [
        '{"parts": [{"title": "a", "size": 2}], "note": null}',
        '```json\n{"parts": [{"title": "a", "size": 2}]}\n```',
        'Sure! Here it is:\n\n{"parts": [{"title": "a", "size": 2}]}\n\nAnything else?',
        '<think>Maybe {"parts": []}? No.</think>\n{"parts": [{"title": "a", "size": 2}]}',
        '  {"parts": [{"title": "a", "size": "2", "colour": "red"}]}',
    ],
)
def test_an_object_is_found_whatever_stands_around_it(text: str) -> None:
    assert read_shape(text, Whole) == Whole(parts=[Part(title="a", size=2)])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "There is no JSON object in it."),
        ("I cannot do that.", "There is no JSON object in it."),
        ("}{", "There is no JSON object in it."),
        ('{"parts": [', "There is no JSON object in it."),
        ('{"parts": [}', "JSON: Invalid JSON"),
        ('{"parts": [{"size": 1}, {"title": "a", "size": "x"}]}', "parts.0.title: Field required\nparts.1.size: "),
    ],
)
def test_what_is_no_such_object_is_told_with_the_place(text: str, told: str) -> None:
    with pytest.raises(InvalidAnswer, match=r".*") as caught:
        read_shape(text, Whole)
    assert str(caught.value).startswith(told)


def test_a_model_is_told_ten_faults_at_most() -> None:
    with pytest.raises(InvalidAnswer) as caught:
        read_shape('{"parts": [' + ",".join(["{}"] * 50) + "]}", Whole)
    assert len(str(caught.value).splitlines()) == 10


@given(st.text())
def test_any_text_is_either_read_or_unfit(text: str) -> None:
    for written in (text, "{" + text + "}", f'{{"parts": [{text}]}}'):
        try:
            read_shape(written, Whole)
        except InvalidAnswer as unfit:
            told = str(unfit)
            assert told
