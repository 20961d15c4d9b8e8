"""Queries of bookmarks: lists, single bookmarks, their filters and their API representation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Row,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.types import NullType

from backend.actor import Actor
from backend.bookmarks.counts import maintained_total, total_in_states
from backend.bookmarks.list_filters import filter_conditions, filters_columns_only
from backend.bookmarks.models import Bookmark, BookmarkContent, BookmarkTag, Tag
from backend.bookmarks.schemas import AttachedBookmarkOut, AttachedListQuery, BookmarkListQuery, BookmarkOut
from backend.bookmarks.states import BookmarkStates, column_conditions
from backend.errors import NotFound
from backend.extensions import db
from backend.http.pagination import PageRows, PageStatement, Sort, page_statement, paginate, read_page
from backend.http.truncation import LIST_BYTES, beginning, fit, shorten
from backend.index.models import BookmarkEmbedding
from backend.index.nearest import largest_model, rank_by_similarity
from backend.projects import queries as projects
from backend.projects.models import Project, ProjectBookmark
from backend.text.urls import url_hash

# Mean silent reading speed of adults for non-fiction in English: Brysbaert 2019, doi:10.1016/j.jml.2019.104047.
WORDS_PER_MINUTE = 238
SORT_COLUMNS = {"created_at": Bookmark.created_at, "updated_at": Bookmark.updated_at, "title": Bookmark.title_key}
SORTS = {
    f"{sign}{name}": Sort(f"{sign}{name}", column, Bookmark.id)
    for name, column in SORT_COLUMNS.items()
    for sign in ("", "-")
}
# Queries with more parts than people usually type may be expensive.
MAX_CHEAP_PARTS = 10
# Parameters of lists.
ORGANIZATION_ID: BindParameter[int] = bindparam("organization_id", type_=BigInteger)
CREATED_AFTER: BindParameter[datetime] = bindparam("created_after", type_=DateTime(timezone=True))
CREATED_BEFORE: BindParameter[datetime] = bindparam("created_before", type_=DateTime(timezone=True))
MEMOISED_LISTS = 256
NO_NAMES = literal([], ARRAY(Text))
NO_IDS = literal([], ARRAY(BigInteger))

# Scalar subqueries, so that a page of bookmarks with its tags and projects is one statement. NullType: psycopg2 already
# returns lists; ARRAY would copy each element.
TAG_NAMES = type_coerce(
    select(func.coalesce(func.array_agg(Tag.name).aggregate_order_by(BookmarkTag.position, Tag.name_key), NO_NAMES))
    .join_from(BookmarkTag, Tag, Tag.id == BookmarkTag.tag_id)
    .where(BookmarkTag.bookmark_id == Bookmark.id)
    .correlate(Bookmark)
    .scalar_subquery(),
    NullType(),
).label("tags")
PROJECT_IDS = type_coerce(
    select(func.coalesce(func.array_agg(Project.id).aggregate_order_by(Project.id), NO_IDS))
    .join_from(ProjectBookmark, Project, Project.id == ProjectBookmark.project_id)
    .where(ProjectBookmark.bookmark_id == Bookmark.id, Project.deleted_at.is_(None))
    .correlate(Bookmark)
    .scalar_subquery(),
    NullType(),
).label("project_ids")


LONG_TEXTS = ("description", "notes")
# Fields that may be cut where a list would be too large.
CUTTABLE = (*LONG_TEXTS, "title", "tags", "project_ids", "image_url")
# Columns that no response contains are not read.
UNSHOWN = ("title_from", "description_from", "read_at")
OUT_COLUMNS = [column for column in Bookmark.__table__.columns if column.key not in UNSHOWN]
WHOLE_BOOKMARKS: Select[Any] = select(*OUT_COLUMNS, TAG_NAMES, PROJECT_IDS).select_from(Bookmark)
LISTED_BOOKMARKS: Select[Any] = select(
    *(column for column in OUT_COLUMNS if column.key not in LONG_TEXTS),
    *(beginning(getattr(Bookmark, name)) for name in LONG_TEXTS),
    TAG_NAMES,
    PROJECT_IDS,
).select_from(Bookmark)


def select_bookmarks(*extra: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Select[Any]:
    """Build a statement for whole bookmarks with tags and projects, whose rows `bookmark_out` converts."""
    return WHOLE_BOOKMARKS.add_columns(*extra) if extra else WHOLE_BOOKMARKS


def bookmark_out(row: Row[Any]) -> BookmarkOut:
    """Convert a row of `select_bookmarks` to the API's representation."""
    return BookmarkOut.model_validate(next(_values([row])))


def select_listed(*extra: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Select[Any]:
    """Build a statement for bookmarks in a list, with long texts cut, whose rows `listed_out` converts."""
    return LISTED_BOOKMARKS.add_columns(*extra) if extra else LISTED_BOOKMARKS


def listed_out(rows: Sequence[Row[Any]], room: int = LIST_BYTES) -> list[BookmarkOut]:
    """Convert the rows of one list to the API's representation, within a limit of bytes."""
    items = [BookmarkOut.model_validate(values) for values in _values(rows, LONG_TEXTS)]
    fit(items, CUTTABLE, room)
    return items


def _values(rows: Sequence[Row[Any]], shortened: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Yield the fields of the API's representation; with `shortened` texts they are those of a list."""
    names = rows[0]._fields if rows else ()  # Each row would list them again.
    for row in rows:
        values = dict(zip(names, row, strict=True))
        if shortened:
            shorten(values, shortened)
        words = values["word_count"]
        values["reading_minutes"] = -(-words // WORDS_PER_MINUTE) if words else None
        values["capture"] = {
            "status": values["capture_status"],
            "error": values["capture_error"],
            "captured_at": values["captured_at"],
            "attempts": values["capture_attempts"],
        }
        yield values


def id_in(ids: Sequence[int]) -> ColumnElement[bool]:
    """Build a condition for bookmarks by id, with one array parameter for any number of ids."""
    return Bookmark.id == any_(literal(list(ids), ARRAY(BigInteger)))


def get_bookmark(actor: Actor, bookmark_id: int) -> BookmarkOut:
    """Return the bookmark if it belongs to the actor's organization and is not in the trash.

    Raises:
        NotFound: there is no such bookmark.
    """
    bookmarks = find_bookmarks(actor, Bookmark.id == bookmark_id)
    if not bookmarks:
        raise NotFound
    return bookmarks[0]


def find_bookmarks(actor: Actor, *filter_conditions: ColumnElement[bool]) -> list[BookmarkOut]:
    """Return the bookmarks outside the trash that meet the conditions, in no order."""
    rows = db.session.execute(select_bookmarks().where(not_trashed(actor), *filter_conditions)).all()
    return [bookmark_out(row) for row in rows]


def list_bookmarks(actor: Actor, query: BookmarkListQuery) -> tuple[PageRows, list[BookmarkOut]]:
    """Return one page of the filtered bookmarks. One statement, one more for words."""
    after, before = query.created_after, query.created_before
    if filters_columns_only(query):
        bounds = (after is not None, before is not None)
        listed = _columns_list(BookmarkStates.of(query), *bounds, query.sort, bool(query.cursor))
    else:
        listed = _filtered_list(actor, query)
    values = {"organization_id": actor.organization_id, "created_after": after, "created_before": before}
    page = read_page(listed, query, values)
    return page, listed_out(page.rows)


@lru_cache(maxsize=MEMOISED_LISTS)
def _columns_list(states: BookmarkStates, has_start: bool, has_end: bool, sort: str, is_after: bool) -> PageStatement:
    """Build the statement of a list by states and moments, once for all organizations: to build it takes longer than
    to run it."""
    start, end = CREATED_AFTER if has_start else None, CREATED_BEFORE if has_end else None
    conditions = column_conditions(ORGANIZATION_ID, states, start, end)
    total = None if has_start or has_end else total_in_states(ORGANIZATION_ID, states)
    return page_statement(conditions, LISTED_BOOKMARKS, SORTS[sort], total, is_after=is_after)


def _filtered_list(actor: Actor, query: BookmarkListQuery) -> PageStatement:
    """Build the statement of a list that is filtered by more than the bookmarks' own columns."""
    conditions, shape, sort = filter_conditions(actor, query), LISTED_BOOKMARKS, SORTS[query.sort]
    total = maintained_total(actor, query, BookmarkStates.of(query))
    is_dear = len(query.tag) + len((query.q or "").split()) > MAX_CHEAP_PARTS
    return page_statement(conditions, shape, sort, total, is_after=bool(query.cursor), is_dear=is_dear)


def list_attached(
    actor: Actor, project_id: int, query: AttachedListQuery
) -> tuple[PageRows, list[AttachedBookmarkOut]]:
    """Return one page of the bookmarks attached to a project, archived ones included. One statement.

    Raises:
        NotFound: there is no such project outside the trash.
    """
    is_known = select(Project.id).where(projects.not_trashed(actor), Project.id == project_id).exists()
    # A subquery looks each bookmark up by its key: without table statistics a join would read all bookmarks.
    is_not_trashed = (
        select(Bookmark.deleted_at.is_(None)).where(Bookmark.id == ProjectBookmark.bookmark_id).scalar_subquery()
    )
    filter_conditions = [ProjectBookmark.project_id == project_id, is_known, is_not_trashed]
    sort = Sort(query.sort, ProjectBookmark.attached_at, ProjectBookmark.bookmark_id)
    shape = _attached(select_listed, beginning(ProjectBookmark.note), project_id)
    page = paginate(filter_conditions, shape, sort, query)
    if not page.total:
        projects.get_project(actor, project_id)
    names = (*LONG_TEXTS, "note")
    items = [AttachedBookmarkOut.model_validate(values) for values in _values(page.rows, names)]
    fit(items, (*CUTTABLE, "note"))
    return page, items


def get_attached(actor: Actor, project_id: int, bookmark_id: int) -> AttachedBookmarkOut:
    """Return a bookmark with the properties of its attachment to a project.

    Raises:
        NotFound: it is in the trash, not attached, or never was.
    """
    statement = _attached(select_bookmarks, ProjectBookmark.note, project_id).where(
        not_trashed(actor), Bookmark.id == bookmark_id
    )
    row = db.session.execute(statement).one_or_none()
    if row is None:
        raise NotFound
    return AttachedBookmarkOut.model_validate(next(_values([row])))


def _attached(
    shape: Callable[..., Select[Any]], note: ColumnElement[str] | InstrumentedAttribute[str], project_id: int
) -> Select[Any]:
    attached = (ProjectBookmark.bookmark_id, note, ProjectBookmark.attached_at)
    is_this = and_(ProjectBookmark.project_id == project_id, ProjectBookmark.bookmark_id == Bookmark.id)
    return shape(*attached).join(ProjectBookmark, is_this)


def lookup_bookmark(actor: Actor, url: str) -> BookmarkOut:
    """Return the bookmark of a link; links are compared in normalised form.

    Raises:
        NotFound: the link is not saved.
    """
    bookmarks = find_bookmarks(actor, Bookmark.url_hash == url_hash(url))
    if not bookmarks:
        raise NotFound("This link is not saved.")
    return bookmarks[0]


def read_content(actor: Actor, bookmark_id: int) -> BookmarkContent:
    """Return the captured page.

    Raises:
        NotFound: there is no such bookmark, or its page has not been captured.
    """
    content = db.session.scalar(
        select(BookmarkContent)
        .join(Bookmark, Bookmark.id == BookmarkContent.bookmark_id)
        .where(not_trashed(actor), Bookmark.id == bookmark_id)
    )
    if content is None:
        raise NotFound("There is no such bookmark, or its page has not been captured.")
    return content


def similar_bookmarks(actor: Actor, bookmark_id: int, limit: int) -> list[tuple[BookmarkOut, float]]:
    """Return the nearest bookmarks by the cosine similarity of their vectors, archived ones included.

    While one model replaces another, the vectors are those of the model with more of the organization's vectors.

    Raises:
        NotFound: there is no such bookmark.
    """
    own = db.session.execute(
        select(BookmarkEmbedding.model, BookmarkEmbedding.embedding)
        .select_from(Bookmark)
        .outerjoin(BookmarkEmbedding, BookmarkEmbedding.bookmark_id == Bookmark.id)
        .where(not_trashed(actor), Bookmark.id == bookmark_id)
        .order_by(BookmarkEmbedding.updated_at.desc())
    ).all()
    if not own:
        raise NotFound
    vectors = {row.model: row.embedding for row in own if row.model is not None}
    if not vectors:
        return []
    model = largest_model(actor, list(vectors))
    others = (Bookmark.deleted_at.is_(None), Bookmark.id != bookmark_id)
    ranked = rank_by_similarity(actor, vectors[model], model, others, limit)
    rows = db.session.execute(select_listed().where(not_trashed(actor), id_in([id_ for id_, _ in ranked]))).all()
    bookmarks = {bookmark.id: bookmark for bookmark in listed_out(rows)}
    return [(bookmarks[id_], score) for id_, score in ranked if id_ in bookmarks]


def not_trashed(actor: Actor) -> ColumnElement[bool]:
    """Build the condition for the organization's bookmarks outside the trash."""
    return and_(Bookmark.organization_id == actor.organization_id, Bookmark.deleted_at.is_(None))
