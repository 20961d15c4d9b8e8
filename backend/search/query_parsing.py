"""First step of a search: parse the query string, and resolve it against the organization's languages and tags."""

from __future__ import annotations

from dataclasses import dataclass

from backend.actor import Actor
from backend.bookmarks.document_conditions import Languages, resolve_query
from backend.bookmarks.list_filters import check_filters
from backend.search.exact_matches import NO_NAMES, Names, as_address, names_in
from backend.search.schemas import SearchQuery
from backend.text.query_language import Phrase, Query, QueryClause, Term, parse

# A query of more plain words than this is prose.
PROSE_WORDS = 10


@dataclass(frozen=True)
class ParsedQuery:
    """A parsed query, the languages whose stems its words may have, and the names of bookmarks it may hold."""

    query: Query
    languages: Languages
    names: Names = NO_NAMES


def parse_query(actor: Actor, query: SearchQuery) -> ParsedQuery:
    """Parse the query of a request. One statement, or none; see `understand`.

    Raises:
        Invalid: a filter contradicts the query.
    """
    understood, languages = resolve_query(actor.organization_id, parse(query.q))
    check_filters(query, understood)
    parsed = as_prose(as_address(query.q, understood))
    return ParsedQuery(parsed, languages, names_in(query.q, parsed))


def parse_words(actor: Actor, text: str) -> ParsedQuery:
    """Parse a text without operators; it names no bookmark."""
    return ParsedQuery(*resolve_query(actor.organization_id, Query(tuple(Term(word) for word in text.split()))))


def as_prose(query: Query) -> Query:
    """Return the query, or only its words where it has so many that it is pasted prose.

    In prose quotes and dashes are punctuation, so their words count like all others.
    """
    words = [clause for clause in query.clauses if isinstance(clause, Term) and not clause.negated]
    if len(words) <= PROSE_WORDS:
        return query
    clauses: list[QueryClause] = []
    for clause in query.clauses:
        if isinstance(clause, Term | Phrase):
            clauses += [Term(word) for word in clause.text.split()]
        else:
            clauses.append(clause)
    return Query(tuple(clauses))
