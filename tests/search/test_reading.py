"""R-TRUST 5: what showing why something was found may cost, whatever the texts and the query hold."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import update

from backend.bookmarks.models import Bookmark
from backend.extensions import db
from backend.search import results
from backend.search.highlights import matching
from backend.search.highlights.budget import (
    RESPONSE_ANALYSED,
    RESPONSE_SCANNED,
    TEXT_ANALYSED,
    TEXT_SCANNED,
    Allowance,
    Budget,
)
from backend.search.highlights.matching import matcher_for
from backend.search.highlights.snippets import best_snippet, highlight_title, is_marked
from backend.text.query_language import parse
from tests.support.api import Api
from tests.support.pages import add_page
from tests.support.sql import SqlCounter

HARD = {
    "hyphens": "a-" * 95_000,
    "dots": "a." * 95_000,
    "underlines": "a_" * 95_000,
    "slashes": "a/" * 95_000,
    "apostrophes": "a'" * 95_000,
    "versions": "1." * 95_000,
    "camel case": "fooBar_bazQux_" * 13_500,
    "no blanks": "a" * 1_000_000,
    "marks": "e" + "\u0301" * 190_000,
    "letters with marks": "e\u0301\u0302" * 63_000,
    "joiners": "a\u200d" * 95_000,
    "ideographs": "日本語検索" * 38_000,
    "Thai": "ภาษาไทย" * 27_000,
    "Hangul": "한국어" * 60_000,
    "half width": "ｶﾞ" * 95_000,
    "emoji": "👩‍👩‍👧" * 38_000,
    "flags": "🇩🇪" * 95_000,
    "Hebrew": "שלום-" * 38_000,
    "Arabic": "السلام " * 27_000,
    "words": "a b " * 47_000,
    "nearly the phrase": ("a " * 49 + "b ") * 1_900,
}
QUERIES = {
    "of all scripts": "a a-a a.a a_a aa e é foo 日本 日本語 ภาษา שלום السلام 한국 1.1 👩 🇩🇪 b",
    "of parts": " ".join(f"a-{letter}" for letter in "abcdefghijklmnopqrstuvwxy"),
    "a phrase": '"' + "a " * 50 + '"',
    "one long word": "a-" * 49 + "a",
}


@pytest.mark.unit
@pytest.mark.parametrize("language", ["en", "nl"])
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
@pytest.mark.parametrize("text", HARD.values(), ids=HARD)
def test_no_text_takes_more_than_its_part(text: str, query: str, language: str) -> None:
    budget = Budget(20)
    find = matcher_for(parse(query), language)
    for _ in range(10):
        highlight_title(text[:2_000], find, of_title := budget.next_text())
        best_snippet(text, find, allowance=(of_text := budget.next_text()))
        for allowance in (of_title, of_text):
            assert allowance.analysed <= TEXT_ANALYSED
            assert allowance.scanned <= TEXT_SCANNED
            # The one that came too late is counted too: it takes as many words as a phrase has at most.
            assert allowance.compared <= 1.5 * TEXT_ANALYSED + 100
    assert budget.analysed <= RESPONSE_ANALYSED
    assert budget.scanned <= RESPONSE_SCANNED


@pytest.mark.unit
def test_where_nothing_may_be_read_the_beginning_is_shown() -> None:
    find = matcher_for(parse("cat"), "en")
    spent = Allowance(most_scanned=0, most_analysed=0)
    assert best_snippet("One <cat> and no dog", find, allowance=spent) == "One &lt;cat&gt; and no dog"
    assert highlight_title("A cat", find, spent) == "A cat"
    assert best_snippet("dog " * 100, find, allowance=spent).startswith("dog dog")


@pytest.mark.unit
def test_a_spent_budget_still_marks_what_came_before() -> None:
    find = matcher_for(parse("cat"), "nl")
    few = Allowance(most_analysed=100)
    assert best_snippet("cat " + "dog " * 500 + "cat", find, allowance=few).startswith("<mark>cat</mark> dog")
    assert few.analysed == 100


@pytest.mark.unit
def test_one_hard_text_leaves_the_others_theirs() -> None:
    budget = Budget(20)
    find = matcher_for(parse("a-a cat"), "en")
    assert is_marked(best_snippet("a-" * 95_000, find, allowance=budget.next_text()))
    shown = [best_snippet("dog " * 2_000 + "cat", find, allowance=budget.next_text()) for _ in range(19)]
    assert all(is_marked(one) for one in shown)


def test_a_search_of_hard_texts_reads_what_a_response_may(
    ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets: list[Budget] = []
    monkeypatch.setattr(results, "Budget", lambda texts: budgets.append(Budget(texts)) or budgets[-1])
    for number in range(10):
        ada.save(f"https://example.org/{number}", title=f"T {number} " + "a-" * 900, notes="a-" * 50_000)
    query = " ".join(f"a-{letter}" for letter in "abcdefghijklmnopqrstuvwxy")
    found = ada.get("/search", q=query, mode="text").json["items"]
    assert len(found) == 10
    assert all(is_marked(hit["highlights"]["snippet"]) for hit in found)
    assert [one.analysed <= RESPONSE_ANALYSED and one.scanned <= RESPONSE_SCANNED for one in budgets] == [True]


def test_a_search_reads_no_whole_notes_and_still_shows_what_stands_far_down(
    ada: Api, context: Flask, sql: SqlCounter
) -> None:
    filler = "all sorts of other things stand here. " * 2_000
    ada.save("https://example.org/notes", title="notes", notes=filler + "One zebra in the notes.")
    page = ada.save("https://example.org/page", title="page")["id"]
    add_page(page, filler + "One zebra on the page.")
    assert len(filler) > 70_000
    found = ada.get("/search", q="zebra", mode="text").json["items"]
    shown = {hit["bookmark"]["title"]: hit["highlights"]["snippet"] for hit in found}
    assert "One <mark>zebra</mark> in the notes." in shown["notes"]
    assert "One <mark>zebra</mark> on the page." in shown["page"]
    assert all(one.startswith("…") for one in shown.values())
    assert all(len(hit["bookmark"]["notes"]) <= 2_000 for hit in found)


@pytest.mark.unit
def test_only_short_queries_are_remembered() -> None:
    matching._remembered.cache_clear()
    for number in range(20):
        matcher_for(parse(f"zebra{number} " * 100), "en")
        matcher_for(parse(f"zebra{number}"), "en")
    assert matching._remembered.cache_info().currsize == 20


def test_the_words_of_a_query_are_stemmed_for_so_many_languages_and_no_more(
    ada: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(results, "matcher_for", lambda *given: asked.append(given[1]) or matcher_for(*given))
    for number in range(20):
        saved = ada.save(f"https://example.org/{number}", title="zebra")
        db.session.execute(update(Bookmark).where(Bookmark.id == saved["id"]).values(language=f"x{chr(97 + number)}"))
    db.session.commit()
    items = ada.get("/search", q="zebra", mode="text", page_size=100).json["items"]
    assert [item["highlights"]["title"] for item in items] == ["<mark>zebra</mark>"] * 20
    assert len(asked) <= results.MOST_LANGUAGES + 1
