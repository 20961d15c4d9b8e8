"""What is shown of a hit."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func

from backend.bookmarks.fulltext.documents import stemming_language
from backend.bookmarks.models import Bookmark, BookmarkContent
from backend.bookmarks.queries import bookmark_out, one_of, select_bookmarks
from backend.bookmarks.schemas import BookmarkOut
from backend.bookmarks.syntax import Query
from backend.extensions import db
from backend.search.highlights import best_snippet, highlight_title
from backend.search.matching import matcher
from backend.search.schemas import Highlights

# What a highlight looks at: the first part of a long page is enough to show why it was found, at a bounded cost.
HIGHLIGHTED_CHARACTERS = 10_000


def read_hits(ids: Sequence[int], query: Query) -> dict[int, tuple[BookmarkOut, Highlights]]:
    """Bookmarks by id, with what to show of why they were found. One statement."""
    page_text = func.left(BookmarkContent.text, HIGHLIGHTED_CHARACTERS).label("page_text")
    rows = db.session.execute(
        select_bookmarks(page_text)
        .outerjoin(BookmarkContent, BookmarkContent.bookmark_id == Bookmark.id)
        .where(one_of(ids))
    )
    hits = {}
    for row in rows:
        find = matcher(query, stemming_language(row))
        body = "\n".join(part for part in (row.description, row.notes, row.page_text) if part)
        hits[row.id] = (
            bookmark_out(row),
            Highlights(title=highlight_title(row.title, find), snippet=best_snippet(body, find)),
        )
    return hits
