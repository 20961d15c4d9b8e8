"""The OpenAPI library, told to make the JSON Schemas with the document and not with each route."""

from __future__ import annotations

from typing import Any

from spectree import SpecTree
from spectree.model_adapter import ModelClass
from spectree.model_adapter.protocol import SchemaMode


class DeferredSpecTree(SpecTree):
    """SpecTree that remembers models: few processes write the document, and the schemas are a fifth of each start."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._declared: dict[str, tuple[ModelClass, SchemaMode]] = {}

    def _add_model(self, model: ModelClass, mode: SchemaMode = "validation") -> str:
        name: str = self.naming_strategy(model)
        # A model in a request and in a response is described as the later route has it, as the library does.
        self._declared[name] = model, mode
        return name

    def _generate_spec(self) -> dict[str, Any]:
        for model, mode in self._declared.values():
            super()._add_model(model, mode)
        document: dict[str, Any] = super()._generate_spec()
        return document
