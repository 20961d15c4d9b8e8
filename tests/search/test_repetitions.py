"""Snippets say nothing twice: title, description and the first lines of the page."""

from __future__ import annotations

import pytest
from flask import Flask

from backend.search.highlights.repetitions import REPEATING, distinct_text
from tests.search.test_words import search
from tests.support.api import Api
from tests.support.pages import add_page

TITLE = "Tide tables of the harbour"
LEAD = "The tables were printed on yellow paper until the war began."
MORE = "Nobody counted the moths before that winter."


@pytest.mark.unit
@pytest.mark.parametrize(
    ("own", "page", "text"),
    [
        (LEAD, f"{TITLE}\n\n{LEAD}\n\n{MORE}", f"{LEAD}\n{MORE}"),
        ("The tables were printed on yellow paper…", f"{LEAD} {MORE}", f"{LEAD} {MORE}"),
        (f"{LEAD} {MORE}", f"{LEAD}\n{MORE}\nNext", f"{LEAD} {MORE}\n{MORE}\nNext"),
        (f"{TITLE}.\nMy notes", f"tide  TABLES of the harbour\n{MORE}", f"My notes\n{MORE}"),
        (f"{LEAD}\n\nMy notes\n\n{LEAD}", MORE, f"{LEAD}\n\nMy notes\n\n{LEAD}\n{MORE}"),
        ("Tide", f"Tide tables\n{MORE}", f"Tide\nTide tables\n{MORE}"),
        (TITLE, TITLE, f"{TITLE}\n{TITLE}"),
        ("", f"{MORE}\n\n{MORE}", f"{MORE}\n\n{MORE}"),
        ("", "", ""),
    ],
)
def test_a_line_that_repeats_another_text_is_left_out(own: str, page: str, text: str) -> None:
    assert distinct_text(TITLE, own, page) == text


@pytest.mark.unit
def test_only_the_beginning_of_a_page_repeats() -> None:
    page = f"{TITLE}\n{'moth ' * REPEATING}\n{LEAD}\n{TITLE}"
    assert distinct_text(TITLE, LEAD, page) == f"{LEAD}\n{page.partition(chr(10))[2]}"


@pytest.mark.integration
@pytest.mark.requires_db
def test_a_snippet_says_what_the_title_does_not(ada: Api, context: Flask) -> None:
    saved = ada.save("https://example.org/", title=TITLE, description="The tables were printed on yellow paper…")
    add_page(saved["id"], f"{TITLE}\n\n{LEAD}\n\n{MORE}", title=TITLE)
    snippet = search(ada, "yellow moths")["items"][0]["highlights"]["snippet"]
    assert snippet.replace("<mark>", "").replace("</mark>", "") == f"{LEAD}\n\n{MORE}"
    assert snippet.count("<mark>") == 2
