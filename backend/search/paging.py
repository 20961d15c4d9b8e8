"""Fifth step of a search: one page of a ranking, by number or after a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backend.http.pagination import read_cursor, whole_number, write_cursor
from backend.search.schemas import SearchQuery


@dataclass(frozen=True)
class PageSlice:
    """The slice from `start` to `end` of a ranking, its page number, and the cursor of the next page."""

    start: int
    end: int
    page: int
    next_cursor: str | None


@dataclass(frozen=True)
class _Cursor:
    last_id: int
    start: int
    page: int


def page_slice(ids: Sequence[int], query: SearchQuery) -> PageSlice:
    """Return the requested page of a ranking.

    A cursor names the last hit shown, so that new hits before it shift nothing. If that hit has left the ranking, its
    former index counts.

    Raises:
        Invalid: the cursor does not belong to a search in this mode.
    """
    cursor = read_cursor(query.cursor, lambda content: _read(content, query.mode)) if query.cursor else None
    page = cursor.page if cursor else query.page
    start = _start_after(cursor, ids) if cursor else (query.page - 1) * query.page_size
    end = start + query.page_size
    more = end < len(ids)
    return PageSlice(start, end, page, write_cursor([query.mode, ids[end - 1], end, page + 1]) if more else None)


def _start_after(cursor: _Cursor, ids: Sequence[int]) -> int:
    # The next hit has moved into the gap that the removed one left.
    return ids.index(cursor.last_id) + 1 if cursor.last_id in ids else cursor.start - 1


def _read(content: Any, mode: str) -> _Cursor:
    name, last_id, start, page = content
    if name != mode:
        raise ValueError
    return _Cursor(whole_number(last_id, 1), whole_number(start, 1), whole_number(page, 2))
