"""The examples of the OpenAPI document: one for every body, and each is what its schema says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator

from backend.http.openapi.document import openapi_document
from tests.support.api import Api

pytestmark = pytest.mark.integration
Body = tuple[str, str, dict[str, Any]]


def bodies(document: dict[str, Any]) -> Iterator[Body]:
    """Every body: what it is of, its media type, and what the document says of it."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = f"{method.upper()} {path}"
            for media_type, media in operation.get("requestBody", {}).get("content", {}).items():
                yield f"{name} asks", media_type, media
            for status, response in operation["responses"].items():
                assert status in ("204", "302") or response.get("content"), f"{name} {status}"
                for media_type, media in response.get("content", {}).items():
                    yield f"{name} answers {status}", media_type, media


def examples(document: dict[str, Any], media: dict[str, Any]) -> list[Any]:
    """The examples of a body, with references followed."""
    shared = document["components"]["examples"]
    told = [shared[one["$ref"].rpartition("/")[2]]["value"] for one in media.get("examples", {}).values()]
    return [media["example"]] if "example" in media else told


def test_every_body_has_an_example_that_its_schema_takes(app: Flask) -> None:
    document = openapi_document(app)
    faults = []
    for name, media_type, media in bodies(document):
        told = examples(document, media)
        assert told, name
        described = document["components"]["schemas"].get(media["schema"].get("$ref", "").rpartition("/")[2], {})
        assert all(told) or not described.get("properties"), f"{name}: {media_type}"
        schema = {**media["schema"], "components": document["components"]}
        check = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        faults += [f"{name}: {error.json_path} {error.message}" for one in told for error in check.iter_errors(one)]
    assert faults == []


def test_examples_of_refusals_are_of_their_status(app: Flask) -> None:
    document = openapi_document(app)
    for name, media_type, media in bodies(document):
        if media_type == "application/problem+json":
            [told] = examples(document, media)
            assert name.endswith(f" {told['status']}")


@pytest.mark.requires_db
def test_the_examples_of_what_makes_things_are_taken_as_they_are(ada: Api) -> None:
    """An example that the server refuses would be none."""
    document = ada.get("/api/openapi.json").json
    for path, status in (
        ("bookmarks", 201),
        ("bookmarks/bulk", 200),
        ("projects", 201),
        ("tasks/bulk", 200),
        ("organizations", 201),
        ("auth/tokens", 201),
    ):
        media = document["paths"][f"/api/v1/{path}"]["post"]["requestBody"]["content"]["application/json"]
        body = {name: value for name, value in media["example"].items() if not name.endswith(("_id", "_ids"))}
        answer = ada.post(f"/{path}", body)
        assert answer.status_code == status, f"{path}: {json.dumps(body)}: {answer.get_data(as_text=True)}"
        assert answer.json.get("invalid", 0) == 0


def test_the_document_names_the_server_that_gives_it_out(ada: Api) -> None:
    assert [server["url"] for server in ada.get("/api/openapi.json").json["servers"]] == ["/"]
    elsewhere = ada.client.get("/api/openapi.json", environ_overrides={"SCRIPT_NAME": "/fuze"})
    assert [server["url"] for server in elsewhere.json["servers"]] == ["/fuze"]
