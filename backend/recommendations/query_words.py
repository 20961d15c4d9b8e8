"""Word queries of a recommendation: weighted words of subject, profile and active work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from backend.bookmarks.document_conditions import Languages, Posting
from backend.index.impacts import is_significant
from backend.recommendations.subjects import Subject
from backend.recommendations.urgency import urgency
from backend.recommendations.user_profile import ActiveWork, ProfileItem, UserProfile
from backend.search.corpus_statistics import CorpusStatistics, read_corpus_statistics
from backend.search.query_plan import Clause, QueryPlan, plan_words
from backend.search.ranking import WordSearch
from backend.text.query_language import Query, Term
from backend.text.stemming import language_of
from backend.text.tokens import quoted

# Weights of words in the title, in the body, in positive items and in negative items (Rocchio's relevance feedback:
# Manning, Raghavan and Schütze, Introduction to Information Retrieval, 9.1.1); tuned with `benchmarks.recommend`.
TITLE, BODY, POSITIVE, NEGATIVE = 1.0, 0.5, 1.5, 0.3
# WordQueries read of each text, words whose statistics are read, and words of the query.
READ_WORDS, COUNTED_WORDS, QUERY_WORDS = 120, 80, 48
CONTEXT_WORDS = 12

Weights = dict[Posting, float]


@dataclass(frozen=True)
class WordQueries:
    """Word queries: for the subject and the profile (`content`), and for active work (`context`); None without words.
    `own` are the lexemes of the subject itself."""

    content: WordSearch | None
    context: WordSearch | None
    own: frozenset[str]


def build_word_queries(organization_id: int, subject: Subject, profile: UserProfile) -> WordQueries:
    """Build the word queries. One statement; none where no word is telling."""
    own = _subject_weights(subject, profile.languages)
    content = _heaviest(_add_profile(own, profile.positive, profile.negative), COUNTED_WORDS)
    context = _heaviest(_work_weights(profile.active_work, profile.languages), CONTEXT_WORDS)
    lexemes = frozenset(lexeme for posting in own for lexeme in posting)
    if not content and not context:
        return WordQueries(None, None, lexemes)
    statistics = read_corpus_statistics(
        organization_id, QueryPlan({**content, **context}, (), ""), is_counted=profile.is_counted
    )
    return WordQueries(
        _search(organization_id, content, statistics, QUERY_WORDS),
        _search(organization_id, context, statistics, CONTEXT_WORDS),
        lexemes,
    )


def _search(organization_id: int, weights: Weights, statistics: CorpusStatistics, most: int) -> WordSearch | None:
    """Return the query for the words of the highest weight times rarity, or None."""
    ranked = sorted(weights, key=lambda posting: -abs(weights[posting]) * statistics.weight(posting))[:most]
    query_weights = {posting: weights[posting] for posting in ranked}
    # Negative words lower scores; they find no candidates.
    clauses = tuple(Clause(_any(posting), (posting,)) for posting in ranked if query_weights[posting] > 0)
    return (
        WordSearch(organization_id, QueryPlan(query_weights, clauses, ""), statistics=statistics) if clauses else None
    )


def _any(posting: Posting) -> str:
    return "(" + " | ".join(map(quoted, posting)) + ")"


def _subject_weights(subject: Subject, languages: Languages) -> Weights:
    technologies = " ".join(subject.technologies)
    weights: Weights = defaultdict(float)
    for text, weight in ((subject.title, TITLE), (technologies, TITLE), (subject.body, BODY)):
        _add(weights, _postings(text, languages), weight)
    return weights


def _add_profile(own: Weights, positive: Sequence[ProfileItem], negative: Sequence[ProfileItem]) -> Weights:
    weights: Weights = defaultdict(float, own)
    at = {lexeme: posting for posting in own for lexeme in posting}
    for items, factor in ((positive, POSITIVE), (negative, -NEGATIVE)):
        total = sum(abs(item.weight) for item in items)
        for item in items:
            for lexeme, impact in item.impacts.items():
                if is_significant(lexeme, language_of(lexeme)):
                    weights[at.get(lexeme, (lexeme,))] += factor * abs(item.weight) / total * impact
    return weights


def _work_weights(work: Iterable[ActiveWork], languages: Languages) -> Weights:
    weights: Weights = defaultdict(float)
    for item in work:
        _add(weights, _postings(item.title, languages), TITLE * urgency(item))
        _add(weights, _postings(item.body, languages), BODY * urgency(item))
    return weights


def _postings(text: str, languages: Languages) -> Mapping[Posting, float]:
    words = text.split()[:READ_WORDS]
    return plan_words(Query(tuple(Term(word) for word in words)), languages).postings if words else {}


def _add(weights: Weights, postings: Mapping[Posting, float], factor: float) -> None:
    for posting, count in postings.items():
        weights[posting] += factor * count**0.5


def _heaviest(weights: Weights, most: int) -> Weights:
    return {posting: weights[posting] for posting in sorted(weights, key=lambda posting: -abs(weights[posting]))[:most]}
