"""Why something is recommended, in words that a person can check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from backend.bookmarks.schemas import BookmarkOut
from backend.bookmarks.search_documents import stemming_language
from backend.clock import utc_now
from backend.recommendations.display_words import said_words
from backend.recommendations.query_words import Words
from backend.recommendations.schemas import Engine
from backend.recommendations.scoring import UNSEEN, Panel
from backend.recommendations.subjects import Subject
from backend.recommendations.user_profile import Taste, Vector, Work
from backend.search.ranking import WordSearch
from backend.text.tag_names import tag_key

# From this cosine on two texts are called close in meaning, and this many words or tags are named.
CLOSE, MOST_NAMED = 0.3, 4
# Of what is recommended, so much is looked through for words that are named as reasons.
READ_CHARACTERS = 1_000
# So many characters of a title or word are quoted, and a reason has so many at most.
LONGEST_QUOTED, LONGEST_REASON = 120, 500
# A reason is given for an engine that has at least this part in a score.
SHARE = 0.1
# How what is attached, or was said, is told.
TOLD = {
    "itself": "",
    "attached": ", which is attached",
    "relevant": ", which you called relevant",
    "saved": ", which you saved",
    "opened": ", which you opened",
    "liked": ", which you read or marked as a favorite",
}


@dataclass(frozen=True)
class Reasoner:
    """Finds reasons for what was recommended for a subject."""

    subject: Subject
    panel: Panel
    words: Words

    def reasons(self, place: int, bookmark: BookmarkOut, shares: dict[Engine, float]) -> list[str]:
        """Why the candidate at a place is recommended: a sentence or more of each engine that had a part in it.

        Args:
            place: The candidate's in the panel.
            bookmark: The candidate as it is shown.
            shares: How much of its score is due to each engine.
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
        found = [reason for name in named for reason in by_engine[name](place, bookmark)]
        return list(dict.fromkeys(_cut(reason, LONGEST_REASON) for reason in found)) or [
            f"fits {self.subject.noun} a little in all that is compared"
        ]

    def _content(self, _: int, bookmark: BookmarkOut) -> Iterator[str]:
        noun = self._whose()
        if tags := self._shared_tags(bookmark):
            yield f"shares the tag{'s' if len(tags) > 1 else ''} {', '.join(tags)} with {noun}"
        if words := shared_words(bookmark, self.words.content):
            yield f"has {_quoted(words)} in common with {noun}"

    def _semantic(self, place: int, _: BookmarkOut) -> Iterator[str]:
        vector = self.panel.candidates[place].vector
        if vector is None:
            return
        own = self.panel.text_vector
        if own is not None and (likeness := cosine(vector, own)) >= CLOSE:
            yield f"close in meaning to {self.subject.noun} ({likeness:.2f})"
        nearest = max(
            ((cosine(vector, one.vector), one) for one in self.panel.evidence.wanted if one.vector is not None),
            key=lambda pair: pair[0],
            default=None,
        )
        if nearest is not None and nearest[0] >= CLOSE:
            yield f"close in meaning to {self._taste(nearest[1])} ({nearest[0]:.2f})"

    def _context(self, place: int, bookmark: BookmarkOut) -> Iterator[str]:
        at_hand = self.panel.evidence.at_hand
        nearness = self.panel.nearness_to_work[place]
        if nearness.any():
            work = at_hand[int(np.argmax(nearness))]
            yield f"close in meaning to {_work(work)}"
        elif at_hand and (words := shared_words(bookmark, self.words.context)):
            several = " and ".join(f"‘{_cut(one.title)}’" for one in at_hand[:2])
            yield f"has {_quoted(words)} in common with what is being worked on, such as {several}"

    def _collaborative(self, place: int, _: BookmarkOut) -> Iterator[str]:
        one = self.panel.candidates[place]
        if one.together and one.projects and one.people > 1:
            yield f"{one.people} people here attached it to similar projects"
        elif one.together and one.projects:
            yield f"attached to {one.projects} similar project{'s' if one.projects > 1 else ''} here"
        elif one.together:
            who = f"{one.people} people" if one.people > 1 else "a person"
            yield f"{who} here found it useful together with what is wanted here"

    def _rediscover(self, place: int, _: BookmarkOut) -> Iterator[str]:
        one = self.panel.candidates[place]
        favorite = "a favorite, " if one.is_favorite else ""
        if not one.is_read:
            yield f"{favorite}saved {_ago(utc_now() - one.created_at)} and not read yet"
        elif utc_now() - one.seen_at >= UNSEEN:
            yield f"{favorite}not looked at since {one.seen_at:%Y-%m-%d}"

    def _whose(self) -> str:
        return "what you attached and liked lately" if self.subject.key == "person" else self.subject.noun

    def _shared_tags(self, bookmark: BookmarkOut) -> list[str]:
        """The bookmark's tags that are technologies of the subject, or tags of what is wanted."""
        known = {tag_key(name) for name in self.subject.technologies}
        known |= {tag_key(name) for one in self.panel.evidence.wanted for name in one.tags}
        return [name for name in bookmark.tags if tag_key(name) in known][:MOST_NAMED]

    def _taste(self, taste: Taste) -> str:
        return "the bookmark" if taste.kind == "itself" else f"‘{_cut(taste.title)}’{TOLD[taste.kind]}"


def cosine(one: Vector, other: Vector) -> float:
    """The cosine of two vectors of length 1."""
    return float(np.dot(one, other)) if len(one) == len(other) else 0.0


def shared_words(bookmark: BookmarkOut, search: WordSearch | None) -> list[str]:
    """The words of title and description that a search looks for, as a person would say them, the weightiest first."""
    if search is None:
        return []
    wanted = search.wanted.places
    weights = {
        lexeme: weight * search.statistics.weight(place)
        for place, weight in wanted.items()
        if weight > 0
        for lexeme in place
    }
    found: dict[str, float] = {}
    seen: set[str] = set()
    text = f"{bookmark.title} {bookmark.description}"[:READ_CHARACTERS]
    for terms, word in said_words(text, weights, stemming_language(bookmark)):
        # Of the forms of a word the first is named.
        if seen.isdisjoint(terms):
            found[word] = max(found.get(word, 0.0), *(weights[term] for term in terms))
        seen.update(terms)
    return sorted(found, key=lambda word: -found[word])[:MOST_NAMED]


def _quoted(words: list[str]) -> str:
    return f"the word{'s' if len(words) > 1 else ''} " + ", ".join(f"‘{_cut(word)}’" for word in words)


def _cut(text: str, most: int = LONGEST_QUOTED) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _work(work: Work) -> str:
    if work.noun == "bookmark":
        return f"‘{_cut(work.title)}’, which came up last"
    due = f", due on {work.due_at:%Y-%m-%d}" if work.due_at else ""
    return f"{work.noun} ‘{_cut(work.title)}’{due}"


def _ago(span: timedelta) -> str:
    days = max(0, span.days)
    return "today" if days == 0 else f"{days} day{'s' if days > 1 else ''} ago"
