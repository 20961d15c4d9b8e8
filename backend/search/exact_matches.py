"""Exact matches: bookmarks that a query names by URL, by title, or by the beginning of a title."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    LargeBinary,
    Select,
    Text,
    and_,
    any_,
    func,
    literal,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute

from backend.bookmarks.models import Bookmark, BookmarkDocument
from backend.bookmarks.provenance import title_key
from backend.bookmarks.query_conditions import matches
from backend.text.normalisation import normalize
from backend.text.query_language import Filter, Query, Term, units_of
from backend.text.urls import url_fault, url_hash

# Tiers, in the order of ranking.
SAME_LINK, SAME_TITLE, TITLE_BEGINS, NOT_NAMED = range(4)
# Limits of bookmarks named by a title and by a beginning: a beginning of more titles, such as a common word, names
# none.
MOST_NAMED = 100
# Limit of URLs in pasted text.
MOST_ADDRESSES = 5
SCHEMES = ("http://", "https://")
# Characters that people and programs put around a URL.
AROUND_ADDRESSES = "<>\"'“”„‟‘’«»"
HIGHEST = "\U0010ffff"


@dataclass(frozen=True)
class Names:
    """Names of bookmarks that a query may hold.

    Attributes:
        links: Hashes of its URLs.
        titles: The whole query as a `title_key`, in each form in which a title may be stored.
        beginning: Beginning of a title as a `title_key`, or empty.
    """

    links: tuple[bytes, ...] = ()
    titles: tuple[str, ...] = ()
    beginning: str = ""


def names_in(text: str, query: Query) -> Names:
    """Extract the names that a query may hold.

    Args:
        text: As typed or pasted.
        query: The parsed query. Its filters are no part of a title.
    """
    if not query.text:
        return Names()
    plain = "" if query.alternatives else query.text
    titles = dict.fromkeys(title_key(form) for source in (plain, text) for form in _forms(source))
    hashes = dict.fromkeys(map(url_hash, _addresses(text, query)))
    return Names(tuple(hashes), tuple(titles), title_key(normalize("NFC", plain)))


def as_address(text: str, query: Query) -> Query:
    """Return the query, or only its words if it is a single URL, in which quotes and dashes are no operators."""
    if len(text.split()) != 1 or not _has_scheme(text.strip().strip(AROUND_ADDRESSES)):
        return query
    units = (unit for clause in query.clauses for unit in units_of(clause))
    texts = (unit.written if isinstance(unit, Filter) else unit.text for unit in units)
    return Query(tuple(Term(word) for unit_text in texts for word in unit_text.split()))


def same_links(links: Sequence[bytes]) -> ColumnElement[bool]:
    """Match bookmarks by the hashes of their URLs."""
    return Bookmark.url_hash == any_(literal(list(links), ARRAY(LargeBinary)))


def named_bookmarks(organization_id: int, names: Names, words: str, required: str) -> CTE | None:
    """Select the named bookmarks outside the trash as `id` and `tier`; None without names.

    Args:
        organization_id: The organization.
        names: The names in the query.
        words: A tsquery for the words of the query, which a bookmark must match to be named by a beginning.
        required: A tsquery that all must match, or empty.
    """
    live = and_(Bookmark.organization_id == organization_id, Bookmark.deleted_at.is_(None))
    parts: list[Select[int, int]] = []
    if names.links:
        parts.append(_in_tier(SAME_LINK, Bookmark.id).where(live, same_links(names.links)))
    if names.titles:
        is_same = Bookmark.title_key == any_(literal(list(names.titles), ARRAY(Text)))
        parts.append(_in_tier(SAME_TITLE, Bookmark.id).where(live, is_same).limit(MOST_NAMED))
    if names.beginning and words:
        begin = select(Bookmark.id).where(live, _begins(names.beginning)).limit(MOST_NAMED + 1).cte("begin")
        are_few = select(func.count()).select_from(begin).scalar_subquery() <= MOST_NAMED
        holds_words = _document_matches(organization_id, begin.c.id, words)
        parts.append(_in_tier(TITLE_BEGINS, begin.c.id).where(are_few, holds_words))
    if not parts:
        return None
    tiers = union_all(*(part.subquery().select() for part in parts)).subquery()
    named = select(tiers.c.id, func.min(tiers.c.tier).label("tier")).group_by(tiers.c.id)
    if required:
        named = named.where(_document_matches(organization_id, tiers.c.id, required))
    return named.cte("named")


def _in_tier(tier: int, ids: ColumnElement[int] | InstrumentedAttribute[int]) -> Select[int, int]:
    return select(ids, literal_column(str(tier), Integer).label("tier"))


def _begins(beginning: str) -> ColumnElement[bool]:
    low = Bookmark.title_key.op("~>=~", is_comparison=True)(beginning)
    return and_(low, Bookmark.title_key.op("~<~", is_comparison=True)(beginning + HIGHEST))


def _document_matches(organization_id: int, bookmark_id: ColumnElement[int], words: str) -> ColumnElement[bool]:
    # A scalar subquery by key: a join might search all documents with the words.
    own = select(matches(organization_id, words)).where(BookmarkDocument.bookmark_id == bookmark_id)
    return own.correlate_except(BookmarkDocument).scalar_subquery()


def _forms(text: str) -> Iterator[str]:
    """Yield the forms of a text as a stored title: original or single spaces, composed or decomposed."""
    for form in (text.strip(), " ".join(text.split())):
        if form:
            yield from (form, normalize("NFC", form), normalize("NFD", form))


def _addresses(text: str, query: Query) -> Iterator[str]:
    """Yield the URLs in a text; the whole of it may be one without a scheme."""
    whole = text.strip().strip(AROUND_ADDRESSES)
    parts = [part.strip(AROUND_ADDRESSES) for part in text.split()]
    urls = [part for part in parts if _has_scheme(part)][:MOST_ADDRESSES]
    if _has_scheme(whole):
        urls.append(whole)
    elif len(parts) == 1 or len(query.words) == 1:
        bare = (whole if len(parts) == 1 else query.words[0]).lstrip("/")
        # A single word is no URL. The default port depends on the scheme.
        urls += [f"{scheme}{bare}" for scheme in SCHEMES if not bare.isalnum()]
    yield from (url for url in urls if url_fault(url) is None)


def _has_scheme(text: str) -> bool:
    return text.lower().startswith(SCHEMES)
