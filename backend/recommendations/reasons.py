"""Reasons: explanations of recommendations that a person can verify."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from backend.bookmarks.document_analysis import stemming_language
from backend.bookmarks.schemas import BookmarkOut
from backend.clock import utc_now
from backend.recommendations.display_words import display_words
from backend.recommendations.query_words import WordQueries
from backend.recommendations.schemas import Engine
from backend.recommendations.scoring import UNSEEN, EngineScores
from backend.recommendations.subjects import Subject
from backend.recommendations.user_profile import ActiveWork, ProfileItem, Vector
from backend.search.ranking import WordSearch
from backend.text.tag_names import tag_key

# Minimum cosine for "close in meaning", and the number of words or tags in a reason.
CLOSE, MOST_NAMED = 0.3, 4
# Characters of a candidate that are searched for shared words.
READ_CHARACTERS = 1_000
# Limits of quoted titles and words, and of a reason, in characters.
LONGEST_QUOTED, LONGEST_REASON = 120, 500
# Minimum share of an engine in a score for a reason.
SHARE = 0.1
# Phrases for the relation to a profile item.
RELATIONS = {
    "itself": "",
    "attached": ", which is attached",
    "relevant": ", which you called relevant",
    "saved": ", which you saved",
    "opened": ", which you opened",
    "liked": ", which you read or marked as a favorite",
}


@dataclass(frozen=True)
class Explainer:
    """Finds the reasons of the recommendations for a subject."""

    subject: Subject
    engine_scores: EngineScores
    words: WordQueries

    def reasons(self, index: int, bookmark: BookmarkOut, shares: dict[Engine, float]) -> list[str]:
        """Explain a candidate: a sentence or more for each engine with a share in its score.

        Args:
            index: The candidate's.
            bookmark: The candidate's bookmark as displayed.
            shares: The engines' shares in its score.
        """
        by_engine = {
            "content": self._content,
            "semantic": self._semantic,
            "context": self._context,
            "collaborative": self._collaborative,
            "rediscover": self._rediscover,
        }
        heaviest = sorted(shares, key=lambda name: -shares[name])
        named = [name for name in heaviest if shares[name] >= SHARE] or heaviest[:1]
        reasons = [reason for name in named for reason in by_engine[name](index, bookmark)]
        return list(dict.fromkeys(_cut(reason, LONGEST_REASON) for reason in reasons)) or [
            f"fits {self.subject.noun} a little in all that is compared"
        ]

    def _content(self, _: int, bookmark: BookmarkOut) -> Iterator[str]:
        noun = self._whose()
        if tags := self._shared_tags(bookmark):
            yield f"shares the tag{'s' if len(tags) > 1 else ''} {', '.join(tags)} with {noun}"
        if words := shared_words(bookmark, self.words.content):
            yield f"has {_quoted(words)} in common with {noun}"

    def _semantic(self, index: int, _: BookmarkOut) -> Iterator[str]:
        vector = self.engine_scores.candidates[index].vector
        if vector is None:
            return
        own = self.engine_scores.text_vector
        if own is not None and (likeness := cosine(vector, own)) >= CLOSE:
            yield f"close in meaning to {self.subject.noun} ({likeness:.2f})"
        nearest = max(
            (
                (cosine(vector, item.vector), item)
                for item in self.engine_scores.profile.positive
                if item.vector is not None
            ),
            key=lambda pair: pair[0],
            default=None,
        )
        if nearest is not None and nearest[0] >= CLOSE:
            yield f"close in meaning to {self._item(nearest[1])} ({nearest[0]:.2f})"

    def _context(self, index: int, bookmark: BookmarkOut) -> Iterator[str]:
        active_work = self.engine_scores.profile.active_work
        nearness = self.engine_scores.work_similarity[index]
        if nearness.any():
            work = active_work[int(np.argmax(nearness))]
            yield f"close in meaning to {_work(work)}"
        elif active_work and (words := shared_words(bookmark, self.words.context)):
            titles = " and ".join(f"‘{_cut(item.title)}’" for item in active_work[:2])
            yield f"has {_quoted(words)} in common with what is being worked on, such as {titles}"

    def _collaborative(self, index: int, _: BookmarkOut) -> Iterator[str]:
        candidate = self.engine_scores.candidates[index]
        if candidate.together and candidate.projects and candidate.people > 1:
            yield f"{candidate.people} people here attached it to similar projects"
        elif candidate.together and candidate.projects:
            yield f"attached to {candidate.projects} similar project{'s' if candidate.projects > 1 else ''} here"
        elif candidate.together:
            who = f"{candidate.people} people" if candidate.people > 1 else "a person"
            yield f"{who} here found it useful together with what is wanted here"

    def _rediscover(self, index: int, _: BookmarkOut) -> Iterator[str]:
        candidate = self.engine_scores.candidates[index]
        favorite = "a favorite, " if candidate.is_favorite else ""
        if not candidate.is_read:
            yield f"{favorite}saved {_ago(utc_now() - candidate.created_at)} and not read yet"
        elif utc_now() - candidate.seen_at >= UNSEEN:
            yield f"{favorite}not looked at since {candidate.seen_at:%Y-%m-%d}"

    def _whose(self) -> str:
        return "what you attached and liked lately" if self.subject.key == "person" else self.subject.noun

    def _shared_tags(self, bookmark: BookmarkOut) -> list[str]:
        """Return the bookmark's tags that are technologies of the subject, or tags of positive items."""
        keys = {tag_key(name) for name in self.subject.technologies}
        keys |= {tag_key(name) for item in self.engine_scores.profile.positive for name in item.tags}
        return [name for name in bookmark.tags if tag_key(name) in keys][:MOST_NAMED]

    def _item(self, item: ProfileItem) -> str:
        return "the bookmark" if item.kind == "itself" else f"‘{_cut(item.title)}’{RELATIONS[item.kind]}"


def cosine(left: Vector, right: Vector) -> float:
    """Return the cosine of two vectors of length 1."""
    return float(np.dot(left, right)) if len(left) == len(right) else 0.0


def shared_words(bookmark: BookmarkOut, search: WordSearch | None) -> list[str]:
    """Return the words of title and description that a search looks for, as displayed, by descending weight."""
    if search is None:
        return []
    postings = search.plan.postings
    weights = {
        lexeme: weight * search.statistics.weight(posting)
        for posting, weight in postings.items()
        if weight > 0
        for lexeme in posting
    }
    words: dict[str, float] = {}
    seen: set[str] = set()
    text = f"{bookmark.title} {bookmark.description}"[:READ_CHARACTERS]
    for terms, word in display_words(text, weights, stemming_language(bookmark)):
        # Only the first form of a word is named.
        if seen.isdisjoint(terms):
            words[word] = max(words.get(word, 0.0), *(weights[term] for term in terms))
        seen.update(terms)
    return sorted(words, key=lambda word: -words[word])[:MOST_NAMED]


def _quoted(words: list[str]) -> str:
    return f"the word{'s' if len(words) > 1 else ''} " + ", ".join(f"‘{_cut(word)}’" for word in words)


def _cut(text: str, most: int = LONGEST_QUOTED) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _work(work: ActiveWork) -> str:
    if work.noun == "bookmark":
        return f"‘{_cut(work.title)}’, which came up last"
    due = f", due on {work.due_at:%Y-%m-%d}" if work.due_at else ""
    return f"{work.noun} ‘{_cut(work.title)}’{due}"


def _ago(span: timedelta) -> str:
    days = max(0, span.days)
    return "today" if days == 0 else f"{days} day{'s' if days > 1 else ''} ago"
