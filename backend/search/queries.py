"""Candidates by word and by meaning, and their highlights."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, text
from sqlalchemy.orm import InstrumentedAttribute

from backend.actor import Actor
from backend.bookmarks.documents import text_query
from backend.bookmarks.models import Bookmark, BookmarkContent, BookmarkDocument
from backend.bookmarks.queries import bookmark_out, conditions, select_bookmarks
from backend.bookmarks.schemas import BookmarkFilter, BookmarkOut
from backend.extensions import db
from backend.search.schemas import Highlights

# Private-use characters: words are marked with the first two, the text is escaped, then they become <mark>. The others
# stand for what would hide words, as in the search document. Text that has them itself loses them first.
START, STOP, HIDING, SHOWN = "\ue000", "\ue001", "</", "\ue002\ue003"
TITLE_OPTIONS = f"StartSel={START}, StopSel={STOP}, HighlightAll=true"
SNIPPET_OPTIONS = f"StartSel={START}, StopSel={STOP}, MaxFragments=2, MaxWords=24, MinWords=8, FragmentDelimiter= … "
# What a highlight looks at: the first part of a long page is enough to show why it was found, at a bounded cost.
HIGHLIGHTED_CHARACTERS = 20_000

Ranked = list[tuple[int, float]]


def rank_by_words(actor: Actor, words: str, among: BookmarkFilter, limit: int) -> Ranked:
    """The best matches by weighted words: ids with `ts_rank_cd`, best first. One statement."""
    query = text_query(words)
    rank = func.ts_rank_cd(BookmarkDocument.document, query, 1)
    rows = db.session.execute(
        select(BookmarkDocument.bookmark_id, rank.label("score"))
        .join(Bookmark, Bookmark.id == BookmarkDocument.bookmark_id)
        .where(BookmarkDocument.organization_id == actor.organization_id)
        .where(BookmarkDocument.document.op("@@")(query), *conditions(actor, among))
        .order_by(rank.desc(), BookmarkDocument.bookmark_id.desc())
        .limit(limit)
    )
    return [(row.bookmark_id, float(row.score)) for row in rows]


def count_by_words(actor: Actor, words: str, among: BookmarkFilter) -> int:
    """How many bookmarks hold the words. One statement."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(BookmarkDocument)
            .join(Bookmark, Bookmark.id == BookmarkDocument.bookmark_id)
            .where(BookmarkDocument.organization_id == actor.organization_id)
            .where(BookmarkDocument.document.op("@@")(text_query(words)), *conditions(actor, among))
        )
        or 0
    )


def read_hits(ids: Sequence[int], words: str) -> dict[int, tuple[BookmarkOut, Highlights]]:
    """Bookmarks by id, with their highlights. One statement."""
    query = text_query(words)
    body = func.concat_ws(
        " … ",
        func.nullif(Bookmark.description, ""),
        func.nullif(Bookmark.notes, ""),
        func.left(BookmarkContent.text, HIGHLIGHTED_CHARACTERS),
    )
    english = text("'english'")
    rows = db.session.execute(
        select_bookmarks(
            func.ts_headline(english, _unsigned(Bookmark.title), query, TITLE_OPTIONS).label("marked_title"),
            func.ts_headline(english, _unsigned(body), query, SNIPPET_OPTIONS).label("marked_body"),
        )
        .outerjoin(BookmarkContent, BookmarkContent.bookmark_id == Bookmark.id)
        .where(Bookmark.id.in_(ids))
    )
    return {row.id: (bookmark_out(row), _highlights(row)) for row in rows}


def _highlights(row: Row[Any]) -> Highlights:
    return Highlights(title=_marked(row.marked_title), snippet=_marked(row.marked_body))


def _unsigned(body: ColumnElement[str] | InstrumentedAttribute[str]) -> ColumnElement[str]:
    return func.translate(body, HIDING + SHOWN + START + STOP, SHOWN)


def _marked(text_with_signs: str) -> str:
    escaped = html.escape(text_with_signs.translate(str.maketrans(SHOWN, HIDING)))
    return escaped.replace(START, "<mark>").replace(STOP, "</mark>")
