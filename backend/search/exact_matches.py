"""Exact matches: bookmarks that a query names by URL, by title, or by the beginning of a title."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Float,
    Integer,
    LargeBinary,
    Row,
    any_,
    column,
    literal,
)
from sqlalchemy.dialects.postgresql import ARRAY

from backend.bookmarks.document_conditions import in_organization
from backend.bookmarks.models import Bookmark
from backend.search.text_select import OWN_DOCUMENT, SCORE, holds, text_select
from backend.text.normalisation import normalize
from backend.text.query_language import Filter, Query, Term, units_of
from backend.text.sort_keys import sort_key
from backend.text.urls import url_error, url_hash

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
LIVE = "SELECT id FROM bookmarks WHERE organization_id = :organization_id AND deleted_at IS NULL"
CONDITIONS = {
    "links": "url_hash = ANY(:links)",
    "titles": f"title_key = ANY(:titles) LIMIT {MOST_NAMED}",
    "beginnings": f"title_key ~>=~ :least AND title_key ~<~ :above LIMIT {MOST_NAMED + 1}",
}
# Whether a document matches is a column, no condition: PostgreSQL might look for all documents with the words. One that
# is not written yet scores 0.
NAMED = f"""
    SELECT given.id, given.tier, coalesce(document.score, 0) AS score
      FROM unnest(CAST(:ids AS bigint[]), CAST(:tiers AS integer[])) AS given(id, tier)
      LEFT JOIN LATERAL (
           SELECT {SCORE}, {holds("words")} AS is_match, {{is_required}} AS is_required
             FROM bookmark_documents d WHERE d.bookmark_id = given.id AND {OWN_DOCUMENT}) AS document ON true
     WHERE (given.tier < {TITLE_BEGINS} OR document.is_match) AND {{condition}}
"""  # nosec B608
ANY, REQUIRED = (
    NAMED.format(is_required="true", condition="true"),
    NAMED.format(is_required=holds("required"), condition="document.is_required"),
)


@dataclass(frozen=True)
class Names:
    """Names of bookmarks that a query may hold.

    Attributes:
        links: Hashes of its URLs.
        titles: The whole query as a sort key, in each form in which a title may be stored.
        beginning: Beginning of a title as a sort key, or empty.
    """

    links: tuple[bytes, ...] = ()
    titles: tuple[str, ...] = ()
    beginning: str = ""


NO_NAMES = Names()


def names_in(text: str, query: Query) -> Names:
    """Extract the names that a query may hold.

    Args:
        text: As typed or pasted.
        query: The parsed query. Its filters are no part of a title.
    """
    if not query.text:
        return Names()
    plain = "" if query.alternatives else query.text
    titles = dict.fromkeys(sort_key(form) for source in (plain, text) for form in _forms(source))
    hashes = dict.fromkeys(map(url_hash, _addresses(text, query)))
    return Names(tuple(hashes), tuple(titles), sort_key(normalize("NFC", plain)))


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


def name_columns(names: Names) -> str:
    """Build columns, each after a comma, for the bookmarks outside the trash that have these names. They are part of a
    statement that is sent anyway, with `name_values` as parameters."""
    kinds = {"links": names.links, "titles": names.titles, "beginnings": names.beginning}
    return "".join(f", ARRAY({LIVE} AND {CONDITIONS[kind]}) AS {kind}" for kind, given in kinds.items() if given)


def name_values(names: Names) -> dict[str, Any]:
    """Return the parameters of `name_columns`."""
    values: dict[str, Any] = {}
    if names.links:
        values["links"] = list(names.links)
    if names.titles:
        values["titles"] = list(names.titles)
    if names.beginning:
        values |= {"least": names.beginning, "above": names.beginning + HIGHEST}
    return values


def read_tiers(row: Row[Any]) -> dict[int, int]:
    """Return the tiers of the bookmarks in `name_columns` by id; a beginning of too many titles names none.

    Bookmarks in the tier of beginnings must match the words of the query as well; see `named_bookmarks`.
    """
    found = row._mapping
    beginnings = found.get("beginnings", ())
    tiers = dict.fromkeys(beginnings if len(beginnings) <= MOST_NAMED else (), TITLE_BEGINS)
    tiers |= dict.fromkeys(found.get("titles", ()), SAME_TITLE)
    return tiers | dict.fromkeys(found.get("links", ()), SAME_LINK)


def named_bookmarks(
    organization_id: int, tiers: Mapping[int, int], words: str, required: str, weights: str
) -> CTE | None:
    """Select the named bookmarks as `id`, `tier` and `score`; None without any.

    Args:
        organization_id: The organization.
        tiers: The bookmarks that the query may name; see `read_tiers`.
        words: A tsquery for the words of the query, which a bookmark must match to be named by a beginning.
        required: A tsquery that all must match, or empty.
        weights: The weights of the words as a sparse vector, for the score.
    """
    known = {id_: tier for id_, tier in tiers.items() if tier < TITLE_BEGINS or words}
    if not known:
        return None
    values: dict[str, object] = {"ids": list(known), "tiers": list(known.values()), "organization_id": organization_id}
    values |= {"words": in_organization(organization_id, words), "weights": weights}
    if required:
        values["required"] = in_organization(organization_id, required)
    columns = column("id", BigInteger), column("tier", Integer), column("score", Float)
    return text_select(REQUIRED if required else ANY, values, *columns).cte("named")


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
    yield from (url for url in urls if url_error(url) is None)


def _has_scheme(text: str) -> bool:
    return text.lower().startswith(SCHEMES)
