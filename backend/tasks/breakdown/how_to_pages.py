"""Finding the captured page that says best how something is done."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from backend.actor import Actor
from backend.bookmarks.models import Bookmark, BookmarkContent
from backend.bookmarks.schemas import BookmarkFilter
from backend.extensions import db
from backend.search.service import find_by_words
from backend.tasks.breakdown.outline import Subtask, outline_page
from backend.text.analysis import analyze, is_stop_word
from backend.text.language_detection import detect_language

# How many of the best matches are looked into, and how much of what is to be done the title and headings of a page
# must speak of.
LOOKED_INTO = 5
SHARE, FEWEST_WORDS = 0.5, 2
LONGEST_QUERY = 300
CAPTURED = BookmarkFilter(capture_status="captured", is_archived="any")


@dataclass(frozen=True)
class Howto:
    """A page that says how, and its steps."""

    bookmark_id: int
    steps: list[Subtask]


def find_howto(actor: Actor, subject: str, most: int) -> Howto | None:
    """The best match for the words of the subject that has steps and speaks of it, with at most so many of them."""
    for bookmark_id in find_by_words(actor, subject[:LONGEST_QUERY], CAPTURED, LOOKED_INTO):
        # One page at a time: a page may be long.
        page = db.session.execute(
            select(Bookmark.title, Bookmark.language, BookmarkContent.html, BookmarkContent.text)
            .join(BookmarkContent, BookmarkContent.bookmark_id == Bookmark.id)
            .where(Bookmark.id == bookmark_id)
        ).one_or_none()
        steps = outline_page(page.html, page.text, most) if page else None
        if page and steps:
            said = "\n".join([page.title, *(step.title for step in steps)])
            if speaks_of(subject, said, page.language):
                return Howto(bookmark_id, steps)
    return None


def speaks_of(subject: str, said: str, language: str | None) -> bool:
    """Whether a text has half of the telling words of a subject, and two of them where there are so many."""
    language = language or detect_language(said)
    wanted = _telling(subject, language)
    shared = wanted & _telling(said, language)
    return len(shared) >= max(min(FEWEST_WORDS, len(wanted)), SHARE * len(wanted), 1)


def _telling(text: str, language: str | None) -> set[str]:
    return {token.term for token in analyze(text, language) if not is_stop_word(token.term, language)}
