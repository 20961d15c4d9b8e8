"""Reading bookmarks: which, in what order, in which shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, Select, Text, and_, any_, func, literal, select, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import NullType

from backend.actor import Actor
from backend.bookmarks.counts import maintained_total
from backend.bookmarks.models import Bookmark, BookmarkContent, BookmarkEmbedding, BookmarkTag, Tag
from backend.bookmarks.query_conditions import in_project, mentions_archived, on_site, query_conditions, resolve_query
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
from backend.http.pagination import Slice, Sort, paginate
from backend.http.truncation import LIST_BYTES, beginning, fit, shorten
from backend.index.nearest import largest_model, rank_by_similarity
from backend.projects import queries as projects
from backend.projects.models import Project, ProjectBookmark
from backend.text.query_language import Filter, Query, parse
from backend.text.urls import Site, parse_site, url_hash

# Mean silent reading speed of adults for non-fiction in English: Brysbaert 2019, doi:10.1016/j.jml.2019.104047.
WORDS_PER_MINUTE = 238
SORTS = {"created_at": Bookmark.created_at, "updated_at": Bookmark.updated_at, "title": Bookmark.title_key}
# A query of more parts than people usually type may be dear.
MAX_CHEAP_PARTS = 10
NO_NAMES = literal([], ARRAY(Text))
NO_IDS = literal([], ARRAY(BigInteger))

# One value each for a row, so that a page of bookmarks with all its tags and projects is one statement. Of no type: as
# arrays they would be gone through once more, element by element, after the driver has made lists of them.
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
# What of a listed bookmark may be cut where a list would be too large.
CUTTABLE = (*LONG_TEXTS, "title", "tags", "project_ids", "image_url")
# What nobody sees is not read.
OUT_COLUMNS = [column for column in Bookmark.__table__.columns if column.key not in ("title_from", "description_from")]
WHOLE_BOOKMARKS: Select[Any] = select(*OUT_COLUMNS, TAG_NAMES, PROJECT_IDS).select_from(Bookmark)
LISTED_BOOKMARKS: Select[Any] = select(
    *(column for column in OUT_COLUMNS if column.key not in LONG_TEXTS),
    *(beginning(getattr(Bookmark, name)) for name in LONG_TEXTS),
    TAG_NAMES,
    PROJECT_IDS,
).select_from(Bookmark)


def select_bookmarks(*extra: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Select[Any]:
    """A statement for whole bookmarks, tags and projects included, as `bookmark_out` reads them."""
    return WHOLE_BOOKMARKS.add_columns(*extra) if extra else WHOLE_BOOKMARKS


def bookmark_out(row: Row[Any]) -> BookmarkOut:
    """The API's shape of a row of `select_bookmarks`."""
    return BookmarkOut.model_validate(_values(row))


def select_listed(*extra: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Select[Any]:
    """A statement for bookmarks as lists show them, their long texts cut, as `listed_out` reads them."""
    return LISTED_BOOKMARKS.add_columns(*extra) if extra else LISTED_BOOKMARKS


def listed_out(rows: Sequence[Row[Any]], room: int = LIST_BYTES) -> list[BookmarkOut]:
    """The API's shape of the rows of `select_listed` that are shown together, in so many bytes at most."""
    found = [BookmarkOut.model_validate(_listed_values(row, LONG_TEXTS)) for row in rows]
    fit(found, CUTTABLE, room)
    return found


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
    """Bookmarks by id. One array parameter, however many there are."""
    return Bookmark.id == any_(literal(list(ids), ARRAY(BigInteger)))


def get_bookmark(actor: Actor, bookmark_id: int) -> BookmarkOut:
    """The bookmark, if it is the actor's organization's and not in the trash.

    Raises:
        NotFound: it is not, or never was.
    """
    found = find_bookmarks(actor, Bookmark.id == bookmark_id)
    if not found:
        raise NotFound
    return found[0]


def find_bookmarks(actor: Actor, *which: ColumnElement[bool]) -> list[BookmarkOut]:
    """Bookmarks of the actor's organization outside the trash, in no order."""
    rows = db.session.execute(select_bookmarks().where(not_trashed(actor), *which)).all()
    return [bookmark_out(row) for row in rows]


def list_bookmarks(actor: Actor, query: BookmarkListQuery) -> tuple[Slice, list[BookmarkOut]]:
    """One page of the bookmarks that the filters leave: one statement."""
    sort = Sort(query.sort, SORTS[query.sort.lstrip("-")], Bookmark.id)
    total = maintained_total(actor, query, _archived(query))
    is_dear = len(query.tag) + len((query.q or "").split()) > MAX_CHEAP_PARTS
    found = paginate(filter_conditions(actor, query), select_listed(), sort, query, total, is_dear=is_dear)
    return found, listed_out(found.rows)


def list_attached(actor: Actor, project_id: int, query: AttachedListQuery) -> tuple[Slice, list[AttachedBookmarkOut]]:
    """One page of what is attached to a project, archived bookmarks included: one statement.

    Raises:
        NotFound: there is no such project outside the trash.
    """
    is_known = select(Project.id).where(projects.live(actor), Project.id == project_id).exists()
    # Each bookmark is looked up by its key: a join would read all bookmarks while PostgreSQL has not counted the rows.
    is_live = select(Bookmark.deleted_at.is_(None)).where(Bookmark.id == ProjectBookmark.bookmark_id).scalar_subquery()
    which = [ProjectBookmark.project_id == project_id, is_known, is_live]
    sort = Sort(query.sort, ProjectBookmark.attached_at, ProjectBookmark.bookmark_id)
    shape = _attached(select_listed, beginning(ProjectBookmark.note), project_id)
    found = paginate(which, shape, sort, query)
    if not found.total:
        projects.get_project(actor, project_id)
    names = (*LONG_TEXTS, "note")
    items = [AttachedBookmarkOut.model_validate(_listed_values(row, names)) for row in found.rows]
    fit(items, (*CUTTABLE, "note"))
    return found, items


def get_attached(actor: Actor, project_id: int, bookmark_id: int) -> AttachedBookmarkOut:
    """A bookmark as it is attached to a project.

    Raises:
        NotFound: it is in the trash, not attached, or never was.
    """
    found = _attached(select_bookmarks, ProjectBookmark.note, project_id).where(
        not_trashed(actor), Bookmark.id == bookmark_id
    )
    row = db.session.execute(found).one_or_none()
    if row is None:
        raise NotFound
    return AttachedBookmarkOut.model_validate(_values(row))


def _attached(
    shape: Callable[..., Select[Any]], note: ColumnElement[str] | InstrumentedAttribute[str], project_id: int
) -> Select[Any]:
    attached = (ProjectBookmark.bookmark_id, note, ProjectBookmark.attached_at)
    this = and_(ProjectBookmark.project_id == project_id, ProjectBookmark.bookmark_id == Bookmark.id)
    return shape(*attached).join(ProjectBookmark, this)


def lookup_bookmark(actor: Actor, url: str) -> BookmarkOut:
    """The bookmark of this link, compared in normalised form.

    Raises:
        NotFound: the link is not saved.
    """
    found = find_bookmarks(actor, Bookmark.url_hash == url_hash(url))
    if not found:
        raise NotFound("This link is not saved.")
    return found[0]


def read_content(actor: Actor, bookmark_id: int) -> BookmarkContent:
    """What was read from the page.

    Raises:
        NotFound: no such bookmark, or its page has not been captured.
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
    """The nearest bookmarks in meaning, by the cosine of their vectors, archived ones included.

    While one model takes over from another, the vectors are those of the one that has more of the organization's.

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
    found = {one.id: one for one in listed_out(rows)}
    return [(found[id_], score) for id_, score in ranked if id_ in found]


def not_trashed(actor: Actor) -> ColumnElement[bool]:
    """In the actor's organization and outside the trash."""
    return and_(Bookmark.organization_id == actor.organization_id, Bookmark.deleted_at.is_(None))


def filter_conditions(actor: Actor, wanted: BookmarkFilter | ActionFilter) -> Sequence[ColumnElement[bool]]:
    """The filters of a list as conditions on `Bookmark`, the organization included."""
    found = [Bookmark.organization_id == actor.organization_id]
    found.append(Bookmark.deleted_at.is_not(None) if wanted.deleted else Bookmark.deleted_at.is_(None))
    query, languages = resolve_query(actor.organization_id, parse(wanted.q or ""))
    check_filters(wanted, query)
    found.extend(_flags(wanted, lift_archived=mentions_archived(query)))
    if wanted.untagged is not None:
        found.append(Bookmark.is_tagged.is_(not wanted.untagged))
    if wanted.project_id is not None:
        found.append(in_project(actor.organization_id, wanted.project_id))
    if wanted.domain is not None:
        found.append(on_site(parse_site(wanted.domain) or Site(wanted.domain)))
    found.extend(query_conditions(actor.organization_id, query, languages, wanted.tag))
    return found


def check_filters(wanted: BookmarkFilter | ActionFilter, query: Query) -> None:
    """Pass if the filters are not too many, those of the query and of the list together, repetitions aside.

    Raises:
        Invalid: they are.
    """
    asked = {(unit.key, unit.negated) for unit in query.units if isinstance(unit, Filter)}
    asked |= {(Filter("tag", name).key, False) for name in wanted.tag}
    if len(asked) > MAX_FILTERS:
        where = "body.filter" if isinstance(wanted, ActionFilter) else "query"
        message = f"A query has at most {MAX_FILTERS} filters; these are {len(asked)}."
        raise Invalid.field(f"{where}.q" if wanted.q else f"{where}.tag", message, "too_many_filters")


def _flags(wanted: BookmarkFilter | ActionFilter, *, lift_archived: bool) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.is_read is not None:
        found.append(Bookmark.is_read.is_(wanted.is_read))
    if wanted.is_favorite is not None:
        found.append(Bookmark.is_favorite.is_(wanted.is_favorite))
    archived = _archived(wanted, lifted=lift_archived)
    if archived is not None:
        found.append(Bookmark.is_archived.is_(archived))
    if wanted.capture_status is not None:
        found.append(Bookmark.capture_status == wanted.capture_status)
    if wanted.created_after is not None:
        found.append(Bookmark.created_at > wanted.created_after)
    if wanted.created_before is not None:
        found.append(Bookmark.created_at < wanted.created_before)
    return found


def _archived(wanted: BookmarkFilter | ActionFilter, *, lifted: bool = False) -> bool | None:
    """What the filter means by `is_archived`; None for any."""
    if wanted.is_archived is None:
        return None if wanted.deleted or lifted else False
    return None if wanted.is_archived == "any" else wanted.is_archived == "true"
