"""What a query requires, as conditions on bookmarks: for lists all of it, for ranked search all but its plain words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import BigInteger, ColumnElement, Text, and_, any_, bindparam, false, func, literal, not_, or_, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY

from backend.bookmarks.membership_conditions import (
    Key,
    LinkTable,
    member_of_all,
    member_of_any,
    member_of_each,
    project_membership,
    tag_membership,
)
from backend.bookmarks.models import Bookmark, BookmarkDocument, SearchLanguage, Tag
from backend.extensions import db
from backend.index.impacts import is_significant
from backend.index.labels import language_label, organization_label, site_label
from backend.text.query_language import Field, Filter, Phrase, Query, QueryClause, Term, Unit, Value, units_of
from backend.text.stemming import language_of
from backend.text.terms import CACHE_SIZE, MAX_CACHED_LENGTH, query_forms, query_terms
from backend.text.tokens import quoted
from backend.text.urls import DEFAULT_PORTS, Site, normalise_domain, parse_site

Languages = Sequence[str | None]
# The lexemes of which one is wanted at a place of the query.
Posting = tuple[str, ...]
# So many matching documents are passed on as a list.
MAX_LISTED = 40_000
# Made once: to make such a statement takes as long as to execute it.
_OF_ORGANIZATION = bindparam("organization_id", type_=BigInteger)
READ_LANGUAGES = select(
    func.set_config("enable_seqscan", "off", True),
    func.array(
        select(SearchLanguage.language)
        .where(SearchLanguage.organization_id == _OF_ORGANIZATION)
        .order_by(SearchLanguage.language)
        .scalar_subquery()
    ),
)
READ_LANGUAGES_AND_TAGS = READ_LANGUAGES.add_columns(
    func.array(
        select(Tag.name_key)
        .where(
            Tag.organization_id == _OF_ORGANIZATION,
            Tag.name_key == any_(bindparam("hashed", type_=ARRAY(Text))),
        )
        .scalar_subquery()
    )
)
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


def query_conditions(
    organization_id: int, query: Query, languages: Languages, tags: Sequence[str] = ()
) -> list[ColumnElement[bool]]:
    """Every clause of the query, and all of these tags, as conditions on Bookmark."""
    if query.clauses and not any(requires_anything(clause, languages) for clause in query.clauses):
        # Nothing that could be looked for: a lone dash.
        return [false()]
    found = requirements(organization_id, query.clauses, languages, tags)
    return [*found.others, *([bookmark_matches(organization_id, found.words)] if found.words else [])]


def requires_anything(clause: QueryClause, languages: Languages) -> bool:
    """Whether any alternative of a clause can be looked for: all but words without letters."""
    return any(isinstance(unit, Filter) or tsquery_of(unit, languages) for unit in units_of(clause))


def requirements(
    organization_id: int, clauses: Sequence[QueryClause], languages: Languages, tags: Sequence[str] = ()
) -> Requirements:
    """What these clauses require together, and all of these tags."""
    words: list[str] = []
    labels: list[str] = []
    others: list[ColumnElement[bool]] = []
    bounded = False
    memberships = _Memberships(organization_id)
    for clause in _distinct((*(Filter("tag", name) for name in tags), *clauses)):
        # What holds no word at all requires nothing.
        asked = [(unit, tsquery_of(unit, languages)) for unit in _distinct(units_of(clause))]
        telling = [(unit, found) for unit, found in asked if found or isinstance(unit, Filter)]
        if not telling or memberships.add([unit for unit, _ in telling]):
            continue
        if isinstance(clause, Filter) and telling[0][1]:
            labels.append(telling[0][1])
        elif all(found for _, found in telling):
            words.append(any_tsquery([found for _, found in telling]))
            bounded = bounded or not any(unit.negated for unit, _ in telling)
        else:
            others.append(or_(*_alternatives(organization_id, telling)))
    labelled = [bookmark_matches(organization_id, " & ".join(labels))] if labels else []
    return Requirements(" & ".join(dict.fromkeys(words)), bounded, (*others, *memberships.conditions(), *labelled))


class _Memberships:
    """The clauses that name nothing but tags, or nothing but projects, gathered."""

    def __init__(self, organization_id: int) -> None:
        self._kinds = _kinds(organization_id)
        self._groups: dict[Field, dict[tuple[Key, ...], None]] = {field: {} for field in self._kinds}
        self._excluded: dict[Field, dict[Key, None]] = {field: {} for field in self._kinds}

    def add(self, units: Sequence[Unit]) -> bool:
        """Take a clause, given by its alternatives; False if it is of another kind."""
        filters = [unit for unit in units if isinstance(unit, Filter) and unit.field in self._kinds]
        if len(filters) < len(units) or len({unit.field for unit in filters}) > 1:
            return False
        field, keys = filters[0].field, tuple(dict.fromkeys(cast(Key, unit.key[1]) for unit in filters))
        if not any(unit.negated for unit in filters):
            self._groups[field][keys] = None
        elif len(filters) == 1:
            self._excluded[field][keys[0]] = None
        else:
            return False
        return True

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """One for all that are required, one for all alternatives, one for all that are excluded."""
        for field, kind in self._kinds.items():
            if required := [keys[0] for keys in self._groups[field] if len(keys) == 1]:
                yield member_of_all(kind, required)
            # What one of them requires anyway need not be asked.
            if groups := [keys for keys in self._groups[field] if len(keys) > 1 and not {*keys} & {*required}]:
                yield member_of_each(kind, groups)
            if self._excluded[field]:
                yield not_(member_of_any(kind, list(self._excluded[field])))


def _kinds(organization_id: int) -> dict[Field, LinkTable]:
    return {"tag": tag_membership(organization_id), "project": project_membership(organization_id)}


def _distinct(parts: Iterable[Any]) -> list[Any]:
    """Without repetitions; tags are the same whatever their case."""
    return list({_identity(part): part for part in reversed(list(parts))}.values())[::-1]


def _identity(part: QueryClause) -> object:
    if isinstance(part, Filter):
        return part.key, part.negated
    return frozenset(map(_identity, units_of(part))) if not isinstance(part, Term | Phrase) else part


def _alternatives(organization_id: int, telling: Sequence[tuple[Unit, str]]) -> Iterator[ColumnElement[bool]]:
    """One of these is enough, as few conditions: first what the row itself tells, then what is looked up elsewhere."""
    filters = [unit for unit, found in telling if isinstance(unit, Filter) and not found]
    kinds = _kinds(organization_id)
    for unit in filters:
        if unit.field not in kinds:
            yield _negated_if(unit, FIELDS[unit.field](unit.value))
    for field, kind in kinds.items():
        named = [unit for unit in filters if unit.field == field]
        if keys := [cast(Key, unit.key[1]) for unit in named if not unit.negated]:
            yield member_of_any(kind, keys)
        # Not this one or not that one is not both.
        if keys := [cast(Key, unit.key[1]) for unit in named if unit.negated]:
            yield not_(member_of_all(kind, keys))
    if words := [found for _, found in telling if found]:
        yield bookmark_matches(organization_id, any_tsquery(words))


def _negated_if(unit: Filter, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return not_(condition) if unit.negated else condition


def bookmark_matches(organization_id: int, words: str) -> ColumnElement[bool]:
    """Bookmarks whose document matches a tsquery."""
    found = select(BookmarkDocument.bookmark_id).where(
        BookmarkDocument.organization_id == organization_id, matches(organization_id, words)
    )
    return Bookmark.id.in_(found.correlate(None))


def matching_bookmarks(organization_id: int, words: str) -> list[int] | None:
    """The bookmarks whose document matches a tsquery; None where there are more than a list should hold.

    One statement that asks the index alone. As a condition of another one PostgreSQL may unpack a document for each
    row that it looks at.
    """
    found = select(BookmarkDocument.bookmark_id).where(
        BookmarkDocument.organization_id == organization_id, matches(organization_id, words)
    )
    ids = db.session.scalars(found.limit(MAX_LISTED + 1)).all()
    return list(ids) if len(ids) <= MAX_LISTED else None


def matches(organization_id: int, words: str) -> ColumnElement[bool]:
    """Documents of the organization that match a tsquery; the label keeps the look-up within the organization."""
    label = quoted(organization_label(organization_id))
    found: ColumnElement[bool] = BookmarkDocument.document.op("@@", is_comparison=True)(
        sql_cast(literal(f"{label} & {words}" if words else label, Text), TSQUERY)
    )
    return found


def tsquery_of(unit: Unit, languages: Languages) -> str:
    """A tsquery for the unit; empty for a word without letters and for what no document tells."""
    if isinstance(unit, Filter):
        found = _label(unit)
    else:
        forms = query_forms(unit.text, languages) if isinstance(unit, Term) else [query_terms(unit.text, languages)]
        found = any_tsquery(
            [
                " <-> ".join(any_lexeme([without_stop_stems(place, languages)]) for place in form)
                for form in forms
                if form
            ]
        )
    return f"!{found}" if found and unit.negated else found


def without_stop_stems(place: Sequence[str], languages: Languages) -> Posting:
    """A place without the stems that are stop words of their language while the word itself is none there: nearly every
    text of that language holds them."""
    is_short = len(place[0]) <= MAX_CACHED_LENGTH
    return (_remembered if is_short else _without_stop_words)(tuple(place), tuple(languages))


def _without_stop_words(place: Posting, languages: tuple[str | None, ...]) -> Posting:
    return (place[0], *(lexeme for lexeme in place[1:] if _is_worth_asking(lexeme, place[0], languages)))


_remembered = lru_cache(maxsize=CACHE_SIZE)(_without_stop_words)


def in_project(organization_id: int, project_id: int) -> ColumnElement[bool]:
    """Bookmarks that are attached to a project of the organization; none, if it is in the trash or never was."""
    return member_of_any(project_membership(organization_id), [project_id])


def on_site(site: Site) -> ColumnElement[bool]:
    """Bookmarks that lie on this very host, on the port if one is meant."""
    is_there = Bookmark.domain == normalise_domain(site.host)
    return is_there if site.port is None else and_(is_there, on_port(site.port))


def on_port(port: int) -> ColumnElement[bool]:
    """Bookmarks whose link leads to a port; the usual ones of http and https are one, as for duplicates."""
    place = r"(\[[^/?#\]]*\]|[^/?#:\[\]]*)"
    named = "(:(80|443)?)?" if port in DEFAULT_PORTS.values() else f":0*{port}"
    return Bookmark.url.regexp_match(f"^https?://{place}{named}([/?#]|$)", flags="i")


def mentions_archived(query: Query) -> bool:
    """Whether the query says itself what is to become of archived bookmarks."""
    return any(isinstance(unit, Filter) and (unit.field, unit.value) == ("is", "archived") for unit in query.units)


def reads_documents(query: Query) -> bool:
    """Whether any part of the query is looked up in documents: words, phrases, what documents are labelled with."""
    return any(not isinstance(unit, Filter) or unit.field in LABELLED for unit in query.units)


def resolve_query(organization_id: int, query: Query) -> tuple[Query, Languages]:
    """The query as it is meant here, `#x` being a word where there is no such tag, and the languages whose stems a word
    of it may have, that of any text among them. One statement, if the query asks documents or has a `#`.

    For the rest of the transaction documents are looked up by their index alone. PostgreSQL takes a long document for a
    short one, since most of it lies out of line, and would unpack all that there are rather than ask the index.
    """
    if not query.hashed and not reads_documents(query):
        return query, [None]
    values = {"organization_id": organization_id, "hashed": list(query.hashed)}
    _, languages, *tags = db.session.execute(READ_LANGUAGES_AND_TAGS if query.hashed else READ_LANGUAGES, values).one()
    return (query.with_tags({*tags[0]}) if tags else query), [None, *languages]


def any_tsquery(found: Sequence[str]) -> str:
    """A tsquery for any of these tsqueries; empty for none."""
    return f"({' | '.join(found)})" if found else ""


def any_lexeme(places: Iterable[Sequence[str]]) -> str:
    """A tsquery for any lexeme of these places."""
    return any_tsquery([quoted(lexeme) for place in places for lexeme in place])


def _is_worth_asking(lexeme: str, word: str, languages: Languages) -> bool:
    stemmed = language_of(lexeme)
    asked = languages if stemmed is None else [stemmed]
    return all(is_significant(lexeme, one) or not is_significant(word, one) for one in asked)


def _label(unit: Filter) -> str:
    if unit.field == "site":
        site = parse_site(str(unit.value))
        # Of a port documents tell nothing.
        return quoted(site_label(normalise_domain(site.host))) if site and site.port is None else ""
    if unit.field == "lang":
        return quoted(language_label(str(unit.value)))
    return ""


def _under_site(value: Value) -> ColumnElement[bool]:
    """On a port of a host, or of one under it."""
    site = cast(Site, parse_site(str(value)))
    host = normalise_domain(site.host)
    is_there = or_(Bookmark.domain == host, Bookmark.domain.endswith(f".{host}", autoescape=True))
    return is_there if site.port is None else and_(is_there, on_port(site.port))


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
FIELDS: dict[Field, Any] = {
    "is": STATES.__getitem__,
    "before": lambda day: Bookmark.created_at < _day(day),
    "after": lambda day: Bookmark.created_at >= _day(day),
    "site": _under_site,
}
