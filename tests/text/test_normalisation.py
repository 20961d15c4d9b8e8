"""R-TRUST 5: no text takes long to normalise, or to be read for steps, for words or as a page."""

from __future__ import annotations

import re
import sys
import unicodedata
from pathlib import Path

import pytest

from backend.capture.extract.dates import parse_date
from backend.capture.extract.linked_data import read_linked_data
from backend.capture.extract.scan import MAX_SCRIPTS, scan_html
from backend.capture.extract.text import clean_paragraphs
from backend.text import normalisation
from backend.text.folding import clusters, normalise
from backend.text.normalisation import MOST_MARKS, SHORT, normalize
from backend.text.sort_keys import searchable_text
from backend.text.tag_names import tag_key
from backend.text.tokens import analyze

pytestmark = pytest.mark.unit
FORMS = ("NFC", "NFD", "NFKC", "NFKD")
# Marks that normalisation puts in another order, each before the ones that stand in front of it.
UNORDERED = ["\u0301\u0323", "\u0e48\u0e38", "\uff9e\u0f73", "\u0344\u0327"]


@pytest.fixture
def longest_run(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The most marks in a row of each text that is normalised: putting them in order takes the square of that."""
    found = []
    one_by_one = unicodedata.normalize

    def watched(form: str, text: str) -> str:
        runs = "".join("m" if unicodedata.combining(one_by_one("NFKD", sign)[0]) else " " for sign in text).split()
        found.append(max(map(len, runs), default=0))
        return one_by_one(form, text)

    monkeypatch.setattr(normalisation.unicodedata, "normalize", watched)
    return found


@pytest.mark.parametrize("marks", UNORDERED)
@pytest.mark.parametrize(
    "read",
    [
        lambda text: normalize("NFKC", text),
        normalise,
        clusters,
        tag_key,
        searchable_text,
        lambda text: analyze(text, "en"),
    ],
    ids=["normalize", "normalise", "clusters", "tag_key", "searched_words", "analyze"],
)
def test_no_more_marks_are_put_in_order_than_anybody_writes(read, marks: str, longest_run: list[int]) -> None:
    read("ก" + marks * 2_000)
    read("a" + marks * 2_000)
    assert longest_run
    assert max(longest_run) <= max(SHORT, MOST_MARKS)


@pytest.mark.parametrize("form", FORMS)
def test_what_people_write_is_normalised_as_ever(form: str) -> None:
    texts = [
        "Zürich " * 100,
        "e\u0301" * 500,
        "日本語 " * 200,
        "a" + "\u0301" * MOST_MARKS + " " * SHORT,
        "plain " * 99,
    ]
    for text in texts:
        assert normalize(form, text) == unicodedata.normalize(form, text)
        assert len(text) > SHORT


def test_every_mark_that_can_be_moved_is_known() -> None:
    pattern = normalisation._too_many_marks()
    for sign in map(chr, range(sys.maxunicode + 1)):
        if unicodedata.combining(unicodedata.normalize("NFKD", sign)[0]):
            assert pattern.fullmatch(sign * (MOST_MARKS + 1)), ascii(sign)


def test_nothing_else_normalises() -> None:
    for path in Path("backend").rglob("*.py"):
        if path.name != "normalisation.py":
            assert not re.search(r"\bunicodedata\.normalize\(", path.read_text("utf-8")), path


def test_blanks_without_a_line_end_are_gone_through_once() -> None:
    assert clean_paragraphs("a" + " " * 300_000 + "b\n \n\t\n  c") == "a" + " " * 300_000 + "b\n\n  c"


def test_only_so_many_scripts_of_a_page_are_kept() -> None:
    scan = scan_html('<script type="application/ld+json"></script>' * (MAX_SCRIPTS + 500) + "<p>text</p>")
    assert (len(scan.linked_data), scan.text) == (MAX_SCRIPTS, "text")


@pytest.mark.parametrize("text", ["9" * 20, "9" * 5_000, "-" * 5_000, "2015-" + "9" * 20, "1/2/" * 1_000])
def test_a_date_that_no_calendar_holds_is_none(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize("script", ['{"@type": "Article", "headline": "&#%s;"}', '{"headline": "a", "b": "&#%s;",'])
def test_a_number_that_python_refuses_to_read_stops_no_capture(script: str) -> None:
    digits = "1" * 5_000
    assert read_linked_data([script % digits], "https://example.org/").headline in (f"&#{digits};", "a")
