"""Conditions on search documents: tsqueries of query units, and look-ups of matching documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from sqlalchemy import BigInteger, ColumnElement, Text, and_, any_, bindparam, func, literal, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY

from backend.bookmarks.models import Bookmark, BookmarkDocument, Tag
from backend.extensions import db
from backend.index.impacts import is_significant
from backend.index.labels import language_label, organization_label, site_label
from backend.index.models import SearchLanguage
from backend.text.query_language import Filter, Query, Term, Unit
from backend.text.stemming import language_of
from backend.text.terms import CACHE_SIZE, MAX_CACHED_LENGTH, query_forms, query_terms
from backend.text.tokens import quoted
from backend.text.urls import normalise_domain, parse_site

Languages = Sequence[str | None]
# Alternative lexemes at one position of the query.
Posting = tuple[str, ...]
# Up to this number, matching documents are returned as a list.
MAX_LISTED = 40_000
# Filters that search documents answer by a label.
LABELLED = ("site", "lang")
# Built once: building the statement takes as long as executing it.
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


def resolve_query(organization_id: int, query: Query) -> tuple[Query, Languages]:
    """Resolve `#x` to a tag or a word, and return with the query the languages whose stems its words may have, None
    among them. One statement, if the query reads documents or has a `#`.

    For the rest of the transaction documents are looked up by their index alone. PostgreSQL estimates the cost of a
    document by its inline size, although most of it is TOASTed, and would decompress all documents rather than scan the
    index.
    """
    if not query.hashed and not reads_documents(query):
        return query, [None]
    values = {"organization_id": organization_id, "hashed": list(query.hashed)}
    _, languages, *tags = db.session.execute(READ_LANGUAGES_AND_TAGS if query.hashed else READ_LANGUAGES, values).one()
    return (query.with_tags({*tags[0]}) if tags else query), [None, *languages]


def reads_documents(query: Query) -> bool:
    """Tell whether any unit of the query is looked up in search documents: words, phrases, labels."""
    return any(not isinstance(unit, Filter) or unit.field in LABELLED for unit in query.units)


def bookmark_matches(organization_id: int, words: str) -> ColumnElement[bool]:
    """Build a condition for bookmarks whose document matches a tsquery."""
    matching = select(BookmarkDocument.bookmark_id).where(matches(organization_id, words))
    return Bookmark.id.in_(matching.correlate(None))


def matching_bookmarks(organization_id: int, words: str) -> list[int] | None:
    """Return the ids of the bookmarks whose document matches a tsquery; None where there are more than `MAX_LISTED`.

    One statement that reads the index alone. As a condition of a larger statement, PostgreSQL may decompress the
    document of each row that it visits.
    """
    matching = select(BookmarkDocument.bookmark_id).where(matches(organization_id, words))
    ids = db.session.scalars(matching.limit(MAX_LISTED + 1)).all()
    return list(ids) if len(ids) <= MAX_LISTED else None


def matches(organization_id: int, words: str) -> ColumnElement[bool]:
    """Build a condition for the organization's documents that match a tsquery; its label restricts the index scan to
    them."""
    condition: ColumnElement[bool] = BookmarkDocument.document.op("@@", is_comparison=True)(
        sql_cast(literal(in_organization(organization_id, words), Text), TSQUERY)
    )
    # IS TRUE, which no index answers: along one on the organization PostgreSQL would decompress all of its documents.
    return and_((BookmarkDocument.organization_id == organization_id).is_(True), condition)


def in_organization(organization_id: int, *words: str) -> str:
    """Build a tsquery for documents of the organization that match all of these tsqueries; any of them may be empty."""
    return " & ".join(filter(None, (quoted(organization_label(organization_id)), *words)))


def tsquery_of(unit: Unit, languages: Languages) -> str:
    """Build a tsquery for the unit; empty for a word without letters and for filters without a label."""
    if isinstance(unit, Filter):
        tsquery = _label(unit)
    else:
        forms = query_forms(unit.text, languages) if isinstance(unit, Term) else [query_terms(unit.text, languages)]
        tsquery = any_tsquery(
            [
                " <-> ".join(any_lexeme([without_stop_stems(posting, languages)]) for posting in form)
                for form in forms
                if form
            ]
        )
    return f"!{tsquery}" if tsquery and unit.negated else tsquery


def any_tsquery(tsqueries: Sequence[str]) -> str:
    """Build a tsquery for any of these tsqueries; empty for none."""
    return f"({' | '.join(tsqueries)})" if tsqueries else ""


def any_lexeme(postings: Iterable[Sequence[str]]) -> str:
    """Build a tsquery for any lexeme of these postings."""
    return any_tsquery([quoted(lexeme) for posting in postings for lexeme in posting])


def without_stop_stems(posting: Sequence[str], languages: Languages) -> Posting:
    """Return a posting without the stems that are stop words of their language while the word itself is not: nearly
    every text of that language contains them."""
    is_short = len(posting[0]) <= MAX_CACHED_LENGTH
    return (_cached if is_short else _without_stop_stems)(tuple(posting), tuple(languages))


def _without_stop_stems(posting: Posting, languages: tuple[str | None, ...]) -> Posting:
    return (posting[0], *(lexeme for lexeme in posting[1:] if _is_selective(lexeme, posting[0], languages)))


_cached = lru_cache(maxsize=CACHE_SIZE)(_without_stop_stems)


def _is_selective(lexeme: str, word: str, languages: Languages) -> bool:
    stem_language = language_of(lexeme)
    checked = languages if stem_language is None else [stem_language]
    return all(is_significant(lexeme, language) or not is_significant(word, language) for language in checked)


def _label(unit: Filter) -> str:
    if unit.field == "site":
        site = parse_site(str(unit.value))
        # Labels have no port.
        return quoted(site_label(normalise_domain(site.host))) if site and site.port is None else ""
    if unit.field == "lang":
        return quoted(language_label(str(unit.value)))
    return ""
