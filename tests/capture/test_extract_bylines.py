"""Authors, days of publication and titles where a page shows them only, or says them together with something else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backend.capture.extract.page import ExtractedPage
from backend.capture.extract.page_reader import extract_page
from backend.capture.extract.person_names import without_address

pytestmark = pytest.mark.unit

BODY = "<p>" + "The tide tables of the harbour were printed on yellow paper until the war. " * 6 + "</p>"
MODIFIED = '<meta property="article:modified_time" content="2021-05-03">'


def read(body: str, head: str = "", url: str = "https://tides.example/log/x") -> ExtractedPage:
    markup = f"<html><head><title>Tides</title>{head}</head><body>{body}{BODY}</body></html>"
    return extract_page(markup.encode(), url=url, media_type="text/html", charset="utf-8")


@pytest.mark.parametrize(
    ("byline", "author"),
    [
        ('<p class="byline">By <a href="/a">Jo Reed</a><br>March 25, 2015</p>', "Jo Reed"),
        ('<p class="byline author">Written by Jo Reed<br>Edited by Vera Ohm</p>', "Jo Reed"),
        ('<div class="author_fmt">By <a rel="author" href="/a">Jo Reed, MA</a><br>Tide Office</div>', "Jo Reed"),
        ('<span class="pb-byline">By Jo Reed and Vera Ohm</span>', "Jo Reed, Vera Ohm"),
        ('<span class="author">Von Jo Reed</span>', "Jo Reed"),
        ('<span class="byline">By Jo Reed, senior reporter</span>', "Jo Reed"),
    ],
)
def test_the_author_is_read_from_the_line_that_says_by(byline: str, author: str | None) -> None:
    assert read(byline).author == author


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ("Jo Reed (https://reed.example/jo/)", "Jo Reed"),
        ("Jo Reed <jo@reed.example>", "Jo Reed"),
        ("https://reed.example/jo", ""),
        ("Jo Reed (editor)", "Jo Reed (editor)"),
    ],
)
def test_addresses_are_no_part_of_a_name(stated: str, name: str) -> None:
    assert without_address(stated) == name


@pytest.mark.parametrize(
    ("body", "head", "published"),
    [
        ('<p class="info">Published on 2 May 2020</p>', "", datetime(2020, 5, 2, tzinfo=UTC)),
        ('<p class="info">This page was last edited on 3 May 2021</p>', "", None),
        ('<p class="info">Last updated: <time datetime="2021-05-03">3 May 2021</time></p>', "", None),
        ('<div><span>Updated</span><time datetime="2021-05-03">3 May 2021</time></div>', "", None),
        ('<p class="info">Zuletzt bearbeitet am 3. Mai 2021</p>', "", None),
        ("", MODIFIED, None),
        ('<p class="date">3 May 2021</p>', MODIFIED, None),
        ('<p class="date">2 May 2020</p>', MODIFIED, datetime(2020, 5, 2, tzinfo=UTC)),
        ('<div class="mw-parser-output"><p>Founded on 2 May 2020</p></div>', "", None),
        ("<p>Updated tables came later than the others.</p>", "", None),
    ],
)
def test_the_day_of_a_change_is_not_that_of_publication(body: str, head: str, published: datetime | None) -> None:
    assert read(body, head).published_at == published


@pytest.mark.parametrize(
    ("heading", "title"),
    [
        ('<h1><span class="kicker">Energy</span><span>: </span><span>The wind turns</span></h1>', "The wind turns"),
        ('<h1><span class="a-overline">Energy</span> The wind turns</h1>', "The wind turns"),
        ("<h1><span>Energy</span>: The wind turns</h1>", "Energy: The wind turns"),
        ('<h1>The wind <span class="kicker">turns</span></h1>', "Energy: The wind turns"),
    ],
)
def test_the_topic_in_front_of_a_headline_is_no_part_of_it(heading: str, title: str) -> None:
    assert read(heading, '<meta property="og:title" content="Energy: The wind turns">').title == title


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ('<h2 itemprop="headline">Reading a table</h2>', "Reading a table"),
        ('<h2 itemprop="headline">Reading</h2><h2 itemprop="headline">Writing</h2>', "Tides"),
        ('<h1>Tables</h1><h2 itemprop="headline">Reading a table</h2>', "Tables"),
        # "Tides" is the name of the host.
        ("<h3>Reading an old table</h3>", "Reading an old table"),
        ("<h3>Reading</h3>", "Tides"),
    ],
)
def test_a_heading_is_the_title_where_the_title_is_that_of_the_site(body: str, title: str) -> None:
    assert read(body).title == title


def test_a_mirror_knows_the_name_of_its_host_from_the_canonical_address() -> None:
    head = '<link rel="canonical" href="https://tides.example/log/x">'
    assert read("<h3>Reading an old table</h3>", head, url="https://mirror.example/1").title == "Reading an old table"


def test_the_front_page_of_a_site_keeps_its_title() -> None:
    assert read("<h3>Reading an old table</h3>", url="https://tides.example/").title == "Tides"


def test_a_stated_title_that_was_cut_is_completed_by_the_heading() -> None:
    cut = '<meta property="og:title" content="How the tables of the…">'
    assert (
        read("<h1>How the tables of the harbour were read</h1>", cut).title == "How the tables of the harbour were read"
    )
