"""Second step of a search: the plan, which holds what both retrieval methods need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement

from backend.actor import Actor
from backend.bookmarks.document_conditions import bookmark_matches
from backend.bookmarks.list_filters import filter_conditions
from backend.bookmarks.query_conditions import mentions_archived, requirements
from backend.bookmarks.schemas import BookmarkFilter
from backend.search.exact_matches import Names
from backend.search.query_parsing import ParsedQuery
from backend.search.query_plan import plan_words
from backend.search.ranking import WordSearch
from backend.search.schemas import SearchMode, SearchQuery
from backend.text.query_language import Query, Term

FILTERS = BookmarkFilter.model_fields.keys() - {"q"}


@dataclass(frozen=True)
class SearchPlan:
    """Plan of a search.

    Attributes:
        actor: Whose organization is searched.
        mode: By words, by meaning, or hybrid.
        query: The parsed query.
        words: Retrieval by words.
        where: All conditions on Bookmark, except those on words.
        is_filtered: Whether they exclude more than the trash and the archive.
        names: Names of bookmarks that the query may hold.
    """

    actor: Actor
    mode: SearchMode
    query: Query
    words: WordSearch
    where: Sequence[ColumnElement[bool]]
    is_filtered: bool
    names: Names

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        words = self.words.required.words
        return [*self.where, bookmark_matches(self.actor.organization_id, words)] if words else [*self.where]


def plan_search(actor: Actor, query: SearchQuery, parsed: ParsedQuery) -> SearchPlan:
    """Plan a search: words rank, all other clauses and filters become conditions."""
    strict = [clause for clause in parsed.query.clauses if not isinstance(clause, Term) or clause.negated]
    required = requirements(actor.organization_id, strict, parsed.languages, query.tag)
    lifted = {"is_archived": "any"} if query.is_archived is None and mentions_archived(parsed.query) else {}
    filters = query.model_copy(update={"q": None, "tag": [], **lifted})
    words = WordSearch(actor.organization_id, plan_words(parsed.query, parsed.languages), required, names=parsed.names)
    return SearchPlan(
        actor,
        query.mode,
        parsed.query,
        words,
        [*filter_conditions(actor, filters), *required.others],
        bool(required.others) or filters.model_dump(include={*FILTERS}, exclude_defaults=True) != {},
        parsed.names,
    )
