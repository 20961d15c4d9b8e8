"""The mix of reads, searches and writes that benchmarks.mixed and benchmarks/locustfile.py send. Needs Python alone."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

# Of 100 requests.
MIX = {"list": 28, "item": 28, "tags": 12, "lookup": 12, "search": 15, "create": 3, "change": 2}
READS = ("list", "item", "tags", "lookup")
WRITES = ("create", "change")
EXPECTED = {kind: 201 if kind == "create" else 200 for kind in MIX}
# What people look at first comes first.
LISTS = (
    *("", "page=2", "is_favorite=true", "is_read=false", "page=3", "sort=title", "untagged=true"),
    *("page=4", "sort=-updated_at", "page_size=100"),
)


@dataclass(frozen=True)
class Person:
    """Somebody who asks: their token, and what of theirs can be asked for, the most popular first."""

    token: str
    ids: list[int]
    urls: list[str]


class Draw:
    """Places in a list as Zipf's law has them: the n-th is drawn as often as 1/n^s says."""

    def __init__(self, chance: random.Random, exponent: float) -> None:
        self._chance = chance
        self._exponent = exponent
        self._weights: dict[int, list[float]] = {}

    def one_of(self, things: Sequence[Any]) -> Any:
        """One of them; the first is the most popular."""
        weights = self._weights.get(len(things))
        if weights is None:
            weights = list(itertools.accumulate(1 / place**self._exponent for place in range(1, len(things) + 1)))
            self._weights[len(things)] = weights
        return self._chance.choices(things, cum_weights=weights)[0]


def request_of(
    kind: str, person: Person, queries: Sequence[str], draw: Draw, chance: random.Random
) -> tuple[str, str, dict[str, object] | None]:
    """Method, path and body of one request of a kind."""
    match kind:
        case "list":
            return "GET", f"bookmarks?{draw.one_of(LISTS)}", None
        case "item":
            return "GET", f"bookmarks/{draw.one_of(person.ids)}", None
        case "tags":
            return "GET", "tags", None
        case "lookup":
            return "GET", f"bookmarks/lookup?{urlencode({'url': draw.one_of(person.urls)})}", None
        case "search":
            return "GET", f"search?{urlencode({'q': draw.one_of(queries)})}", None
        case "create":
            url = f"https://created.example/{chance.getrandbits(64):x}"
            return "POST", "bookmarks", {"url": url, "title": "A link", "capture": False}
        case _:
            body: dict[str, object] = {"is_favorite": chance.random() < 0.5}
            return "PATCH", f"bookmarks/{draw.one_of(person.ids)}", body
