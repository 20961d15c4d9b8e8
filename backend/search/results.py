"""What is shown of a hit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, select

from backend.bookmarks.models import Bookmark, BookmarkContent
from backend.bookmarks.queries import id_in, listed_out, select_listed
from backend.bookmarks.schemas import BookmarkOut
from backend.bookmarks.search_documents import stemming_language
from backend.extensions import db
from backend.http.truncation import LIST_BYTES
from backend.search.highlights.budget import Budget
from backend.search.highlights.matching import Matcher, matcher
from backend.search.highlights.snippets import best_snippet, highlight_title, is_marked
from backend.search.schemas import Highlights
from backend.text.query_language import Query

# What a highlight looks at: the first part of description and notes, and of a page, is mostly enough to show why it was
# found, at a bounded cost. Where the words stand further down, so much more is read.
OWN_CHARACTERS, HIGHLIGHTED_CHARACTERS, FURTHER_CHARACTERS = 20_000, 10_000, 100_000
# For each language the words are stemmed again: up to 30 ms. In texts of further ones they are found as written.
MOST_LANGUAGES = 8
OWN = func.concat_ws("\n", func.nullif(Bookmark.description, ""), func.nullif(Bookmark.notes, ""))
OWN_TEXT = func.left(OWN, OWN_CHARACTERS).label("own_text")
# Each looked up by its key: a join might read all pages while PostgreSQL has not counted the rows.
PAGE_TEXT = (
    select(func.left(BookmarkContent.text, HIGHLIGHTED_CHARACTERS))
    .where(BookmarkContent.bookmark_id == Bookmark.id)
    .correlate(Bookmark)
    .scalar_subquery()
    .label("page_text")
)
# From a little before where the first part ends, so that a phrase is not cut in two.
FURTHER_OWN = func.substr(OWN, OWN_CHARACTERS - HIGHLIGHTED_CHARACTERS // 2, FURTHER_CHARACTERS)
FURTHER_TEXT = (
    select(func.substr(BookmarkContent.text, HIGHLIGHTED_CHARACTERS // 2, FURTHER_CHARACTERS))
    .where(BookmarkContent.bookmark_id == Bookmark.id)
    .correlate(Bookmark)
    .scalar_subquery()
)


def read_hits(ids: Sequence[int], query: Query, by_words: Collection[int]) -> dict[int, tuple[BookmarkOut, Highlights]]:
    """Bookmarks by id, with what to show of why they were found: one statement; two if they hold the words further
    down.

    Args:
        ids: Which bookmarks, the best first: where there is more to read than a response may, theirs is read.
        query: What to mark.
        by_words: Those that hold a word of the query.
    """
    found = {row.id: row for row in db.session.execute(select_listed(OWN_TEXT, PAGE_TEXT).where(id_in(ids)))}
    budget = Budget(2 * len(found))
    highlights = {}
    matchers: dict[str | None, Matcher] = {}
    unshown: dict[int, Matcher] = {}
    for row in (found[id_] for id_ in ids if id_ in found):
        language = stemming_language(row)
        if len(matchers) >= MOST_LANGUAGES and language not in matchers:
            language = None
        find = matchers[language] = matchers.get(language) or matcher(query, language)
        body = "\n".join(part for part in (row.own_text, row.page_text) if part)
        title = highlight_title(row.title, find, budget.next_text())
        shown = Highlights(title=title, snippet=best_snippet(body, find, allowance=budget.next_text()))
        highlights[row.id] = shown
        if _is_cut(row) and find.wanted and row.id in by_words and not is_marked(shown.snippet):
            unshown[row.id] = find
    for id_, snippet in _further_snippets(unshown, budget):
        highlights[id_].snippet = snippet
    taken = sum(len(shown.model_dump_json().encode()) for shown in highlights.values())
    bookmarks = listed_out([found[id_] for id_ in highlights], LIST_BYTES - taken)
    return {one.id: (one, highlights[one.id]) for one in bookmarks}


def _is_cut(row: Row[Any]) -> bool:
    return len(row.own_text) == OWN_CHARACTERS or len(row.page_text or "") == HIGHLIGHTED_CHARACTERS


def _further_snippets(matchers: Mapping[int, Matcher], budget: Budget) -> Iterator[tuple[int, str]]:
    """Passages from where the first parts end, of the bookmarks that hold what is looked for there."""
    ids = list(matchers)[: budget.begin_round(len(matchers), FURTHER_CHARACTERS)]
    if not ids:
        return
    text = func.concat_ws("\n", func.nullif(FURTHER_OWN, ""), FURTHER_TEXT).label("text")
    for row in db.session.execute(select(Bookmark.id, text).where(id_in(ids))):
        snippet = best_snippet(row.text, matchers[row.id], allowance=budget.next_text())
        if is_marked(snippet):
            yield row.id, snippet if snippet.startswith("…") else f"…{snippet}"
