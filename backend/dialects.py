"""How routes speak that clients of another product call, where it is not as API.md has it."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

BEARER = frozenset({"bearer"})


@dataclass(frozen=True)
class Dialect:
    """What another product's clients send and expect.

    Attributes:
        schemes: What may stand before a token in Authorization, in lower case.
        refusal: The model of every answer from 400 on.
        query: The query string of a route that declares none.
        scheme_name: The name of the first scheme in the OpenAPI document,
        scheme: and what the document says of it.
    """

    schemes: frozenset[str]
    refusal: type[BaseModel]
    query: type[BaseModel]
    scheme_name: str
    scheme: dict[str, str]
