"""Real exports of other products, where they are present: the counts of each file, and samples of what is in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.transfer.formats.reading import read_file, utc

EXPORTS = Path(__file__).parents[4] / "shared" / "data" / "exports"

pytestmark = [pytest.mark.unit, pytest.mark.skipif(not EXPORTS.is_dir(), reason="the exports are not here")]

# The format, the bookmarks, and the lines that are none: queries of Firefox, and notes of Shaarli without an address.
FILES = {
    "kipclip/bookmarks.html": ("netscape_html", 5, 0),
    "kipclip/instapaper.csv": ("instapaper_csv", 5, 0),
    "kipclip/pocket.csv": ("pocket_csv", 5, 0),
    "linkding/simple_valid_import_file.html": ("netscape_html", 3, 0),
    "netscape-go/safari_folded.htm": ("netscape_html", 3, 0),
    "raindrop-import-scripts/ril_sample_export.html": ("pocket_html", 1, 0),
    "raindrop-import-scripts/sample_chrome.json": ("chrome_json", 4, 0),
    "raindrop-import-scripts/sample_pocket.html": ("pocket_html", 3, 0),
    "shaarli/empty.htm": ("url_list", 0, 0),
    "shaarli/lowercase_doctype.htm": ("netscape_html", 2, 0),
    "shaarli/netscape_nested.htm": ("netscape_html", 8, 0),
    "shaarli/netscape_nodate.htm": ("netscape_html", 1, 0),
    "shaarli/same_date.htm": ("netscape_html", 3, 0),
    "shaarli-nbp/chromium_flat.htm": ("netscape_html", 9, 0),
    "shaarli-nbp/delicious.htm": ("netscape_html", 5, 0),
    "shaarli-nbp/empty.htm": ("url_list", 0, 0),
    "shaarli-nbp/firefox_flat.htm": ("netscape_html", 21, 3),
    "shaarli-nbp/internet_explorer_11_flat.htm": ("netscape_html", 18, 0),
    "shaarli-nbp/netscape_basic.htm": ("netscape_html", 2, 0),
    "shaarli-nbp/netscape_extended.htm": ("netscape_html", 1, 0),
    "shaarli-nbp/netscape_nested.htm": ("netscape_html", 8, 0),
    "shaarli-nbp/scuttle.htm": ("netscape_html", 4, 0),
    "shaarli-nbp/scuttle_new_line.htm": ("netscape_html", 1, 0),
    "shaarli-nbp/shaarli.htm": ("netscape_html", 5, 1),
    "shaarli-nbp/shaarli_legacy.htm": ("netscape_html", 2, 0),
    "shaarli-nbp/shaarli_with_tabs_and_spaces.htm": ("netscape_html", 0, 1),
    "shaarli-nbp/shaarli_with_whitespace_tags.htm": ("netscape_html", 0, 1),
    "shiori/pocket-new.csv": ("pocket_csv", 1, 0),
    "wallabag/elcurator.json": ("json", 1, 0),
    "wallabag/firefox-bookmarks.json": ("firefox_json", 2, 0),
    "wallabag/pocket.csv": ("pocket_csv", 7, 0),
    "wallabag/readability-read.json": ("readability_json", 2, 0),
    "wallabag/shaarli-bookmarks.html": ("netscape_html", 2, 0),
    "wallabag/test.csv": ("url_list", 0, 0),
    "wallabag/test.html": ("url_list", 0, 0),
    "wallabag/wallabag-v1-read.json": ("wallabag_json", 3, 0),
    "wallabag/wallabag-v1.json": ("wallabag_json", 2, 0),
    "wallabag/wallabag-v2-empty.json": ("url_list", 0, 0),
    "wallabag/wallabag-v2-read.json": ("wallabag_json", 2, 0),
}


def outcome_of(name: str):
    return read_file((EXPORTS / name).read_bytes())


def test_no_file_is_left_out():
    assert {str(path.relative_to(EXPORTS)) for path in EXPORTS.rglob("*") if path.is_file()} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_recognised_and_every_line_of_it_counts(name):
    outcome = outcome_of(name)
    assert (outcome.format, len(outcome.bookmarks), len(outcome.skipped)) == FILES[name]
    assert outcome.fault == ""


@pytest.mark.parametrize("name", [name for name, (_, found, _) in FILES.items() if found])
def test_every_bookmark_has_an_address_and_a_title(name):
    for bookmark in outcome_of(name).bookmarks:
        assert bookmark.url.startswith(("http://", "https://"))
        assert bookmark.title
        assert "\ufffd" not in bookmark.title + bookmark.description


def test_tags_of_several_words_and_folders_with_commas():
    first, second, third, *_ = outcome_of("shaarli-nbp/netscape_nested.htm").bookmarks
    assert (first.tags, first.folders) == (("tag1", "tag2", "multi word"), ())
    assert second.folders == ("Folder1, the first,folder to encounter",)
    assert third.tags == ("tag3", "tag4", "leaf multi word")


def test_the_one_date_in_the_form_of_a_log():
    secret, public = outcome_of("shaarli-nbp/netscape_basic.htm").bookmarks
    assert (secret.created_at, secret.tags) == (utc(2000, 10, 10, 10, 55, 36), ("private", "secret"))
    assert public.tags == ("public", "hello", "world")


def test_the_same_date_in_three_units():
    dates = {bookmark.created_at for bookmark in outcome_of("linkding/simple_valid_import_file.html").bookmarks}
    assert dates == {utc(2021, 3, 21, 14, 39, 19)}


def test_a_title_over_three_lines_of_a_table():
    assert outcome_of("wallabag/pocket.csv").bookmarks[-1].title.count("\n") == 2


def test_a_link_with_a_picture_stays_in_the_description():
    description = outcome_of("shaarli-nbp/netscape_extended.htm").only.description
    assert description.startswith("For 10 years")
    assert description.endswith("Shaarli/?JVvqCA")
