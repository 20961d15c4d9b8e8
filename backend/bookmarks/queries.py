"""Queries of bookmarks: lists, single bookmarks, their filters and their API representation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, Select, Text, and_, any_, func, literal, select, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import NullType

from backend.actor import Actor
from backend.bookmarks.counts import maintained_total
from backend.bookmarks.document_conditions import resolve_query
from backend.bookmarks.models import Bookmark, BookmarkContent, BookmarkTag, Tag
from backend.bookmarks.query_conditions import in_project, mentions_archived, on_site, query_conditions
from backend.bookmarks.schemas import (
    MAX_FILTERS,
    ActionFilter,
    AttachedBookmarkOut,
    AttachedListQuery,
    BookmarkFilter,
    BookmarkListQuery,
    BookmarkOut,
)
from backend.errors import Invalid, NotFound
from backend.extensions import db
from backend.http.pagination import PageRows, Sort, paginate
from backend.http.truncation import LIST_BYTES, beginning, fit, shorten
from backend.index.models import BookmarkEmbedding
from backend.index.nearest import largest_model, rank_by_similarity
from backend.projects import queries as projects
from backend.projects.models import Project, ProjectBookmark
from backend.text.query_language import Filter, Query, parse
from backend.text.urls import Site, parse_site, url_hash

# Mean silent reading speed of adults for non-fiction in English: Brysbaert 2019, doi:10.1016/j.jml.2019.104047.
WORDS_PER_MINUTE = 238
SORTS = {"created_at": Bookmark.created_at, "updated_at": Bookmark.updated_at, "title": Bookmark.title_key}
# Queries with more parts than people usually type may be expensive.
MAX_CHEAP_PARTS = 10
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
OUT_COLUMNS = [column for column in Bookmark.__table__.columns if column.key not in ("title_from", "description_from")]
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
    return BookmarkOut.model_validate(_values(row))


def select_listed(*extra: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Select[Any]:
    """Build a statement for bookmarks in a list, with long texts cut, whose rows `listed_out` converts."""
    return LISTED_BOOKMARKS.add_columns(*extra) if extra else LISTED_BOOKMARKS


def listed_out(rows: Sequence[Row[Any]], room: int = LIST_BYTES) -> list[BookmarkOut]:
    """Convert the rows of one list to the API's representation, within a limit of bytes."""
    items = [BookmarkOut.model_validate(_listed_values(row, LONG_TEXTS)) for row in rows]
    fit(items, CUTTABLE, room)
    return items


def _listed_values(row: Row[Any], names: Sequence[str]) -> dict[str, Any]:
    values = _values(row)
    shorten(values, names)
    return values


def _values(row: Row[Any]) -> dict[str, Any]:
    values = dict(row._mapping)
    words = values["word_count"]
    values["reading_minutes"] = -(-words // WORDS_PER_MINUTE) if words else None
    values["capture"] = {
        "status": values["capture_status"],
        "error": values["capture_error"],
        "captured_at": values["captured_at"],
        "attempts": values["capture_attempts"],
    }
    return values


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
    """Return one page of the filtered bookmarks. One statement."""
    sort = Sort(query.sort, SORTS[query.sort.lstrip("-")], Bookmark.id)
    total = maintained_total(actor, query, _archived(query))
    is_expensive = len(query.tag) + len((query.q or "").split()) > MAX_CHEAP_PARTS
    page = paginate(filter_conditions(actor, query), select_listed(), sort, query, total, is_dear=is_expensive)
    return page, listed_out(page.rows)


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
    items = [AttachedBookmarkOut.model_validate(_listed_values(row, names)) for row in page.rows]
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
    return AttachedBookmarkOut.model_validate(_values(row))


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


def filter_conditions(actor: Actor, filter_: BookmarkFilter | ActionFilter) -> Sequence[ColumnElement[bool]]:
    """Build the conditions of a list's filters, that of the organization included."""
    filter_conditions = [Bookmark.organization_id == actor.organization_id]
    filter_conditions.append(Bookmark.deleted_at.is_not(None) if filter_.deleted else Bookmark.deleted_at.is_(None))
    query, languages = resolve_query(actor.organization_id, parse(filter_.q or ""))
    check_filters(filter_, query)
    filter_conditions.extend(_flags(filter_, lift_archived=mentions_archived(query)))
    if filter_.untagged is not None:
        filter_conditions.append(Bookmark.is_tagged.is_(not filter_.untagged))
    if filter_.project_id is not None:
        filter_conditions.append(in_project(actor.organization_id, filter_.project_id))
    if filter_.domain is not None:
        filter_conditions.append(on_site(parse_site(filter_.domain) or Site(filter_.domain)))
    filter_conditions.extend(query_conditions(actor.organization_id, query, languages, filter_.tag))
    return filter_conditions


def check_filters(filter_: BookmarkFilter | ActionFilter, query: Query) -> None:
    """Check the number of distinct filters, those of the query and of the list together.

    Raises:
        Invalid: there are too many.
    """
    distinct = {(unit.key, unit.negated) for unit in query.units if isinstance(unit, Filter)}
    distinct |= {(Filter("tag", name).key, False) for name in filter_.tag}
    if len(distinct) > MAX_FILTERS:
        location = "body.filter" if isinstance(filter_, ActionFilter) else "query"
        message = f"A query has at most {MAX_FILTERS} filters; these are {len(distinct)}."
        raise Invalid.field(f"{location}.q" if filter_.q else f"{location}.tag", message, "too_many_filters")


def _flags(filter_: BookmarkFilter | ActionFilter, *, lift_archived: bool) -> list[ColumnElement[bool]]:
    filter_conditions: list[ColumnElement[bool]] = []
    if filter_.is_read is not None:
        filter_conditions.append(Bookmark.is_read.is_(filter_.is_read))
    if filter_.is_favorite is not None:
        filter_conditions.append(Bookmark.is_favorite.is_(filter_.is_favorite))
    archived = _archived(filter_, lifted=lift_archived)
    if archived is not None:
        filter_conditions.append(Bookmark.is_archived.is_(archived))
    if filter_.capture_status is not None:
        filter_conditions.append(Bookmark.capture_status == filter_.capture_status)
    if filter_.created_after is not None:
        filter_conditions.append(Bookmark.created_at > filter_.created_after)
    if filter_.created_before is not None:
        filter_conditions.append(Bookmark.created_at < filter_.created_before)
    return filter_conditions


def _archived(filter_: BookmarkFilter | ActionFilter, *, lifted: bool = False) -> bool | None:
    """Return what the filter means by `is_archived`; None for any value."""
    if filter_.is_archived is None:
        return None if filter_.deleted or lifted else False
    return None if filter_.is_archived == "any" else filter_.is_archived == "true"
