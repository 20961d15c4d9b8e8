"""Pages that measurements store below the API are there as if they had been captured."""

from __future__ import annotations

import pytest

from benchmarks.corpora import LongPage
from benchmarks.stored_pages import store_pages

pytestmark = pytest.mark.integration


def test_a_stored_page_is_captured_readable_and_found_by_its_words(ada, context):
    ids = [
        ada.post("/bookmarks", {"url": f"https://page.example/{n}", "title": f"Page {n}", "capture": False}).json["id"]
        for n in range(2)
    ]

    assert store_pages(zip(ids, [LongPage("One", "A marmot < a whale"), LongPage("Two", "Nothing")], strict=True)) == 2

    bookmark = ada.get(f"/bookmarks/{ids[0]}").json
    assert (bookmark["capture"]["status"], bookmark["word_count"], bookmark["title"]) == ("captured", 5, "Page 0")
    assert ada.get(f"/bookmarks/{ids[0]}/content").json["text"] == "A marmot < a whale"
    found = ada.get("/search", q="whale", mode="text").json["items"]
    assert [item["bookmark"]["id"] for item in found] == [ids[0]]
