"""One page of a ranking: by number, or after the last hit of the page before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backend.http.pagination import read_cursor, whole_number, write_cursor
from backend.search.schemas import SearchQuery


@dataclass(frozen=True)
class Window:
    """The hits from `start` to `end` of a ranking, which are page `page`; `next_cursor` continues."""

    start: int
    end: int
    page: int
    next_cursor: str | None


@dataclass(frozen=True)
class _Cursor:
    last_id: int
    start: int
    page: int


def window(ids: Sequence[int], query: SearchQuery) -> Window:
    """The page of a ranking that is asked for.

    A cursor names the last hit that was shown: what is found anew and comes before it shifts nothing. Where that hit is
    found no more, the place counts at which it was.

    Raises:
        Invalid: the cursor is not one that a search in this mode gave.
    """
    cursor = read_cursor(query.cursor, lambda content: _read(content, query.mode)) if query.cursor else None
    page = cursor.page if cursor else query.page
    start = _start_after(cursor, ids) if cursor else (query.page - 1) * query.page_size
    end = start + query.page_size
    more = end < len(ids)
    return Window(start, end, page, write_cursor([query.mode, ids[end - 1], end, page + 1]) if more else None)


def _start_after(cursor: _Cursor, ids: Sequence[int]) -> int:
    # A hit that has left the ranking has left a gap that the next one fills.
    return ids.index(cursor.last_id) + 1 if cursor.last_id in ids else cursor.start - 1


def _read(content: Any, mode: str) -> _Cursor:
    name, last_id, start, page = content
    if name != mode:
        raise ValueError
    return _Cursor(whole_number(last_id, 1), whole_number(start, 1), whole_number(page, 2))
