"""Results: the bookmarks of a page with their highlights."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Row, any_, bindparam, func, select

from backend.bookmarks.document_analysis import stemming_language
from backend.bookmarks.models import Bookmark, BookmarkContent
from backend.bookmarks.queries import id_in, listed_out, select_listed
from backend.bookmarks.schemas import BookmarkOut
from backend.extensions import db
from backend.http.truncation import LIST_BYTES
from backend.search.highlights.budget import Budget
from backend.search.highlights.matching import Matcher, matcher_for
from backend.search.highlights.repetitions import distinct_text
from backend.search.highlights.snippets import best_snippet, highlight_title, is_marked
from backend.search.schemas import Highlights
from backend.text.query_language import Query

# Highlights read the first part of own texts and page, which suffices for most matches at a bounded cost; only for
# matches further down is more read.
OWN_CHARACTERS, HIGHLIGHTED_CHARACTERS, FURTHER_CHARACTERS = 20_000, 10_000, 100_000
# Stemming the query for a language takes up to 30 ms. Texts in further languages match by written forms.
MOST_LANGUAGES = 8
OWN_TEXTS = func.concat_ws("\n", func.nullif(Bookmark.description, ""), func.nullif(Bookmark.notes, ""))
OWN_TEXT = func.left(OWN_TEXTS, OWN_CHARACTERS).label("own_text")
# A scalar subquery by key: without table statistics PostgreSQL might read all pages for a join.
PAGE_TEXT = (
    select(func.left(BookmarkContent.text, HIGHLIGHTED_CHARACTERS))
    .where(BookmarkContent.bookmark_id == Bookmark.id)
    .correlate(Bookmark)
    .scalar_subquery()
    .label("page_text")
)
# Overlaps the first part, so that a phrase is not cut in two.
FURTHER_OWN = func.substr(OWN_TEXTS, OWN_CHARACTERS - HIGHLIGHTED_CHARACTERS // 2, FURTHER_CHARACTERS)
FURTHER_TEXT = (
    select(func.substr(BookmarkContent.text, HIGHLIGHTED_CHARACTERS // 2, FURTHER_CHARACTERS))
    .where(BookmarkContent.bookmark_id == Bookmark.id)
    .correlate(Bookmark)
    .scalar_subquery()
)

# Built once: with forty columns it takes longer to build and to look up among the compiled ones than to compile a list.
HITS = select_listed(OWN_TEXT, PAGE_TEXT).where(
    Bookmark.id == any_(bindparam("ids", type_=ARRAY(BigInteger))),
    Bookmark.organization_id == bindparam("organization_id"),
)


def read_hits(
    organization_id: int, ids: Sequence[int], query: Query, by_words: Collection[int]
) -> dict[int, tuple[BookmarkOut, Highlights]]:
    """Return bookmarks by id with their highlights: one statement, two if words match further down.

    Args:
        organization_id: The organization that was searched.
        ids: The hits, best first; in this order texts are shortened to the size limit of a response.
        query: The parsed query.
        by_words: The hits that match a word of the query.
    """
    rows = {row.id: row for row in db.session.execute(HITS, {"ids": list(ids), "organization_id": organization_id})}
    budget = Budget(2 * len(rows))
    highlights = {}
    matchers: dict[str | None, Matcher] = {}
    unshown: dict[int, Matcher] = {}
    for row in (rows[id_] for id_ in ids if id_ in rows):
        language = stemming_language(row)
        if len(matchers) >= MOST_LANGUAGES and language not in matchers:
            language = None
        matcher = matchers[language] = matchers.get(language) or matcher_for(query, language)
        body = distinct_text(row.title, row.own_text, row.page_text or "")
        title = highlight_title(row.title, matcher, budget.next_text())
        highlighted = Highlights(title=title, snippet=best_snippet(body, matcher, allowance=budget.next_text()))
        highlights[row.id] = highlighted
        if _is_cut(row) and matcher.terms and row.id in by_words and not is_marked(highlighted.snippet):
            unshown[row.id] = matcher
    for id_, snippet in _further_snippets(unshown, budget):
        highlights[id_].snippet = snippet
    taken = sum(len(highlighted.model_dump_json().encode()) for highlighted in highlights.values())
    bookmarks = listed_out([rows[id_] for id_ in highlights], LIST_BYTES - taken)
    return {bookmark.id: (bookmark, highlights[bookmark.id]) for bookmark in bookmarks}


def _is_cut(row: Row[Any]) -> bool:
    return len(row.own_text) == OWN_CHARACTERS or len(row.page_text or "") == HIGHLIGHTED_CHARACTERS


def _further_snippets(matchers: Mapping[int, Matcher], budget: Budget) -> Iterator[tuple[int, str]]:
    """Yield snippets from behind the first parts, for bookmarks that match there."""
    ids = list(matchers)[: budget.begin_round(len(matchers), FURTHER_CHARACTERS)]
    if not ids:
        return
    text = func.concat_ws("\n", func.nullif(FURTHER_OWN, ""), FURTHER_TEXT).label("text")
    for row in db.session.execute(select(Bookmark.id, text).where(id_in(ids))):
        snippet = best_snippet(row.text, matchers[row.id], allowance=budget.next_text())
        if is_marked(snippet):
            yield row.id, snippet if snippet.startswith("…") else f"…{snippet}"
