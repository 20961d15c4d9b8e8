"""How-to pages: finds the captured page that best describes a task."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from backend.actor import Actor
from backend.bookmarks.models import Bookmark, BookmarkContent
from backend.bookmarks.schemas import BookmarkFilter
from backend.extensions import db
from backend.search.service import find_by_words
from backend.tasks.breakdown.outline import Subtask, outline_page
from backend.text.language_detection import detect_language
from backend.text.stop_words import is_stop_word
from backend.text.tokens import analyze

# Candidates that are read, and the share and number of the task's telling words that title and headings must hold.
LOOKED_INTO = 5
SHARE, FEWEST_WORDS = 0.5, 2
LONGEST_QUERY = 300
CAPTURED = BookmarkFilter(capture_status="captured", is_archived="any")


@dataclass(frozen=True)
class HowToPage:
    """A captured how-to page and its steps."""

    bookmark_id: int
    steps: list[Subtask]


def find_how_to_page(actor: Actor, subject: str, most: int) -> HowToPage | None:
    """Return the best search result that is about the subject and has steps, with at most `most` of them."""
    for bookmark_id in find_by_words(actor, subject[:LONGEST_QUERY], CAPTURED, LOOKED_INTO):
        # One page at a time bounds memory: a page may be long.
        page = db.session.execute(
            select(Bookmark.title, Bookmark.language, BookmarkContent.html, BookmarkContent.text)
            .join(BookmarkContent, BookmarkContent.bookmark_id == Bookmark.id)
            .where(Bookmark.id == bookmark_id)
        ).one_or_none()
        steps = outline_page(page.html, page.text, most) if page else None
        if page and steps:
            content = "\n".join([page.title, *(step.title for step in steps)])
            if is_about(subject, content, page.language):
                return HowToPage(bookmark_id, steps)
    return None


def is_about(subject: str, content: str, language: str | None) -> bool:
    """Tell whether a text holds half of the telling words of a subject, and at least two where it has so many."""
    language = language or detect_language(content)
    words = _telling(subject, language)
    shared = words & _telling(content, language)
    return len(shared) >= max(min(FEWEST_WORDS, len(words)), SHARE * len(words), 1)


def _telling(text: str, language: str | None) -> set[str]:
    return {token.term for token in analyze(text, language) if not is_stop_word(token.term, language)}
