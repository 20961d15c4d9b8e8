"""What a query requires, as conditions on bookmarks: for lists all of it, for ranked search all but its plain words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, literal, not_, or_, select
from sqlalchemy.dialects.postgresql import TSQUERY

from backend.bookmarks.analysis import query_forms, query_terms, quoted
from backend.bookmarks.analysis.stemming import language_of
from backend.bookmarks.fulltext.impacts import is_telling
from backend.bookmarks.fulltext.labels import language_label, organization_label, site_label
from backend.bookmarks.models import Bookmark, BookmarkDocument, BookmarkTag, SearchLanguage, Tag
from backend.bookmarks.schemas import tag_key, trimmed
from backend.bookmarks.syntax import Clause, Filter, Query, Term, Unit, units_of
from backend.bookmarks.urls import normalise_domain
from backend.extensions import db
from backend.projects.models import Project, ProjectBookmark

Languages = Sequence[str | None]
# The lexemes of which one is wanted at a place of the query.
Place = tuple[str, ...]
# Of filters, those that documents tell by a label.
LABELLED = ("site", "lang")


@dataclass(frozen=True)
class Requirements:
    """What a bookmark must fulfil.

    Attributes:
        words: As a tsquery that its document matches, without the organization's label; empty if there is nothing.
        bounded: Whether a document must hold some word for it; if not, all others match.
        others: As conditions on Bookmark.
    """

    words: str
    bounded: bool
    others: tuple[ColumnElement[bool], ...]


def query_conditions(organization_id: int, query: Query) -> list[ColumnElement[bool]]:
    """Every clause of the query as conditions on Bookmark. One statement, if the query asks documents."""
    languages = spoken_languages(organization_id) if asks_documents(query) else [None]
    found = requirements(organization_id, query.clauses, languages)
    if not found.words and not found.others:
        # Nothing that could be looked for: a lone dash.
        return [literal(False)] if query.clauses else []
    return [*found.others, *([holds(organization_id, found.words)] if found.words else [])]


def requirements(organization_id: int, clauses: Sequence[Clause], languages: Languages) -> Requirements:
    """What these clauses require together."""
    words: list[str] = []
    others: list[ColumnElement[bool]] = []
    bounded = False
    for clause in clauses:
        asked = [(unit, tsquery_of(unit, languages)) for unit in units_of(clause)]
        # What holds no word at all requires nothing.
        telling = [(unit, found) for unit, found in asked if found or isinstance(unit, Filter)]
        if not telling:
            continue
        if all(found for _, found in telling) and not isinstance(clause, Filter):
            words.append(any_form([found for _, found in telling]))
            bounded = bounded or not any(unit.negated for unit, _ in telling)
        else:
            others.append(or_(*(_condition(organization_id, unit, found) for unit, found in telling)))
    return Requirements(" & ".join(words), bounded, tuple(others))


def holds(organization_id: int, words: str) -> ColumnElement[bool]:
    """Bookmarks whose document matches a tsquery."""
    found = select(BookmarkDocument.bookmark_id).where(
        BookmarkDocument.organization_id == organization_id, matches(organization_id, words)
    )
    return Bookmark.id.in_(found.correlate(None))


def matches(organization_id: int, words: str) -> ColumnElement[bool]:
    """Documents of the organization that match a tsquery; the label keeps the look-up within the organization."""
    label = quoted(organization_label(organization_id))
    found: ColumnElement[bool] = BookmarkDocument.document.op("@@", is_comparison=True)(
        cast(literal(f"{label} & {words}" if words else label, Text), TSQUERY)
    )
    return found


def tsquery_of(unit: Unit, languages: Languages) -> str:
    """A tsquery for the unit; empty for a word without letters and for what no document tells."""
    if isinstance(unit, Filter):
        found = _label(unit)
    else:
        forms = query_forms(unit.text, languages) if isinstance(unit, Term) else [query_terms(unit.text, languages)]
        found = any_form([" <-> ".join(any_of([meant(place, languages)]) for place in form) for form in forms if form])
    return f"!{found}" if found and unit.negated else found


def meant(place: Sequence[str], languages: Languages) -> Place:
    """A place without the stems that are stop words of their language while the word itself is none there: nearly every
    text of that language holds them."""
    return (place[0], *(lexeme for lexeme in place[1:] if _is_worth_asking(lexeme, place[0], languages)))


def has_tag(organization_id: int, name: str) -> ColumnElement[bool]:
    """Bookmarks with a tag, whatever its case."""
    carried = (
        select(BookmarkTag.bookmark_id)
        .join(Tag, Tag.id == BookmarkTag.tag_id)
        .where(BookmarkTag.bookmark_id == Bookmark.id, Tag.organization_id == organization_id)
        .where(Tag.name_key == tag_key(trimmed(name)))
    )
    return carried.correlate(Bookmark).exists()


def in_project(organization_id: int, project_id: int) -> ColumnElement[bool]:
    """Bookmarks that are attached to a project of the organization; none, if it is in the trash or never was."""
    attached = (
        select(ProjectBookmark.bookmark_id)
        .join(Project, Project.id == ProjectBookmark.project_id)
        .where(ProjectBookmark.bookmark_id == Bookmark.id, ProjectBookmark.project_id == project_id)
        .where(Project.organization_id == organization_id, Project.deleted_at.is_(None))
    )
    return attached.correlate(Bookmark).exists()


def mentions_archived(query: Query) -> bool:
    """Whether the query says itself what is to become of archived bookmarks."""
    return any(isinstance(unit, Filter) and (unit.field, unit.value) == ("is", "archived") for unit in query.units)


def asks_documents(query: Query) -> bool:
    """Whether any part of the query is looked up in documents: words, phrases, what documents are labelled with."""
    return any(not isinstance(unit, Filter) or unit.field in LABELLED for unit in query.units)


def spoken_languages(organization_id: int) -> list[str | None]:
    """The languages whose stems a word of a query may have here, that of any text among them. One statement.

    For the rest of the transaction documents are looked up by their index alone. PostgreSQL takes a long document for a
    short one, since most of it lies out of line, and would unpack all that there are rather than ask the index.
    """
    spoken = select(SearchLanguage.language).where(SearchLanguage.organization_id == organization_id)
    by_index = func.set_config("enable_seqscan", "off", True)
    row = db.session.execute(select(by_index, func.array(spoken.order_by("language").scalar_subquery()))).one()
    return [None, *row[1]]


def any_form(found: Sequence[str]) -> str:
    """A tsquery for any of these tsqueries; empty for none."""
    return f"({' | '.join(found)})" if found else ""


def any_of(places: Iterable[Sequence[str]]) -> str:
    """A tsquery for any lexeme of these places."""
    return any_form([quoted(lexeme) for place in places for lexeme in place])


def _is_worth_asking(lexeme: str, word: str, languages: Languages) -> bool:
    stemmed = language_of(lexeme)
    asked = languages if stemmed is None else [stemmed]
    return all(is_telling(lexeme, one) or not is_telling(word, one) for one in asked)


def _label(unit: Filter) -> str:
    if unit.field == "site":
        return quoted(site_label(normalise_domain(str(unit.value))))
    if unit.field == "lang":
        return quoted(language_label(str(unit.value)))
    return ""


def _condition(organization_id: int, unit: Unit, words: str) -> ColumnElement[bool]:
    if words:
        return holds(organization_id, words)
    assert isinstance(unit, Filter)
    found: ColumnElement[bool] = FIELDS[unit.field](organization_id, unit.value)
    return not_(found) if unit.negated else found


def _day(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


STATES: dict[str, ColumnElement[bool]] = {
    "unread": Bookmark.is_read.is_(False),
    "read": Bookmark.is_read.is_(True),
    "favorite": Bookmark.is_favorite.is_(True),
    "archived": Bookmark.is_archived.is_(True),
    "untagged": Bookmark.is_tagged.is_(False),
    "broken": Bookmark.capture_status == "failed",
}
FIELDS: dict[str, Any] = {
    "tag": has_tag,
    "is": lambda organization_id, state: STATES[state],
    "project": in_project,
    "before": lambda organization_id, day: Bookmark.created_at < _day(day),
    "after": lambda organization_id, day: Bookmark.created_at >= _day(day),
}
