"""Schemas are made when the document is, not with each route."""

from __future__ import annotations

import pytest
from flask import Flask
from pydantic import BaseModel
from spectree import Response

from backend.http.spec_tree import DeferredSpecTree

pytestmark = pytest.mark.unit


class Wing(BaseModel):
    span: float


class Bird(BaseModel):
    wings: list[Wing]


def test_a_route_makes_no_schema_and_the_document_all_of_them() -> None:
    tree, app = DeferredSpecTree(backend_name="flask", naming_strategy=lambda model: model.__name__), Flask("birds")

    @app.post("/birds")
    @tree.validate(resp=Response(HTTP_201=Bird))
    def add(json: Bird) -> Bird:
        """Add a bird."""
        return json

    tree.register(app)
    assert tree.models == {}
    with app.app_context():
        document = tree.spec
    assert document["components"]["schemas"]["Bird"]["properties"]["wings"]["type"] == "array"
    assert any(name.endswith("Wing") for name in document["components"]["schemas"])
    added = document["paths"]["/birds"]["post"]
    assert added["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Bird"}
    assert added["responses"]["201"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Bird"}
