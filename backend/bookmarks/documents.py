"""The search document of a bookmark: its fields and its page's words in one weighted tsvector."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.exc import DBAPIError

from backend.bookmarks.models import Bookmark, BookmarkDocument
from backend.extensions import db

# PostgreSQL refuses a tsvector over 1 MB. A page's share of it is at most this; of a page whose words take more, the
# most characters that fit are indexed. The fields' own share is bounded by the lengths that REFRESH cuts them to: the
# worst text, hyphenated pairs of four-byte letters that never come twice, takes 8.5 bytes for each character.
PAGE_VECTOR_BYTES = 600_000
PAGE_CHARACTERS = (1_000_000, 300_000, 100_000, 50_000)
PROGRAM_LIMIT_EXCEEDED = "54000"
# PostgreSQL's parser leaves out what looks like a tag, and all that follows "<script>"; words around a slash it takes
# for one file name. Here they are words; REFRESH does the same.
HIDING = str.maketrans("</", "  ")

REFRESH = text("""
    INSERT INTO bookmark_documents (bookmark_id, organization_id, document)
    SELECT b.id, b.organization_id,
           setweight(to_tsvector('english', translate(b.title, '</', '  ')), 'A')
        || setweight(to_tsvector('english', translate(coalesce(tags.names, ''), '</', '  ')), 'A')
        || setweight(to_tsvector('english', translate(left(b.description, 20000), '</', '  ')), 'B')
        || setweight(to_tsvector('english', translate(left(b.notes, 40000), '</', '  ')), 'C')
        || setweight(to_tsvector('english', b.domain || ' ' || translate(b.domain, '.-', '  ')), 'C')
        || coalesce(c.vector, ''::tsvector)
      FROM bookmarks b
      LEFT JOIN bookmark_contents c ON c.bookmark_id = b.id
      LEFT JOIN LATERAL (
           SELECT string_agg(t.name, ' ') AS names
             FROM bookmark_tags bt JOIN tags t ON t.id = bt.tag_id
            WHERE bt.bookmark_id = b.id) tags ON true
     WHERE b.id = ANY(:ids)
     ORDER BY b.id
    ON CONFLICT (bookmark_id) DO UPDATE SET document = excluded.document
""")
MEASURE = text("SELECT pg_column_size(to_tsvector('english', left(:text, :characters)))")


def refresh_documents(bookmark_ids: Sequence[int]) -> None:
    """Bring the search documents of these bookmarks up to date, in the transaction at hand: one statement."""
    if bookmark_ids:
        db.session.execute(REFRESH, {"ids": list(bookmark_ids)})


def page_vector(page_text: str) -> ColumnElement[object]:
    """An expression for the vector of a page's text, over as much of it as PostgreSQL can hold."""
    words = page_text.translate(HIDING)
    indexed = words[: _indexable_characters(words)]
    return func.setweight(func.to_tsvector(text("'english'"), indexed), text("'D'"))


def text_query(words: str) -> ColumnElement[object]:
    """The words as PostgreSQL's web search reads them: quotes, `or`, `-`."""
    return func.websearch_to_tsquery(text("'english'"), words.translate(HIDING))


def matches_text(organization_id: int, words: str) -> ColumnElement[bool]:
    """Bookmarks of the organization whose search document holds the words."""
    found = select(BookmarkDocument.bookmark_id).where(
        BookmarkDocument.organization_id == organization_id, BookmarkDocument.document.op("@@")(text_query(words))
    )
    return Bookmark.id.in_(found.correlate(None))


def _indexable_characters(page_text: str) -> int:
    for characters in PAGE_CHARACTERS[:-1]:
        # A tsvector of the worst text takes about four times the bytes of the text itself.
        if len(page_text.encode()) * 4 <= PAGE_VECTOR_BYTES or _fits(page_text, characters):
            return characters
    return PAGE_CHARACTERS[-1]


def _fits(page_text: str, characters: int) -> bool:
    try:
        with db.session.begin_nested():
            size = db.session.scalar(MEASURE, {"text": page_text, "characters": characters})
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != PROGRAM_LIMIT_EXCEEDED:
            raise
        return False
    return size is not None and size <= PAGE_VECTOR_BYTES
