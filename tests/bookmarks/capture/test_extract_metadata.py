"""What a page says of itself, and which of it is believed."""

import pytest

from backend.bookmarks.capture.extract import ExtractedPage, extract_page
from backend.bookmarks.capture.text import clean_line

pytestmark = pytest.mark.unit

BODY = "<p>" + "The tide tables of the harbour were printed on yellow paper until the war. " * 6 + "</p>"


def read(
    head: str, body: str = BODY, *, html: str = "<html>", url: str = "https://www.tides.example/x"
) -> ExtractedPage:
    markup = f"<!doctype html>{html}<head>{head}</head><body>{body}</body></html>"
    return extract_page(markup.encode(), url=url, media_type="text/html", charset=None)


def json_ld(content: str) -> str:
    return f'<script type="application/ld+json">{content}</script>'


def og(**values: str) -> str:
    return "".join(f'<meta property="og:{name}" content="{value}">' for name, value in values.items())


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ("<title>Tide tables</title>", "", "Tide tables"),
        ("<title>\n  Tide\n tables </title>", "", "Tide tables"),
        ("<title>Tide tables | Harbour News</title>" + og(site_name="Harbour News"), "", "Tide tables"),
        ("<title>Harbour News: Tide tables</title>" + og(site_name="Harbour News"), "", "Tide tables"),
        ("<title>Tide tables - tides.example</title>", "", "Tide tables"),
        ("<title>Tide tables - A history</title>", "", "Tide tables - A history"),
        ("<title>Tide tables | Harbour News</title>", "<h1>Tide tables</h1>", "Tide tables"),
        ("<title>Harbour e.V.: Tide tables</title>", "<h1>Tide tables</h1>", "Tide tables"),
        ("<title>Tide tables | Harbour News</title>", "<h1>Harbour News</h1>", "Tide tables | Harbour News"),
        (og(title="Tide tables") + "<title>x</title>", "", "Tide tables"),
        (
            og(title="Tables of the tide") + "<title>x</title>",
            "<h1>All tables ever printed</h1>",
            "All tables ever printed",
        ),
        (og(title="Tide tables") + "<title>x</title>", "<h1>Harbour</h1><h1>Sea</h1>", "Tide tables"),
        (og(title="Tide tables") + "<title>x</title>", "<h1>New: Tide tables</h1>", "Tide tables"),
        (og(title="Social tide") + '<meta name="citation_title" content="On Tides">', "", "On Tides"),
        (
            og(title="Tides") + json_ld('{"@type":"NewsArticle","headline":"Tide tables"}'),
            "<h1>Tide tables</h1>",
            "Tide tables",
        ),
        (og(title="Tides") + json_ld('{"@type":"Article","headline":"A list article"}'), "", "Tides"),
        ("<title>Harbour News</title>" + og(site_name="Harbour News"), "<h1>Tide tables</h1>", "Tide tables"),
        ("<title>Harbour News</title>" + og(site_name="Harbour News"), "", "Harbour News"),
        ("<svg><title>logo</title></svg>", "<h1>Tide tables</h1>", "Tide tables"),
        ("", "<h1>Tide <em>tables</em></h1>", "Tide tables"),
        ("", "", None),
        ("<title>" + "long " * 1000 + "</title>", "", clean_line("long " * 100)),
    ],
)
def test_the_title_is_the_headline_without_the_site(head: str, body: str, title: str | None) -> None:
    found = read(head, body + BODY).title
    if found and found.endswith("…"):
        assert len(found) <= 500
        assert title
        assert title.startswith(found[:-1])
    else:
        assert found == title
