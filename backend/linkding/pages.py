"""Parts of lists by limit and offset, and the addresses of their neighbours, as Django REST framework has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qs, urlencode

from pydantic import BaseModel

from backend.http.truncation import LIST_BYTES
from backend.linkding.schemas import LinkdingPage, WindowQuery

DEFAULT_LIMIT = 100
# The smallest bookmark takes about 500 bytes, and a page ends at 2 MB: no page has as many.
MOST_ROWS = 5_000
# What PostgreSQL takes for an offset.
MAX_OFFSET = 2**63 - 1
NUMBER = re.compile(r"\s*\+?([0-9]{1,30})\s*")
P = TypeVar("P", bound=LinkdingPage[Any])
Item = TypeVar("Item")
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class OffsetRange:
    """Which part of a list: `offset` rows are passed over, `limit` are asked for."""

    limit: int
    offset: int

    @classmethod
    def of(cls, query: WindowQuery) -> OffsetRange:
        """Read the window from a query string; what is no number counts as not given."""
        return cls(_number(query.limit) or DEFAULT_LIMIT, min(_number(query.offset) or 0, MAX_OFFSET))

    @property
    def rows(self) -> int:
        """Bound how many rows are read."""
        return min(self.limit, MOST_ROWS)


@dataclass(frozen=True)
class ListPart(Generic[Item]):
    """The items in a window, and how many the list has."""

    items: Sequence[Item]
    count: int
    window: OffsetRange


@dataclass(frozen=True)
class Address:
    """Where a list is asked for: its absolute URL without the query string, and that."""

    base: str
    query: str

    def at(self, window: OffsetRange) -> str:
        """Write the address of another part of the list."""
        parameters = parse_qs(self.query, keep_blank_values=True)
        parameters["limit"] = [str(window.limit)]
        parameters.pop("offset", None)
        if window.offset:
            parameters["offset"] = [str(window.offset)]
        return f"{self.base}?{urlencode(sorted(parameters.items()), doseq=True)}"


def fitting(items: Iterable[Model]) -> list[Model]:
    """Take the first items that fit into a page as JSON; one at least."""
    room = LIST_BYTES
    fitting_items: list[Model] = []
    for item in items:
        room -= len(item.model_dump_json().encode()) + 1
        if room < 0 and fitting_items:
            break
        fitting_items.append(item)
    return fitting_items


def page_at(envelope: type[P], part: ListPart[Any], address: Address) -> P:
    """Make the response for a part of a list."""
    return envelope(
        count=part.count, next=_next(part, address), previous=_previous(part, address), results=list(part.items)
    )


def _next(part: ListPart[Any], address: Address) -> str | None:
    after = part.window.offset + len(part.items)
    if not part.items or after >= part.count:
        return None
    return address.at(OffsetRange(part.window.limit, after))


def _previous(part: ListPart[Any], address: Address) -> str | None:
    window = part.window
    return address.at(OffsetRange(window.limit, max(0, window.offset - window.limit))) if window.offset else None


def _number(text: str | None) -> int | None:
    match = NUMBER.fullmatch(text or "")
    return int(match[1]) if match else None
