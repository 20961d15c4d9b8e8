"""R-IO: the body of an HTML page, as text and to read."""

from __future__ import annotations

import pytest

from backend.capture.extract.page import ExtractedPage, UnreadablePage, UnsupportedMedia
from backend.capture.extract.page_reader import extract_page

pytestmark = pytest.mark.unit

URL = "https://news.example/2024/river/page.html"
PARAGRAPH = (
    "The river rose for three days, and on the fourth the people of the lower town carried their beds upstairs, "
    "where the children thought it was a feast and the old ones counted the steps that were still dry. "
)


def read(markup: str, *, url: str = URL, media_type: str = "text/html") -> ExtractedPage:
    return extract_page(markup.encode(), url=url, media_type=media_type, charset="utf-8")


def article(inner: str, *, head: str = "") -> str:
    return (
        f"<!doctype html><html><head>{head}</head><body>"
        '<nav><ul><li><a href="/">Start</a><li><a href="/imprint">Imprint of the publisher</a></ul></nav>'
        f"<article><h1>High water</h1><p>{PARAGRAPH}</p>{inner}<p>{PARAGRAPH * 2}</p></article>"
        "<footer><p>All rights reserved by the publisher</p></footer></body></html>"
    )


def test_the_article_is_kept_and_what_surrounds_it_is_not() -> None:
    page = read(article("<p>The mayor came by boat.</p>"))
    assert "The mayor came by boat." in page.text
    assert "counted the steps" in page.text
    assert "Imprint" not in page.text
    assert "All rights reserved" not in page.text


def test_paragraphs_items_and_rows_stand_on_lines_of_their_own() -> None:
    page = read(article("<ul><li>bread</li><li>lamp oil</li></ul><table><tr><td>Monday</td><td>4 m</td></tr></table>"))
    assert "bread\nlamp oil" in page.text
    assert "\nMonday 4 m\n" in page.text
    assert "\n\n\n" not in page.text


def test_reader_html_keeps_structure_links_and_pictures() -> None:
    page = read(
        article(
            "<h2>Day one</h2><ol><li>first</li><li>second</li></ol><blockquote><p>Never so high.</p></blockquote>"
            '<p>See <a href="../map.html">the map</a> and <em>hurry</em>.</p><img src="/img/boat.jpg" alt="A boat">'
        )
    )
    assert "<h2>Day one</h2>" in page.html
    assert "<ol><li>first</li><li>second</li></ol>" in page.html
    assert "<blockquote>" in page.html
    assert "<em>hurry</em>" in page.html
    assert '<a href="https://news.example/2024/map.html" rel="noopener noreferrer nofollow">the map</a>' in page.html
    assert '<img src="https://news.example/img/boat.jpg" alt="A boat">' in page.html


@pytest.mark.parametrize(
    "code",
    [
        "<pre><code>if wet:\n    leave()</code></pre>",
        "<pre>if wet:\n    leave()</pre>",
        '<pre class="highlight"><span class="k">if</span> wet:\n    <span>leave</span>()</pre>',
    ],
)
def test_code_keeps_its_lines_and_inline_code_its_sentence(code: str) -> None:
    page = read(article(f"<p>Run <code>make dike</code> now.</p>{code}"))
    assert "Run make dike now." in page.text
    assert "if wet:\n    leave()" in page.text
    assert "Run <code>make dike</code> now." in page.html
    assert "<pre><code>if wet:\n    leave()</code></pre>" in page.html


@pytest.mark.parametrize("place", ["p", "h2", "pre"])
def test_a_tag_with_an_impossible_name_costs_nothing(place: str) -> None:
    page = read(article(f"<{place}>Then <stron\u201e>the dam</stron\u201e> went.</{place}>"))
    assert "the dam" in page.text
    assert "the dam" in page.html
    assert "Imprint" not in page.text


def test_relative_addresses_are_meant_from_the_base_element() -> None:
    page = read(article('<p>There is <a href="b.html">more of it</a>.</p>', head='<base href="/archive/1999/">'))
    assert 'href="https://news.example/archive/1999/b.html"' in page.html


def test_a_front_page_gives_its_title_and_all_its_words() -> None:
    links = "".join(f'<li><a href="/{number}">Story number {number}</a></li>' for number in range(40))
    page = read(f"<title>The Example Times</title><body><ul>{links}</ul></body>")
    assert page.title == "The Example Times"
    assert "Story number 0\n" in page.text
    assert "Story number 39" in page.text
    assert "Story number 39" in page.html


SHELL = (
    '<html><head><title>Board</title><meta name="description" content="Plan your work."></head>'
    "<body>{}<script>render()</script></body>"
)
NOTICES = [
    "You need to enable JavaScript to run this app.",
    "Please turn on JavaScript.",
    "Bitte aktivieren Sie JavaScript, um diese Seite zu benutzen.",
    "We're sorry but the board doesn't work properly without JavaScript enabled. Please enable it to continue.",
]


@pytest.mark.parametrize("notice", NOTICES)
@pytest.mark.parametrize("place", ['<div id="root"></div><noscript>{}</noscript>', '<div id="root">{}</div>'])
def test_a_notice_to_enable_scripts_is_not_the_text_of_an_application(place: str, notice: str) -> None:
    page = read(SHELL.format(place.format(notice)))
    assert (page.title, page.description) == ("Board", "Plan your work.")
    assert (page.text, page.html, page.word_count) == ("", "", 0)


def test_an_application_that_writes_its_page_for_browsers_without_scripts_is_read() -> None:
    page = read(SHELL.format(f"<noscript><p>Enable JavaScript for the map.</p><p>{PARAGRAPH}</p></noscript>"))
    assert page.text == PARAGRAPH.strip()


def test_an_article_about_scripts_is_read() -> None:
    for text in (f"You need to enable JavaScript, it said. {PARAGRAPH}", "Why every JavaScript developer needs types"):
        assert read(f"<title>Why</title><p>{text}</p>").text == text.strip()


NOISE = bytes((number * 167 + number // 256 * 31) % 256 for number in range(4096))


@pytest.mark.parametrize("media_type", ["text/html", "text/plain", "application/json", "application/xml"])
@pytest.mark.parametrize("start", [b"", b"<html><p>"])
def test_what_is_mostly_not_text_is_not_read(start: bytes, media_type: str) -> None:
    with pytest.raises((UnreadablePage, UnsupportedMedia)):
        extract_page(start + NOISE, url=URL, media_type=media_type, charset=None)


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "shift_jis", "iso2022_jp", "cp1252"])
def test_text_of_any_encoding_is_text(codec: str) -> None:
    words = {"cp1252": "Größe und Maß: déjà vu. "}.get(codec, "これは本です。")
    body = f"<title>t</title><p>{words * 50}\x1b[0m</p>".encode(codec)
    assert words[:5] in extract_page(body, url=URL, media_type="text/html", charset=codec).text


def test_a_page_with_nothing_but_a_title_is_a_page() -> None:
    page = read("<title>Soon</title>")
    assert (page.title, page.text, page.html, page.word_count) == ("Soon", "", "", 0)


@pytest.mark.parametrize("markup", ["", " \n", "<html></html>", "<script>x()</script>", "<!-- nothing -->", "<!--"])
def test_a_page_that_says_nothing_is_unreadable_with_a_reason(markup: str) -> None:
    with pytest.raises(UnreadablePage) as caught:
        read(markup)
    assert caught.value.reason.endswith(".")


def test_all_of_unicode_comes_back() -> None:
    emoji = "👨\u200d👩\u200d👧 \U0001fae9 \U0001f3f4\U000e0067\U000e007f"
    rare = f"naïve Ⅷ ﬁsh 𠮷野家 می\u200cخواهم שלום\u200f ไทย\u200bคำ {emoji}"
    for markup in (article(f"<p>{rare}</p>"), f"<p>{rare}</p>"):
        page = read(markup)
        assert rare in page.text
        assert rare in page.html


def test_what_cannot_be_stored_never_comes_out() -> None:
    linked = '<script type="application/ld+json">{"@type": "Article", "author": "X\\ud800 Y"}</script>'
    head = f"<title>a&#0;b&#xD800;c\0</title>{linked}"
    page = read(article("<p>one\0two&#0;three&#xDFFF;four&#1;five</p>", head=head))
    for value in (page.title, page.author, page.text, page.html):
        assert value is not None
        assert "\0" not in value
        assert value.encode()  # Lone surrogates cannot be encoded.
    assert page.author == "X Y"


def test_soft_hyphens_do_not_break_words() -> None:
    assert "Donaudampfschiff" in read(article("<p>Das Donau&shy;dampf&shy;schiff.</p>")).text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("one two  three", 3),
        ("Größe naïve Ελλάδα", 3),
        ("これは本です", 6),
        ("我喜欢 Python 3", 5),
        ("한국어 문장", 2),
        ("カタカナ", 4),
    ],
)
def test_words_are_counted_in_every_script(text: str, words: int) -> None:
    assert read(f"<title>t</title><p>{text}</p>").word_count == words


def test_xhtml_is_read_like_html() -> None:
    markup = '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>X</title>'
    for media_type in ("application/xhtml+xml", "application/xml"):
        page = read(f"{markup}</head><body><p>{PARAGRAPH * 3}</p></body></html>", media_type=media_type)
        assert page.title == "X"
        assert page.text.startswith("The river rose")


def test_the_same_page_reads_the_same_whatever_was_read_before() -> None:
    markup = article("<p>The mayor came by boat.</p>")
    first = read(markup)
    for _ in range(5):
        read(article(f"<p>{PARAGRAPH}</p>"))
        assert read(markup) == first
