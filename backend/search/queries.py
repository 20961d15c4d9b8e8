"""What is shown of a hit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import ARRAY, BigInteger, any_, func, literal, select

from backend.bookmarks.fulltext.documents import stemming_language
from backend.bookmarks.models import Bookmark, BookmarkContent
from backend.bookmarks.queries import bookmark_out, one_of, select_bookmarks
from backend.bookmarks.schemas import BookmarkOut
from backend.bookmarks.syntax import Query
from backend.extensions import db
from backend.search.highlights import best_snippet, highlight_title, is_marked
from backend.search.matching import Matcher, matcher
from backend.search.schemas import Highlights

# What a highlight looks at: the first part of a page is mostly enough to show why it was found, at a bounded cost. Of
# pages that hold the words further down, so much more is read.
HIGHLIGHTED_CHARACTERS, FURTHER_CHARACTERS = 10_000, 100_000
# Each looked up by its key: a join might read all pages while PostgreSQL has not counted the rows.
PAGE_TEXT = (
    select(func.left(BookmarkContent.text, HIGHLIGHTED_CHARACTERS))
    .where(BookmarkContent.bookmark_id == Bookmark.id)
    .correlate(Bookmark)
    .scalar_subquery()
    .label("page_text")
)


def read_hits(ids: Sequence[int], query: Query, by_words: Collection[int]) -> dict[int, tuple[BookmarkOut, Highlights]]:
    """Bookmarks by id, with what to show of why they were found: one statement; two if pages hold the words further
    down.

    Args:
        ids: Which bookmarks.
        query: What to mark.
        by_words: Those that hold a word of the query.
    """
    rows = db.session.execute(select_bookmarks(PAGE_TEXT).where(one_of(ids)))
    hits = {}
    unshown: dict[int, Matcher] = {}
    for row in rows:
        find = matcher(query, stemming_language(row))
        body = "\n".join(part for part in (row.description, row.notes, row.page_text) if part)
        shown = Highlights(title=highlight_title(row.title, find), snippet=best_snippet(body, find))
        hits[row.id] = bookmark_out(row), shown
        is_cut = row.page_text is not None and len(row.page_text) == HIGHLIGHTED_CHARACTERS
        if is_cut and find.wanted and row.id in by_words and not is_marked(shown.snippet):
            unshown[row.id] = find
    for id_, snippet in _further_snippets(unshown):
        hits[id_][1].snippet = snippet
    return hits


def _further_snippets(matchers: Mapping[int, Matcher]) -> Iterator[tuple[int, str]]:
    """Passages from where the first part of a page ends, of the bookmarks that hold what is looked for there."""
    if not matchers:
        return
    # From a little before, so that a phrase is not cut in two.
    text = func.substr(BookmarkContent.text, HIGHLIGHTED_CHARACTERS // 2, FURTHER_CHARACTERS)
    which = BookmarkContent.bookmark_id == any_(literal(list(matchers), ARRAY(BigInteger)))
    for row in db.session.execute(select(BookmarkContent.bookmark_id, text.label("text")).where(which)):
        snippet = best_snippet(row.text, matchers[row.bookmark_id])
        if is_marked(snippet):
            yield row.bookmark_id, snippet if snippet.startswith("…") else f"…{snippet}"
