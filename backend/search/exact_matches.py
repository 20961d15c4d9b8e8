"""Bookmarks that a query names outright: by the address of the link, by the title, or by how the title begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    LargeBinary,
    Row,
    any_,
    column,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from backend.bookmarks.document_conditions import matches
from backend.bookmarks.models import Bookmark, BookmarkDocument
from backend.bookmarks.provenance import title_key
from backend.text.normalisation import normalize
from backend.text.query_language import Filter, Query, Term, units_of
from backend.text.urls import url_error, url_hash

# What is named comes in this order, before everything else.
SAME_LINK, SAME_TITLE, TITLE_BEGINS, NOT_NAMED = range(4)
# So many bookmarks of one title are named by it, and so many by how their titles begin: where more begin so, as with a
# common word, that tells none of them from the others.
MOST_NAMED = 100
# Of a text that was pasted, so many addresses are looked up.
MOST_ADDRESSES = 5
SCHEMES = ("http://", "https://")
# What people and programs put around an address.
AROUND_ADDRESSES = "<>\"'“”„‟‘’«»"
HIGHEST = "\U0010ffff"
LIVE = "SELECT id FROM bookmarks WHERE organization_id = :organization_id AND deleted_at IS NULL"
CONDITIONS = {
    "links": "url_hash = ANY(:links)",
    "titles": f"title_key = ANY(:titles) LIMIT {MOST_NAMED}",
    "beginnings": f"title_key ~>=~ :least AND title_key ~<~ :above LIMIT {MOST_NAMED + 1}",
}


@dataclass(frozen=True)
class Names:
    """What a query may be the name of.

    Attributes:
        links: Hashes of the addresses in it.
        titles: The whole of it as a `title_key`, in each form in which a title may be stored.
        beginning: What a title may begin with, as a `title_key`; empty for nothing.
    """

    links: tuple[bytes, ...] = ()
    titles: tuple[str, ...] = ()
    beginning: str = ""


NO_NAMES = Names()


def names_in(text: str, query: Query) -> Names:
    """What may be named by a query.

    Args:
        text: As typed or pasted.
        query: What was read from it. Of its filters nothing is part of a title.
    """
    if not query.text:
        return Names()
    plain = "" if query.alternatives else query.text
    titles = dict.fromkeys(title_key(form) for one in (plain, text) for form in _forms(one))
    hashes = dict.fromkeys(map(url_hash, _addresses(text, query)))
    return Names(tuple(hashes), tuple(titles), title_key(normalize("NFC", plain)))


def as_address(text: str, query: Query) -> Query:
    """The query; if it is nothing but an address, its words: in an address quotes and dashes are no operators."""
    if len(text.split()) != 1 or not _has_scheme(text.strip().strip(AROUND_ADDRESSES)):
        return query
    units = (unit for clause in query.clauses for unit in units_of(clause))
    texts = (unit.written if isinstance(unit, Filter) else unit.text for unit in units)
    return Query(tuple(Term(word) for one in texts for word in one.split()))


def same_links(links: Sequence[bytes]) -> ColumnElement[bool]:
    """Bookmarks of these links, by the hashes of their addresses."""
    return Bookmark.url_hash == any_(literal(list(links), ARRAY(LargeBinary)))


def name_columns(names: Names) -> str:
    """Columns, each after a comma, of the bookmarks outside the trash that a query may name: part of a statement that
    is sent anyway, for which `name_values` are the values."""
    kinds = {"links": names.links, "titles": names.titles, "beginnings": names.beginning}
    return "".join(f", ARRAY({LIVE} AND {CONDITIONS[kind]}) AS {kind}" for kind, asked in kinds.items() if asked)


def name_values(names: Names) -> dict[str, Any]:
    """The values of `name_columns`."""
    values = {
        "links": list(names.links),
        "titles": list(names.titles),
        "least": names.beginning,
        "above": names.beginning + HIGHEST,
    }
    kinds = {"links": names.links, "titles": names.titles, "least": names.beginning, "above": names.beginning}
    return {name: value for name, value in values.items() if kinds[name]}


def read_tiers(row: Row[Any]) -> dict[int, int]:
    """The tiers of what was found in `name_columns`, by the bookmark's id; how a title begins tells only where few do.

    In the last tier are those that must hold the words of the query as well.
    """
    found = row._mapping
    beginnings = found.get("beginnings", ())
    tiers = dict.fromkeys(beginnings if len(beginnings) <= MOST_NAMED else (), TITLE_BEGINS)
    tiers |= dict.fromkeys(found.get("titles", ()), SAME_TITLE)
    return tiers | dict.fromkeys(found.get("links", ()), SAME_LINK)


def named_bookmarks(organization_id: int, tiers: Mapping[int, int], words: str, required: str) -> CTE | None:
    """The bookmarks that are named, as `id` and `tier`; None if there are none.

    Args:
        organization_id: Whose bookmarks.
        tiers: Those that may be named, as `read_tiers` tells.
        words: A tsquery for the words of the query: a title that begins so must hold them as words.
        required: A tsquery that all of them must match; empty for none.
    """
    known = {id_: tier for id_, tier in tiers.items() if tier < TITLE_BEGINS or words}
    if not known:
        return None
    arrays = literal(list(known), ARRAY(BigInteger)), literal(list(known.values()), ARRAY(Integer))
    found = func.unnest(*arrays).table_valued(column("id", BigInteger), column("tier", Integer))
    given = found.render_derived("given")
    named = select(given.c.id, given.c.tier)
    if TITLE_BEGINS in known.values():
        holds_words = _document_matches(organization_id, given.c.id, words)
        named = named.where(or_(given.c.tier < TITLE_BEGINS, holds_words))
    if required:
        named = named.where(_document_matches(organization_id, given.c.id, required))
    return named.cte("named")


def _document_matches(organization_id: int, bookmark_id: ColumnElement[int], words: str) -> ColumnElement[bool]:
    # A single value, looked up by its key: a join might look for all documents that hold the words.
    own = select(matches(organization_id, words)).where(BookmarkDocument.bookmark_id == bookmark_id)
    return own.correlate_except(BookmarkDocument).scalar_subquery()


def _forms(text: str) -> Iterator[str]:
    """A text as it may be stored as a title: with its blanks or with single ones, composed or not."""
    for one in (text.strip(), " ".join(text.split())):
        if one:
            yield from (one, normalize("NFC", one), normalize("NFD", one))


def _addresses(text: str, query: Query) -> Iterator[str]:
    """The addresses that a text holds; the whole of it is one even without a scheme."""
    whole = text.strip().strip(AROUND_ADDRESSES)
    parts = [part.strip(AROUND_ADDRESSES) for part in text.split()]
    found = [part for part in parts if _has_scheme(part)][:MOST_ADDRESSES]
    if _has_scheme(whole):
        found.append(whole)
    elif len(parts) == 1 or len(query.words) == 1:
        bare = (whole if len(parts) == 1 else query.words[0]).lstrip("/")
        # A word alone is no address. The usual port depends on the scheme.
        found += [f"{scheme}{bare}" for scheme in SCHEMES if not bare.isalnum()]
    yield from (one for one in found if url_error(one) is None)


def _has_scheme(text: str) -> bool:
    return text.lower().startswith(SCHEMES)
