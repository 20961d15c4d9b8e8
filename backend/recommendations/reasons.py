"""Reasons: explanations of recommendations that a person can verify."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np

from backend.bookmarks.document_analysis import stemming_language
from backend.bookmarks.schemas import BookmarkOut
from backend.clock import utc_now
from backend.recommendations.display_words import display_words
from backend.recommendations.phrases import PHRASES
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


@dataclass(frozen=True)
class Explainer:
    """Finds the reasons of the recommendations for a subject, in a language, with days as they are in a time zone."""

    subject: Subject
    engine_scores: EngineScores
    words: WordQueries
    language: str = "en"
    zone: tzinfo = UTC

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
            self._say("nothing special", noun=self._subject)
        ]

    def _content(self, _: int, bookmark: BookmarkOut) -> Iterator[str]:
        noun = self._say("liked lately") if self.subject.key == "person" else self._subject
        if tags := self._shared_tags(bookmark):
            yield self._say("tags" if len(tags) > 1 else "one tag", tags=", ".join(tags), noun=noun)
        if words := shared_words(bookmark, self.words.content):
            yield self._in_common(words, noun)

    def _semantic(self, index: int, _: BookmarkOut) -> Iterator[str]:
        vector = self.engine_scores.candidates[index].vector
        if vector is None:
            return
        own = self.engine_scores.text_vector
        if own is not None and (likeness := cosine(vector, own)) >= CLOSE:
            yield self._say("close", noun=self._subject, likeness=likeness)
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
            yield self._say("close", noun=self._item(nearest[1]), likeness=nearest[0])

    def _context(self, index: int, bookmark: BookmarkOut) -> Iterator[str]:
        active_work = self.engine_scores.profile.active_work
        nearness = self.engine_scores.work_similarity[index]
        if nearness.any():
            yield self._say("close to work", noun=self._work(active_work[int(np.argmax(nearness))]))
        elif active_work and (words := shared_words(bookmark, self.words.context)):
            titles = self._say("and").join(self._quoted(item.title) for item in active_work[:2])
            yield self._in_common(words, self._say("active work", titles=titles))

    def _collaborative(self, index: int, _: BookmarkOut) -> Iterator[str]:
        candidate = self.engine_scores.candidates[index]
        if candidate.together and candidate.projects and candidate.people > 1:
            yield self._say("people and projects", people=candidate.people)
        elif candidate.together and candidate.projects:
            yield self._say("projects" if candidate.projects > 1 else "one project", projects=candidate.projects)
        elif candidate.together:
            yield self._say("people" if candidate.people > 1 else "one person", people=candidate.people)

    def _rediscover(self, index: int, _: BookmarkOut) -> Iterator[str]:
        candidate = self.engine_scores.candidates[index]
        favorite = " favorite" if candidate.is_favorite else ""
        if not candidate.is_read:
            yield self._say(f"unread{favorite}", ago=self._ago(utc_now() - candidate.created_at))
        elif utc_now() - candidate.seen_at >= UNSEEN:
            yield self._say(f"unseen{favorite}", day=self._day(candidate.seen_at))

    @property
    def _subject(self) -> str:
        return self._say(self.subject.noun)

    def _shared_tags(self, bookmark: BookmarkOut) -> list[str]:
        """Return the bookmark's tags that are technologies of the subject, or tags of positive items."""
        keys = {tag_key(name) for name in self.subject.technologies}
        keys |= {tag_key(name) for item in self.engine_scores.profile.positive for name in item.tags}
        return [name for name in bookmark.tags if tag_key(name) in keys][:MOST_NAMED]

    def _in_common(self, words: list[str], noun: str) -> str:
        named = ", ".join(map(self._quoted, words))
        return self._say("words" if len(words) > 1 else "one word", words=named, noun=noun)

    def _item(self, item: ProfileItem) -> str:
        return (
            self._say("the bookmark") if item.kind == "itself" else self._say(item.kind, title=self._quoted(item.title))
        )

    def _work(self, work: ActiveWork) -> str:
        title = self._quoted(work.title)
        if work.noun == "bookmark":
            return self._say("last", title=title)
        if work.due_at is not None:
            return self._say("task due", title=title, day=self._day(work.due_at))
        return self._say(work.noun, title=title)

    def _ago(self, span: timedelta) -> str:
        days = max(0, span.days)
        return self._say(("today", "one day")[days] if days < 2 else "days", days=days)

    def _day(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%Y-%m-%d}"

    def _quoted(self, text: str) -> str:
        return self._say("quoted", text=_cut(text))

    def _say(self, name: str, **values: object) -> str:
        return PHRASES[self.language][name].format(**values)


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


def _cut(text: str, most: int = LONGEST_QUOTED) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
