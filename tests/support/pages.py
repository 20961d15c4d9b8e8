"""What a worker leaves behind: the text of a page, a vector. For tests that do not run one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, text, update

from backend.bookmarks.models import Bookmark, BookmarkContent
from backend.bookmarks.search_documents import refresh_documents, reindex_pages
from backend.extensions import db


def add_page(
    bookmark_id: int,
    page_text: str,
    *,
    title: str = "",
    byline: str | None = None,
    html: str = "",
    update_bookmark: bool = False,
) -> None:
    """The page of a bookmark as a capture stores it, within an application context."""
    words = len(page_text.split())
    db.session.execute(
        insert(BookmarkContent).values(
            bookmark_id=bookmark_id,
            title=title,
            byline=byline,
            text=page_text,
            html=html,
            word_count=words,
            vector="",
        )
    )
    reindex_pages([bookmark_id])
    if update_bookmark:
        captured = {"capture_status": "captured", "word_count": words}
        db.session.execute(update(Bookmark).where(Bookmark.id == bookmark_id).values(**captured))
    refresh_documents([bookmark_id])
    db.session.commit()


def add_vector(bookmark_id: int, vector: Sequence[float], model: str = "fake") -> None:
    """The embedding of a bookmark under a model, within an application context."""
    db.session.execute(
        text("""
            INSERT INTO bookmark_embeddings (bookmark_id, organization_id, model, dimension, embedding)
            SELECT id, organization_id, :model, :dimension, CAST(:vector AS halfvec) FROM bookmarks WHERE id = :id
        """),
        {"id": bookmark_id, "model": model, "dimension": len(vector), "vector": str(list(vector))},
    )
    db.session.commit()
