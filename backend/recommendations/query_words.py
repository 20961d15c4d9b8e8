"""What a subject and a taste look for by words: weighted words, and the search for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from backend.bookmarks.document_conditions import Languages, Posting
from backend.index.impacts import is_significant
from backend.recommendations.subjects import Subject
from backend.recommendations.urgency import urgency
from backend.recommendations.user_profile import Evidence, Taste, Work
from backend.search.corpus_statistics import Statistics, read_statistics
from backend.search.query_plan import Finder, Wanted, wanted_words
from backend.search.ranking import WordSearch
from backend.text.analysis import quoted
from backend.text.query_language import Query, Term
from backend.text.stemming import language_of

# What a word of the title counts, of the body, and of what is already attached (Rocchio's feedback: Manning, Raghavan
# and Schütze, Introduction to Information Retrieval, 9.1.1); tuned with `benchmarks.recommend`.
TITLE, BODY, WANTED, UNWANTED = 1.0, 0.5, 1.5, 0.3
# Of each text so many words are looked at, and of all words so many are kept.
READ_WORDS, COUNTED_WORDS, KEPT_WORDS = 120, 80, 48
CONTEXT_WORDS = 12

Weights = dict[Posting, float]


@dataclass(frozen=True)
class Words:
    """The searches by words: for the subject and its taste (`content`), and for what is being worked on (`context`);
    None where there is nothing to look for. `own` are the words of the subject itself."""

    content: WordSearch | None
    context: WordSearch | None
    own: frozenset[str]


def words_for(organization_id: int, subject: Subject, evidence: Evidence) -> Words:
    """What to look for. One statement; none where no word tells anything."""
    own = _of_subject(subject, evidence.languages)
    content = _heaviest(_with_taste(own, evidence.wanted, evidence.unwanted), COUNTED_WORDS)
    context = _heaviest(_of_work(evidence.at_hand, evidence.languages), CONTEXT_WORDS)
    lexemes = frozenset(lexeme for place in own for lexeme in place)
    if not content and not context:
        return Words(None, None, lexemes)
    known = read_statistics(organization_id, Wanted({**content, **context}, (), ""), is_counted=evidence.is_counted)
    return Words(
        _search(organization_id, content, known, KEPT_WORDS),
        _search(organization_id, context, known, CONTEXT_WORDS),
        lexemes,
    )


def _search(organization_id: int, weights: Weights, known: Statistics, most: int) -> WordSearch | None:
    """The search for the words that tell most: those that are heavy and rare."""
    ranked = sorted(weights, key=lambda place: -abs(weights[place]) * known.weight(place))[:most]
    kept = {place: weights[place] for place in ranked}
    # What is not wanted lowers scores; it finds nothing.
    finders = tuple(Finder(_any(place), (place,)) for place in ranked if kept[place] > 0)
    return WordSearch(organization_id, Wanted(kept, finders, ""), known=known) if finders else None


def _any(place: Posting) -> str:
    return "(" + " | ".join(map(quoted, place)) + ")"


def _of_subject(subject: Subject, languages: Languages) -> Weights:
    technologies = " ".join(subject.technologies)
    weights: Weights = defaultdict(float)
    for text, weight in ((subject.title, TITLE), (technologies, TITLE), (subject.body, BODY)):
        _add(weights, _places(text, languages), weight)
    return weights


def _with_taste(own: Weights, wanted: Sequence[Taste], unwanted: Sequence[Taste]) -> Weights:
    weights: Weights = defaultdict(float, own)
    at = {lexeme: place for place in own for lexeme in place}
    for several, factor in ((wanted, WANTED), (unwanted, -UNWANTED)):
        total = sum(abs(one.weight) for one in several)
        for one in several:
            for lexeme, impact in one.impacts.items():
                if is_significant(lexeme, language_of(lexeme)):
                    weights[at.get(lexeme, (lexeme,))] += factor * abs(one.weight) / total * impact
    return weights


def _of_work(work: Iterable[Work], languages: Languages) -> Weights:
    weights: Weights = defaultdict(float)
    for one in work:
        _add(weights, _places(one.title, languages), TITLE * urgency(one))
        _add(weights, _places(one.body, languages), BODY * urgency(one))
    return weights


def _places(text: str, languages: Languages) -> Mapping[Posting, float]:
    words = text.split()[:READ_WORDS]
    return wanted_words(Query(tuple(Term(word) for word in words)), languages).places if words else {}


def _add(weights: Weights, places: Mapping[Posting, float], factor: float) -> None:
    for place, count in places.items():
        weights[place] += factor * count**0.5


def _heaviest(weights: Weights, most: int) -> Weights:
    return {place: weights[place] for place in sorted(weights, key=lambda place: -abs(weights[place]))[:most]}
