"""The OpenAPI document: valid, and complete for every route (R-DOC, R-HTTP 6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from backend.api import Operation, declared_operation
from backend.docs.openapi import openapi_document
from backend.middleware.input_validation import REQUEST_LINE_BYTES
from config import VERSION
from tests.api import Api

pytestmark = pytest.mark.integration
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    """The document of the application."""
    return openapi_document(app)


def operations(app: Flask) -> Iterator[tuple[str, Operation, dict[str, Any]]]:
    """Every operation: its name, what the route declares, and how the document describes it."""
    document = openapi_document(app)
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            declared = declared_operation(app, rule.endpoint)
            assert declared is not None, rule.rule
            yield f"{method} {path}", declared, document["paths"][path][method.lower()]


def parts(node: Any) -> Iterator[dict[str, Any]]:
    """Every object within the document."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from parts(child)


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["version"] == VERSION
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_it_is_what_the_server_gives_out(anonymous: Api, document: dict[str, Any]) -> None:
    assert anonymous.get("/api/openapi.json").json == document


def test_it_describes_every_route_and_no_other(app: Flask, document: dict[str, Any]) -> None:
    described = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert described == {name for name, _, _ in operations(app)}


def test_every_operation_has_a_name_of_its_own_a_summary_and_a_tag(app: Flask, document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(app)]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in document["tags"]}
    for name, _, operation in operations(app):
        assert re.fullmatch(r"[a-z_]+", operation["operationId"]), name
        assert re.fullmatch(r"[A-Z].{5,100}\.", operation["summary"]), name
        assert set(operation["tags"]) <= tags, name


def test_every_success_is_described_by_a_schema(app: Flask) -> None:
    for name, declared, operation in operations(app):
        successes = {int(status) for status in operation["responses"] if status.startswith("2")}
        assert successes, name
        assert successes == {status for status in declared.responses if status < 400}, name
        for status in successes - {204}:
            content = operation["responses"][str(status)]["content"]
            assert all("schema" in media for media in content.values()), name
            if not declared.media_types:
                assert set(content) == {"application/json"}, name
        if 204 in successes:
            assert "content" not in operation["responses"]["204"], name


def test_every_refusal_is_described_as_a_problem(app: Flask) -> None:
    for name, declared, operation in operations(app):
        described = {int(status) for status in operation["responses"]}
        assert expected_refusals(declared, operation) <= described, name
        if declared.dialect is not None:
            assert_refusals_of_dialect(declared, operation)
            continue
        for status in (status for status in described if status >= 400 and not declared.responses.get(status)):
            [(media_type, media)] = operation["responses"][str(status)]["content"].items()
            assert {media_type: {"schema": media["schema"]}} == PROBLEM, name


def assert_refusals_of_dialect(declared: Operation, operation: dict[str, Any]) -> None:
    """What another product's clients are refused is described by one schema of that product's."""
    assert declared.dialect is not None
    reference = f"#/components/schemas/{declared.dialect.refusal.__name__}"
    for status, response in operation["responses"].items():
        if int(status) >= 400 and declared.responses.get(int(status)) is declared.dialect.refusal:
            assert response["content"]["application/json"]["schema"]["$ref"] == reference


def expected_refusals(declared: Operation, operation: dict[str, Any]) -> set[int]:
    """The statuses with which a route can refuse, by what it takes."""
    expected = {422} if declared.dialect is None else {400}
    if declared.limit != "exempt":
        expected |= {429, 503}
    if declared.scope is not None:
        expected |= {401, 403, 404}
    if "requestBody" in operation:
        expected |= {400, 413, 415}
    if any(parameter["in"] == "path" for parameter in operation["parameters"]):
        expected.add(404)
    return expected


def test_a_refusal_says_with_headers_what_to_do(app: Flask) -> None:
    for _, _, operation in operations(app):
        for status, response in operation["responses"].items():
            assert "X-Request-ID" in response["headers"]
            assert ("WWW-Authenticate" in response["headers"]) == (status == "401")
            assert ("Retry-After" in response["headers"]) == (status in ("429", "503"))
            assert status != "202" or "Location" in response["headers"]


def test_what_needs_a_token_says_so_and_with_which_scope(app: Flask, document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for name, declared, operation in operations(app):
        assert ("security" in operation) == (declared.scope is not None), name
        assert operation.get("x-scope") == declared.scope, name
        assert operation["x-rate-limit-class"] == declared.limit, name


def test_every_body_that_comes_in_is_closed(app: Flask, document: dict[str, Any]) -> None:
    """Unknown fields are refused, and the schema says so; other products' clients may send more."""
    for name, declared, operation in operations(app):
        if "requestBody" in operation and declared.dialect is None:
            [reference] = {media["schema"]["$ref"] for media in operation["requestBody"]["content"].values()}
            schema = document["components"]["schemas"][reference.rpartition("/")[2]]
            assert schema["additionalProperties"] is False, name


def test_every_parameter_has_a_type_that_openapi_knows(app: Flask) -> None:
    for name, _, operation in operations(app):
        for parameter in operation["parameters"]:
            schema = parameter["schema"]
            assert "type" in schema or "enum" in schema, f"{name}: {parameter['name']}"
            assert not {"ge", "le", "gt", "lt"} & set(schema), f"{name}: {parameter['name']}"
            assert parameter["required"] == (parameter["in"] == "path") or "default" not in schema


# Longer than a request line in the writings that take most: links may be looked up by POST, and cursors are ASCII.
MAY_BE_TOO_LONG = {("GET /api/v1/bookmarks/lookup", "url")}


def test_every_text_of_a_query_fits_into_a_request_line_in_any_writing(app: Flask) -> None:
    """A limit in characters that a request line cannot hold would be none."""
    too_long = set()
    for name, _, operation in operations(app):
        for parameter in operation["parameters"]:
            if parameter["in"] == "query" and parameter["name"] != "cursor":
                longest = "\U0001f680" * parameter["schema"].get("maxLength", 0)
                line = f"{name}?{urlencode({parameter['name']: longest})} HTTP/1.1\r\n"
                if len(line) > REQUEST_LINE_BYTES:
                    too_long.add((name, parameter["name"]))
    assert too_long == MAY_BE_TOO_LONG


def test_what_may_be_left_out_but_not_null_is_described_so(document: dict[str, Any]) -> None:
    patch = document["components"]["schemas"]["BookmarkPatch"]
    assert "required" not in patch
    assert {"type": "null"} not in list(parts(patch))
    assert not [field for field in patch["properties"].values() if "default" in field]


def test_component_names_can_be_read(document: dict[str, Any]) -> None:
    for name in document["components"]["schemas"]:
        assert re.fullmatch(r"([A-Z][a-z]+)+", name), name


def test_every_reference_leads_somewhere_and_nothing_is_left_over(document: dict[str, Any]) -> None:
    used = {part["$ref"] for part in parts(document) if isinstance(part.get("$ref"), str)}
    queries = {name for name in document["components"]["schemas"] if name.endswith("Query")}
    for kind in ("schemas", "headers"):
        known = {f"#/components/{kind}/{name}" for name in document["components"][kind]}
        assert {name for name in used if name.startswith(f"#/components/{kind}/")} <= known
        assert known - used <= {f"#/components/schemas/{name}" for name in queries}


def test_every_schema_of_ours_says_what_it_is(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), name
