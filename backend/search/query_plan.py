"""What a query ranks by, and what makes a bookmark a candidate for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from backend.bookmarks.document_conditions import Languages, Posting, any_lexeme, any_tsquery, without_stop_stems
from backend.index.impacts import is_significant
from backend.text.analysis import query_forms, query_terms
from backend.text.query_language import Query, Term
from backend.text.tokens import TEXT

# How many words a query may have for bookmarks that hold them all to come first.
COMPLETE_WORDS = 4


@dataclass(frozen=True)
class Finder:
    """What makes a document a candidate: a word with all its parts, or two characters of a text without spaces.

    Attributes:
        words: As a tsquery.
        places: Of which all stand in what it finds, but for other ways to write the word.
    """

    words: str
    places: tuple[Posting, ...]


@dataclass(frozen=True)
class Wanted:
    """The words to rank by.

    Attributes:
        places: What is wanted, with how often the query asks for it, or how much it matters.
        finders: Of which every result fulfils one.
        complete: A tsquery for documents that hold all words; empty where that is no matter.
    """

    places: Mapping[Posting, float]
    finders: tuple[Finder, ...]
    complete: str


def wanted_words(query: Query, languages: Languages) -> Wanted:
    """What a query ranks by: its telling words; all of them where there is no other."""
    counts: Counter[Posting] = Counter()
    for piece in (*query.words, *query.phrases):
        counts.update(without_stop_stems(place, languages) for place in query_terms(piece, languages))
    places: dict[Posting, float] = {place: count for place, count in counts.items() if _tells(place)} or {**counts}
    finders = [finder for word in dict.fromkeys(query.words) for finder in _finders(word, languages)]
    telling = [finder for finder in finders if any(place in places for place in finder.places)]
    return Wanted(places, tuple(telling), _complete(query, languages))


def any_finder(finders: Sequence[Finder]) -> str:
    """A tsquery for what any of these finds."""
    return any_tsquery([finder.words for finder in finders])


def _finders(word: str, languages: Languages) -> Iterator[Finder]:
    for found in TEXT.finditer(word):
        if found.lastgroup == "run":
            yield from (Finder(any_lexeme([place]), (tuple(place),)) for place in query_terms(found[0], languages))
        elif forms := _forms(found[0], languages):
            yield Finder(_in_any_order(forms), tuple(forms[0]))


def _forms(word: str, languages: Languages) -> list[list[Posting]]:
    return [[without_stop_stems(place, languages) for place in form] for form in query_forms(word, languages)]


def _tells(place: Posting) -> bool:
    # By the words that say little in any text: those of one language more are common there, and weigh little anyway.
    return is_significant(place[0], None)


def _complete(query: Query, languages: Languages) -> str:
    """A tsquery for documents that hold all words that tell something, wherever they stand."""
    words = list(
        dict.fromkeys(clause.text for clause in query.clauses if isinstance(clause, Term) and not clause.negated)
    )
    forms = [_forms(word, languages) for word in words]
    if sum(map(bool, forms)) > COMPLETE_WORDS:
        return ""
    telling = [found for found in forms if any(_tells(place) for form in found for place in form)]
    if len(telling) < 2:
        return ""
    return " & ".join(_in_any_order(found) for found in telling)


def _in_any_order(forms: Sequence[Sequence[Sequence[str]]]) -> str:
    """A tsquery for any form of a word, its parts wherever they stand: the index answers that alone."""
    return any_tsquery(["(" + " & ".join(any_lexeme([place]) for place in form) + ")" for form in forms])
