"""Query plan of word search: the weighted words that rank, and the clauses that find candidates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from backend.bookmarks.document_conditions import Languages, Posting, any_lexeme, any_tsquery, without_stop_stems
from backend.index.impacts import is_significant
from backend.text.query_language import Query, Term
from backend.text.terms import query_forms, query_terms
from backend.text.tokens import TEXT

# Up to this number of words, bookmarks that hold them all rank first.
COMPLETE_WORDS = 4


@dataclass(frozen=True)
class Clause:
    """A clause that finds candidates: a word with all its parts, or two characters of a text without spaces.

    Attributes:
        words: As a tsquery.
        postings: The postings of its parts, of which a candidate holds all or another form of the word.
    """

    words: str
    postings: tuple[Posting, ...]


@dataclass(frozen=True)
class QueryPlan:
    """The weighted words of a query.

    Attributes:
        postings: The postings that rank, with their weights or frequencies in the query.
        clauses: Every candidate matches one of them.
        complete: A tsquery for documents that hold all words; empty where it is not needed.
    """

    postings: Mapping[Posting, float]
    clauses: tuple[Clause, ...]
    complete: str


def plan_words(query: Query, languages: Languages) -> QueryPlan:
    """Plan a query: its telling words, or all words where none is telling."""
    counts: Counter[Posting] = Counter()
    for piece in (*query.words, *query.phrases):
        counts.update(without_stop_stems(posting, languages) for posting in query_terms(piece, languages))
    postings: dict[Posting, float] = {posting: count for posting, count in counts.items() if _tells(posting)} or {
        **counts
    }
    clauses = [clause for word in dict.fromkeys(query.words) for clause in _clauses(word, languages)]
    telling = [clause for clause in clauses if any(posting in postings for posting in clause.postings)]
    return QueryPlan(postings, tuple(telling), _complete(query, languages))


def any_clause(clauses: Sequence[Clause]) -> str:
    """Build a tsquery for documents that match any of the clauses."""
    return any_tsquery([clause.words for clause in clauses])


def _clauses(word: str, languages: Languages) -> Iterator[Clause]:
    for piece in TEXT.finditer(word):
        if piece.lastgroup == "run":
            yield from (
                Clause(any_lexeme([posting]), (tuple(posting),)) for posting in query_terms(piece[0], languages)
            )
        elif forms := _forms(piece[0], languages):
            yield Clause(_in_any_order(forms), tuple(forms[0]))


def _forms(word: str, languages: Languages) -> list[list[Posting]]:
    return [[without_stop_stems(posting, languages) for posting in form] for form in query_forms(word, languages)]


def _tells(posting: Posting) -> bool:
    # Stop words of any text only: those of one further language are common there and get a low weight anyway.
    return is_significant(posting[0], None)


def _complete(query: Query, languages: Languages) -> str:
    """Build a tsquery for documents that hold all telling words, at any position."""
    words = list(
        dict.fromkeys(clause.text for clause in query.clauses if isinstance(clause, Term) and not clause.negated)
    )
    forms = [_forms(word, languages) for word in words]
    if sum(map(bool, forms)) > COMPLETE_WORDS:
        return ""
    telling = [word_forms for word_forms in forms if any(_tells(posting) for form in word_forms for posting in form)]
    if len(telling) < 2:
        return ""
    return " & ".join(_in_any_order(word_forms) for word_forms in telling)


def _in_any_order(forms: Sequence[Sequence[Sequence[str]]]) -> str:
    """Build a tsquery for any form of a word with its parts at any position, which the index answers alone."""
    return any_tsquery(["(" + " & ".join(any_lexeme([posting]) for posting in form) + ")" for form in forms])
