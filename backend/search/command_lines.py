"""Command lines in queries: in `set -eu` the dash begins an option, although it reads as an exclusion.

Where excluding leaves nothing, the words are searched for as they stand. A query without such a word costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, func, or_, select

from backend.bookmarks.models import Bookmark, BookmarkContent
from backend.search.candidates import WINDOW, Candidates, find_by_words
from backend.search.schemas import Expansion
from backend.search.search_plan import SearchPlan
from backend.text.query_language import Phrase, Query, QueryClause, Term

OWN_TEXTS = func.concat_ws("\n", Bookmark.title, Bookmark.description, Bookmark.notes)


@dataclass(frozen=True)
class CommandLine:
    """A query whose excluded words are options: each word with the options behind it is a phrase."""

    query: Query
    phrases: tuple[Phrase, ...]

    @property
    def expansions(self) -> list[Expansion]:
        """What became of the excluded words."""
        return [
            Expansion(word=option, to=[phrase.text], how="option")
            for phrase in self.phrases
            for option in phrase.text.split()[1:]
        ]


def command_line(query: Query) -> CommandLine | None:
    """Read a query as a command line; None unless an excluded word follows a word."""
    clauses: list[QueryClause] = []
    phrases: list[Phrase] = []
    for clause in query.clauses:
        last = clauses[-1] if clauses else None
        if isinstance(clause, Term) and clause.negated and (command := _command(last, phrases)):
            phrase = clauses[-1] = Phrase(f"{command} {clause}")
            phrases = [*(other for other in phrases if other is not last), phrase]
        else:
            clauses.append(clause)
    return CommandLine(Query(tuple(clauses)), tuple(phrases)) if phrases else None


def is_nothing(candidates: Candidates) -> bool:
    """Tell whether the words of a query found nothing."""
    return candidates.by_words is not None and not candidates.by_words.ranked


def find_command_line(plan: SearchPlan, line: CommandLine) -> Candidates:
    """Retrieve the bookmarks in whose texts the phrases of a command line stand literally; `plan` is of its query."""
    literal = replace(plan, where=[*plan.where, *(_stands(phrase.text) for phrase in line.phrases)])
    return Candidates(find_by_words(literal, WINDOW), None, degraded=False)


def _command(last: QueryClause | None, phrases: Sequence[Phrase]) -> str | None:
    """Return the text before an option: a word, or one with its first options."""
    is_word = isinstance(last, Term) and not last.negated
    return last.text if isinstance(last, Term | Phrase) and (is_word or last in phrases) else None


def _stands(text: str) -> ColumnElement[bool]:
    """Build the condition that a text of the bookmark or its page contains this, whatever the case."""
    lowered = text.lower()
    page = select(BookmarkContent.bookmark_id).where(
        BookmarkContent.bookmark_id == Bookmark.id, func.strpos(func.lower(BookmarkContent.text), lowered) > 0
    )
    return or_(func.strpos(func.lower(OWN_TEXTS), lowered) > 0, page.correlate(Bookmark).exists())
