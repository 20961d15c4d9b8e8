"""Pagination: sort, page and count a list; by page number, or by a keyset cursor that costs the same at any depth."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import orjson
from sqlalchemy import BigInteger, ColumnElement, Row, Select, bindparam, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from backend.errors import Invalid
from backend.extensions import db
from backend.http.schemas import Page, PageQuery

P = TypeVar("P", bound=Page[Any])
T = TypeVar("T")
# The position of a row in a list: the sort value, and the id.
Position = tuple[ColumnElement[Any] | InstrumentedAttribute[Any], ColumnElement[Any] | InstrumentedAttribute[Any]]
# No item has a column of this name.
TOTAL_COLUMN = "total_of_list"
PAGE_ROWS, PAGE_OFFSET = bindparam("page_rows", type_=BigInteger), bindparam("page_offset", type_=BigInteger)


@dataclass(frozen=True)
class Sort:
    """An order over an indexed column, made total by the id. `name` is the client's, such as `-title`."""

    name: str
    column: InstrumentedAttribute[Any]
    id_column: InstrumentedAttribute[Any]

    @property
    def descending(self) -> bool:
        return self.name.startswith("-")

    def order(self, *columns: Any) -> list[ColumnElement[Any]]:
        """Return the columns in the direction of the order."""
        return [column.desc() if self.descending else column.asc() for column in columns]


@dataclass(frozen=True)
class PageRows:
    """The rows of one page, and the cursor of the next."""

    rows: Sequence[Row[Any]]
    total: int
    page: int
    page_size: int
    next_cursor: str | None


@dataclass(frozen=True)
class _Cursor:
    sort: str
    value: Any
    id: Any
    page: int


@dataclass(frozen=True)
class PageStatement:
    """A list as one statement, without the position of its page: `read_page` gives that."""

    sort: Sort
    rows: Select[*tuple[Any, ...]]
    total: Select[int]


def paginate(
    conditions: Sequence[ColumnElement[bool]],
    shape: Select[*tuple[Any, ...]],
    sort: Sort,
    query: PageQuery,
) -> PageRows:
    """Run a filtered list as one page; see `page_statement` and `read_page`."""
    return read_page(page_statement(conditions, shape, sort, is_after=bool(query.cursor)), query)


def page_statement(
    conditions: Sequence[ColumnElement[bool]],
    shape: Select[*tuple[Any, ...]],
    sort: Sort,
    total_of: Select[int] | None = None,
    *,
    is_after: bool,
    is_dear: bool = False,
) -> PageStatement:
    """Build a filtered list as one SQL statement, so that total and rows are of one snapshot.

    `shape` selects whole items, with the sort column and the id column under their own names; it is evaluated only for
    the rows of the page, however many come before it. `total_of` selects a maintained count of the rows that pass.
    Expensive conditions (`is_dear`) are evaluated once, for the page and the total together; others cost less if the
    page is read along an index and the total is counted apart. The page is named by a cursor (`is_after`) or a number.
    """
    position: Position = (sort.column, sort.id_column)
    page_ids = select(sort.id_column, sort.column).where(*conditions)
    if total_of is None and is_dear:
        passing = page_ids.cte("passing")
        position = (passing.c[sort.column.key], passing.c[sort.id_column.key])
        page_ids, total_of = select(*reversed(position)), select(func.count()).select_from(passing)
    elif total_of is None:
        total_of = page_ids.with_only_columns(func.count(), maintain_column_froms=True)
    page_ids = page_ids.order_by(*sort.order(*position)).limit(PAGE_ROWS)
    page_ids = page_ids.where(_after(sort, position)) if is_after else page_ids.offset(PAGE_OFFSET)
    counted = shape.add_columns(total_of.correlate(None).scalar_subquery().label(TOTAL_COLUMN))
    return PageStatement(sort, _shaped(page_ids, counted, sort), total_of)


def read_page(listed: PageStatement, query: PageQuery, values: Mapping[str, Any] | None = None) -> PageRows:
    """Read one page of a list. One SQL statement; a second one only past the last page.

    `values` are those of the parameters in the conditions.

    Raises:
        Invalid: the cursor is not one that this list gave.
    """
    cursor = _decode(query.cursor, listed.sort) if query.cursor else None
    page = cursor.page if cursor else query.page
    place = {"after_value": cursor.value, "after_id": cursor.id} if cursor else {}
    place |= {"page_rows": query.page_size + 1, "page_offset": (page - 1) * query.page_size, **(values or {})}
    rows = db.session.execute(listed.rows, place).all()
    if not rows:
        total = 0 if page == 1 else db.session.scalar(listed.total, values) or 0
        return PageRows([], total, page, query.page_size, None)
    total = rows[0]._mapping[TOTAL_COLUMN]
    more = len(rows) > query.page_size
    rows = rows[: query.page_size]
    return PageRows(rows, total, page, query.page_size, _encode(rows[-1], listed.sort, page + 1) if more else None)


def _shaped(
    page_ids: Select[*tuple[Any, ...]], shape: Select[*tuple[Any, ...]], sort: Sort
) -> Select[*tuple[Any, ...]]:
    page = page_ids.subquery("page")
    position = (page.c[sort.column.key], page.c[sort.id_column.key])
    return shape.join(page, page.c[sort.id_column.key] == sort.id_column).order_by(*sort.order(*position))


def _after(sort: Sort, position: Position) -> Any:
    bound = tuple_(bindparam("after_value", type_=sort.column.type), bindparam("after_id", type_=sort.id_column.type))
    return tuple_(*position) < bound if sort.descending else tuple_(*position) > bound


def write_cursor(content: Sequence[object]) -> str:
    """Return a cursor that holds these values: text, numbers, times."""
    return base64.urlsafe_b64encode(orjson.dumps(content)).rstrip(b"=").decode()


def read_cursor(text: str, read: Callable[[Any], T]) -> T:
    """Return the values of a cursor, checked by `read`.

    Raises:
        Invalid: `read` raised ValueError, TypeError or OverflowError, or this is no cursor.
    """
    try:
        return read(orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))
    except (ValueError, TypeError, OverflowError, binascii.Error):
        message = "This cursor does not belong to this list and sort order. Start from the first page."
        raise Invalid.field("query.cursor", message, "cursor") from None


def whole_number(value: object, least: int) -> int:
    """Return a value of a cursor that is a number from `least` on.

    Raises:
        ValueError: it is not.
    """
    if type(value) is not int or not least <= value < 2**53:
        raise ValueError
    return value


def _encode(row: Row[Any], sort: Sort, page: int) -> str:
    values = row._mapping
    return write_cursor([sort.name, values[sort.column.key], values[sort.id_column.key], page])


def _decode(text: str, sort: Sort) -> _Cursor:
    def read(content: Any) -> _Cursor:
        name, value, id_, page = content
        if name != sort.name:
            raise ValueError
        return _Cursor(name, _as_type(sort.column, value), _as_type(sort.id_column, id_), whole_number(page, 2))

    return read_cursor(text, read)


def _as_type(column: InstrumentedAttribute[Any], value: object) -> Any:
    kind = column.type.python_type
    if kind is int:
        if type(value) is not int or abs(value) >= 2**63:
            raise ValueError
        return value
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError
    return datetime.fromisoformat(value).astimezone(UTC) if kind is datetime else kind(value)


def page_of(envelope: type[P], rows: PageRows, items: list[Any]) -> P:
    """Return the response for a page of rows that have become `items`."""
    page = envelope.model_construct(
        items=items,
        total=rows.total,
        page=rows.page,
        page_size=rows.page_size,
        total_pages=-(-rows.total // rows.page_size),
        has_next=rows.next_cursor is not None,
        has_prev=rows.page > 1,
        next_cursor=rows.next_cursor,
    )
    return cast("P", page)
