"""What a page says of itself, and which of it is believed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backend.capture.extract.page import ExtractedPage
from backend.capture.extract.page_reader import extract_page

pytestmark = pytest.mark.unit

BODY = "<p>" + "The tide tables of the harbour were printed on yellow paper until the war. " * 6 + "</p>"
URL = "https://www.tides.example/log/x"
HARBOUR = '<meta property="og:site_name" content="Harbour News">'


def read(head: str, body: str = "", *, root: str = "<html>", url: str = URL) -> ExtractedPage:
    markup = f"<!doctype html>{root}<head>{head}</head><body>{body}{BODY}</body></html>"
    return extract_page(markup.encode(), url=url, media_type="text/html", charset=None)


def meta(**values: str) -> str:
    return "".join(f'<meta name="{name.replace("_", ":", 1)}" content="{value}">' for name, value in values.items())


def json_ld(content: str) -> str:
    return f'<script type="application/ld+json">{content}</script>'


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ("<title>Tide tables</title>", "", "Tide tables"),
        ("<title>\n  Tide\n tables </title>", "", "Tide tables"),
        (f"<title>Tide tables | Harbour News</title>{HARBOUR}", "", "Tide tables"),
        (f"<title>Harbour News: Tide tables</title>{HARBOUR}", "", "Tide tables"),
        (f'{HARBOUR}<meta property="og:title" content="Tide tables — harbour news">', "", "Tide tables"),
        ("<title>Tide tables - tides.example</title>", "", "Tide tables"),
        ("<title>Tide tables -</title>", "", "Tide tables"),
        ("<title>Tide tables - A history</title>", "", "Tide tables - A history"),
        ("<title>Tide tables | Harbour News</title>", "", "Tide tables | Harbour News"),
        ("<title>Tide tables | Harbour News</title>", "<h1>Tide tables</h1>", "Tide tables"),
        ("<title>Harbour e.V.: Tide tables</title>", "<h1>Tide tables</h1>", "Tide tables"),
        ("<title>Tide tables | Harbour News</title>", "<h1>Harbour News</h1>", "Tide tables | Harbour News"),
        (meta(og_title="Tide tables") + "<title>x</title>", "", "Tide tables"),
        (meta(twitter_title="Tide tables") + "<title>x</title>", "", "Tide tables"),
        (meta(og_title="Tables of the sea"), "<h1>All tables ever made</h1>", "All tables ever made"),
        (meta(og_title="Tide tables"), "<h1>Harbour</h1>", "Tide tables"),
        (meta(og_title="Tide tables"), "<h1>The tables</h1><h1>More tables</h1>", "Tide tables"),
        (meta(og_title="Tide tables"), "<h1>New: Tide tables</h1>", "Tide tables"),
        (meta(og_title="Social") + meta(citation_title="On Tides").replace(":", "_"), "", "On Tides"),
        (meta(og_title="Wet") + json_ld('{"@type": "NewsArticle", "headline": "Dry"}'), "<h1>Dry</h1>", "Dry"),
        (meta(og_title="Wet") + json_ld('{"@type": "Article", "headline": "A list article"}'), "", "Wet"),
        (f"<title>Harbour News</title>{HARBOUR}", "<h1>Tide tables</h1>", "Tide tables"),
        (f"<title>Harbour News</title>{HARBOUR}", "", "Harbour News"),
        ("<title>Tides</title>", "", "Tides"),
        ("<title> </title>", "<h1>Tide tables</h1>", "Tide tables"),
        ("", "<svg><title>logo</title></svg><h1>Tide <em>tables</em></h1>", "Tide tables"),
        ("<title>R&amp;D &#8211; why</title>", "", "R&D – why"),
        ("", "", None),
    ],
)
def test_the_title_is_the_headline_without_the_site(head: str, body: str, title: str | None) -> None:
    assert read(head, body).title == title


def test_a_long_title_is_cut() -> None:
    title = read("<title>" + "long " * 1000 + "</title>").title
    assert title is not None
    assert len(title) <= 500
    assert title.endswith("long…")


ARTICLE = """
    "@type": "NewsArticle", "headline": "Tide tables", "datePublished": "2021-03-04T05:06:07+02:00",
    "author": {"@type": "Person", "name": "Ida Strand"}, "image": ["https://tides.example/a.jpg"],
    "publisher": {"@type": "Organization", "name": "Harbour News"}, "description": "Old ones.", "inLanguage": "nb-NO"
"""


@pytest.mark.parametrize(
    "script",
    [
        f'{{"@context": "https://schema.org", {ARTICLE}}}',
        f'{{"@context": {{"@vocab": "http://schema.org/"}}, {ARTICLE}}}',
        f'[{{"@type": "BreadcrumbList"}}, {{{ARTICLE}}}]',
        f'{{"@graph": [{{"@type": "WebSite", "name": "Other"}}, {{{ARTICLE}}}]}}',
        f'{{"@type": "WebPage", "mainEntity": {{{ARTICLE}}}}}',
        f"\n<!--\n{{{ARTICLE}}}\n-->\n",
        f"//<![CDATA[\n{{{ARTICLE}}}\n//]]>",
        f"{{{ARTICLE},}};",
        f'{{{ARTICLE}, "articleBody": "two\nlines\tand a tab"}}',
        f'{{{ARTICLE}}} {{"trailing": "rubbish"',
        f"{{{ARTICLE}}}".replace('"NewsArticle"', '["Thing", "BlogPosting"]'),
        f"{{{ARTICLE}}}".replace('"name": "Ida Strand"', '"givenName": "Ida", "familyName": "Strand"'),
        f"{{{ARTICLE}}}".replace('{"@type": "Person", "name": "Ida Strand"}', '["Ida Strand"]'),
        f'{{"@graph": [{{{ARTICLE}}}, {{"@type": "Person", "@id": "#ida", "name": "Ida Strand"}}]}}'.replace(
            '{"@type": "Person", "name": "Ida Strand"}', '{"@id": "#ida"}', 1
        ),
        f"{{{ARTICLE}}}".replace('["https://tides.example/a.jpg"]', '{"@type": "ImageObject", "url": "/a.jpg"}'),
    ],
)
def test_json_ld_is_understood_in_all_its_forms(script: str) -> None:
    page = read(json_ld(script) + "<title>Tide tables</title>")
    assert page.author == "Ida Strand"
    assert page.published_at == datetime(2021, 3, 4, 3, 6, 7, tzinfo=UTC)
    assert page.site_name == "Harbour News"
    assert page.description == "Old ones."
    assert page.language == "nb"
    assert page.image_url in ("https://tides.example/a.jpg", "https://www.tides.example/a.jpg")


@pytest.mark.parametrize(
    "script",
    [
        "",
        "{",
        "null",
        "[]",
        "7",
        '"text"',
        "{{template}}",
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"@type": 5, "author": {"name": {}}}',
        '{"@type": "Article", "author": {"@id": "#a"}, "publisher": {"@id": "#b"}}',
        '{"@id": "#a", "x": [[[null]]]}',
    ],
)
def test_broken_json_ld_does_no_harm(script: str) -> None:
    page = read(json_ld(script) + "<title>Tide tables</title>")
    assert (page.title, page.author) == ("Tide tables", None)


def test_what_can_be_told_apart_in_json_ld_beyond_repair_is_used() -> None:
    page = read(
        json_ld('{"@type": "Article" "datePublished": "2020-02-03", "headline": "A \\"wet\\" year"}'),
        "<h1>A wet year</h1>",
    )
    assert page.published_at == datetime(2020, 2, 3, tzinfo=UTC)
    assert page.title == 'A "wet" year'


def test_of_many_articles_on_a_front_page_none_is_the_page() -> None:
    story = '{"@type": "Article", "@id": "#%d", "headline": "Story %d", "author": "Ida %d"}'
    stories = ",".join(story % (number, number, number) for number in range(3))
    for address in ("https://a.example/", "https://a.example/front"):
        page = read(json_ld(f"[{stories}]") + "<title>Harbour News</title>", url=address)
        assert (page.title, page.author) == ("Harbour News", None)


def test_of_many_articles_the_one_with_this_address_is_the_page() -> None:
    other = '{"@type": "Article", "headline": "Other", "author": "Otto"}'
    mine = f'{{"@type": "Article", "headline": "Mine", "author": "Ida", "url": "{URL}/"}}'
    assert read(json_ld(f"[{other}, {mine}]")).author == "Ida"


@pytest.mark.parametrize(
    ("head", "body", "author"),
    [
        (meta(author="Ida Strand"), "", "Ida Strand"),
        (meta(author="By Ida Strand"), "", "Ida Strand"),
        (meta(author="Von Trapp, Ida"), "", "Von Trapp, Ida"),
        (meta(author="https://tides.example/ida"), "", None),
        (meta(author="ida@tides.example"), "", None),
        ('<meta property="article:author" content="https://social.example/ida">' + meta(author="Ida"), "", "Ida"),
        ('<meta name="citation_author" content="A, B"><meta name="citation_author" content="C, D">', "", "B A, D C"),
        ("", '<p class="byline">By <a rel="author" href="/i">Ida Strand</a></p>', "Ida Strand"),
        ("", '<p class="byline">Follow this story now</p>', None),
        ("", "", None),
    ],
)
def test_the_author_is_a_name(head: str, body: str, author: str | None) -> None:
    assert read(head, body).author == author


@pytest.mark.parametrize(
    ("stated", "moment"),
    [
        ("2021-03-04T05:06:07Z", datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("2021-03-04T05:06:07.5+05:30", datetime(2021, 3, 3, 23, 36, 7, 500_000, tzinfo=UTC)),
        ("2021-03-04T05:06:07+0100", datetime(2021, 3, 4, 4, 6, 7, tzinfo=UTC)),
        ("2021-03-04 05:06", datetime(2021, 3, 4, 5, 6, tzinfo=UTC)),
        ("2021-03-04", datetime(2021, 3, 4, tzinfo=UTC)),
        ("2021/3/4", datetime(2021, 3, 4, tzinfo=UTC)),
        ("1871", datetime(1871, 1, 1, tzinfo=UTC)),
        ("Thu, 04 Mar 2021 05:06:07 +0000", datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("2021-13-45", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-23:59", None),
        ("yesterday", None),
    ],
)
def test_the_date_is_a_moment_in_utc(stated: str, moment: datetime | None) -> None:
    head = f'<meta property="article:published_time" content="{stated}">'
    assert read(head, url="https://tides.example/").published_at == moment


def test_a_date_that_only_the_page_shows_is_found() -> None:
    body = '<p>Published on <time datetime="2019-07-08">8 July 2019</time></p>'
    assert read("", body).published_at == datetime(2019, 7, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("root", "head", "language"),
    [
        ('<html lang="en-GB">', "", "en"),
        ('<html lang="PT_br">', "", "pt"),
        ('<html xml:lang="de">', "", "de"),
        ('<html lang="">', meta(language="fr"), "fr"),
        ('<html lang="{{ lang }}">', '<meta http-equiv="Content-Language" content="it">', "it"),
        ("<html>", '<meta property="og:locale" content="nb_NO">', "nb"),
        ("<html>", "", None),
    ],
)
def test_the_language_is_a_primary_tag(root: str, head: str, language: str | None) -> None:
    assert read(head, root=root).language == language


@pytest.mark.parametrize(
    ("address", "image_url"),
    [
        ("https://cdn.example/a.png", "https://cdn.example/a.png"),
        ("/img/a.png", "https://www.tides.example/img/a.png"),
        ("a.png", "https://www.tides.example/log/a.png"),
        ("//cdn.example/a.png", "https://cdn.example/a.png"),
        ("data:image/png;base64,AAAA", None),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("http://[", None),
        ("https://cdn.example/" + "a" * 3000, None),
    ],
)
def test_the_image_is_an_absolute_web_address(address: str, image_url: str | None) -> None:
    assert read(meta(og_image=address)).image_url == image_url


@pytest.mark.parametrize(
    ("head", "site_name"),
    [
        (HARBOUR, "Harbour News"),
        ('<meta property="og:site_name" content="https://www.tides.example/">', "tides.example"),
        ('<meta property="og:site_name" content="@tides">', "tides"),
        ('<meta property="og:site_name" content="https://[">', None),
        (f'<meta property="og:site_name" content="{"slogan " * 20}">', None),
        ("", None),
    ],
)
def test_the_site_is_named_shortly(head: str, site_name: str | None) -> None:
    assert read(head).site_name == site_name


def test_a_description_is_plain_text_on_a_line() -> None:
    head = meta(description="&lt;p&gt;Old\n tables&lt;/p&gt;&lt;p&gt;and new&lt;/p&gt;")
    assert read(head).description == "Old tables and new"


@pytest.mark.parametrize(
    "statement",
    [
        '<link rel="canonical" href="https://www.tidewatch.example/a">',
        '<meta property="og:url" content="https://tidewatch.example/a">',
    ],
)
def test_a_page_read_from_a_mirror_is_known_by_the_address_it_states(statement: str) -> None:
    head = f"<title>Harbour lights in winter | Tide Watch</title>{statement}"
    assert read(head, url="http://127.0.0.1:8000/1").title == "Harbour lights in winter"


@pytest.mark.parametrize("address", ["http://[", "https://a]b/", "//", "mailto:x", "http://\x00"])
def test_an_impossible_stated_address_does_no_harm(address: str) -> None:
    head = f'<title>Harbour lights in winter</title><link rel="canonical" href="{address}">'
    assert read(head).title == "Harbour lights in winter"
