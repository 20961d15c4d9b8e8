"""Titles, names and descriptions as one line to show: blanks, invisible characters, escapes, permalinks, fallbacks."""

from __future__ import annotations

import html

import pytest

from backend.capture.extract.escapes import unescape_twice_escaped
from backend.capture.extract.page import ExtractedPage
from backend.capture.extract.page_reader import extract_page
from backend.capture.extract.person_names import given_name_first, without_role
from backend.capture.extract.text import clean_label, first_sentence
from backend.capture.extract.title import address_title, without_permalink

pytestmark = pytest.mark.unit

URL = "https://www.example.org/docs/page.html?x=1#part"
SENTENCE = "The tide tables of the harbour were printed on yellow paper until the war."


def read(head: str, body: str = f"<p>{SENTENCE}</p>", *, url: str = URL) -> ExtractedPage:
    markup = f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"
    return extract_page(markup.encode(), url=url, media_type="text/html", charset="utf-8")


def named(name: str, content: str) -> str:
    return f'<meta property="{name}" content="{html.escape(content)}">'


LABELS = [
    ("Tide\xa0tables", "Tide tables"),
    ("\xa0Tide \u2009\u202f tables\u3000", "Tide tables"),
    ("Ti\u200bde\ufeff tab\u2060les\u200b", "Tide tables"),
    ("\u200eTide tables\u200f", "Tide tables"),
    ("Tide\u200d \u200ctables\u200d", "Tide tables"),
    ("Tide\xadtables", "Tidetables"),
    ("\u200b\xa0\ufeff", None),
    ("", None),
    ("نیم\u200cفاصله", "نیم\u200cفاصله"),
    ("שלום\u200f C++", "שלום\u200f C++"),
    ("👨\u200d👩\u200d👧 fish", "👨\u200d👩\u200d👧 fish"),
    ("क्\u200dष", "क्\u200dष"),
    ("❤\ufe0f R&D", "❤\ufe0f R&D"),
]


@pytest.mark.parametrize(("text", "label"), LABELS)
def test_a_label_has_plain_blanks_and_nothing_invisible(text: str, label: str | None) -> None:
    assert clean_label(text) == label


@pytest.mark.parametrize(("text", "label"), [(text, label) for text, label in LABELS if label])
def test_every_label_of_a_page_is_clean(text: str, label: str) -> None:
    names = {"og:title": text, "author": text, "og:description": text, "og:site_name": text}
    page = read("".join(named(name, value) for name, value in names.items()))
    assert (page.author, page.description, page.site_name) == (label, label, label)
    assert read(f"<title>{html.escape(text)}</title>").title == label


@pytest.mark.parametrize(
    ("value", "evidence", "plain"),
    [
        ("Rock & Roll", [], "Rock & Roll"),
        ("Rock &amp; Roll", [], "Rock & Roll"),
        ("It&#39;s &quot;it&quot; &#8211; here&nbsp;now", [], 'It\'s "it" – here\xa0now'),
        ("AT&amp;T &lt;b&gt;", [], "AT&amp;T &lt;b&gt;"),
        ("AT&amp;T &lt;b&gt;", [["AT&T <b> | Site"]], "AT&T <b>"),
        ("What &amp; means", [["What &amp; means"]], "What &amp; means"),
        ("What &amp; means", [["What  &amp;\nmeans: a guide"], ["What & means"]], "What &amp; means"),
        ("What &amp; means", [["Something else", None], ["What & means"]], "What & means"),
        ("&amp;amp; twice", [], "&amp; twice"),
        ("?a=1&copy=2 &unknown; &", [], "?a=1&copy=2 &unknown; &"),
        ("&#99999999999999;", [], "&#99999999999999;"),
    ],
)
def test_what_was_escaped_twice_is_unescaped_once_more(value: str, evidence: list[list[str]], plain: str) -> None:
    assert unescape_twice_escaped(value, *evidence) == plain


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ('<meta property="og:title" content="Rock &amp;amp; Roll">', "", "Rock & Roll"),
        ('<meta property="og:title" content="Rock &amp;amp; Roll"><title>Rock &amp; Roll</title>', "", "Rock & Roll"),
        ("<title>Rock &amp;amp; Roll</title>", "", "Rock & Roll"),
        ("<title>Rock &amp; Roll</title>", "", "Rock & Roll"),
        ("<title>Rock &amp;amp; Roll</title>", "<h1>Rock &amp;amp; Roll</h1>", "Rock &amp; Roll"),
        ('<meta property="og:title" content="AT&amp;T &lt;b&gt;">', "", "AT&T <b>"),
        ('<meta property="og:title" content="AT&amp;amp;T &amp;lt;b&amp;gt;">', "", "AT&amp;T &lt;b&gt;"),
        ("<title>Escaping &amp;lt; in HTML</title>", "<h1>Escaping &amp;lt; in HTML</h1>", "Escaping &lt; in HTML"),
        ("<title>Escaping &amp;lt; in HTML</title>", "", "Escaping &lt; in HTML"),
    ],
)
def test_titles_are_unescaped_where_the_page_escaped_them_twice(head: str, body: str, title: str) -> None:
    assert read(head, f"{body}<p>{SENTENCE}</p>").title == title


def test_names_and_descriptions_are_unescaped_alike() -> None:
    page = read(named("author", "Ida &amp; Ole") + named("description", "Salt &amp; oil &#8230;") + "<title>t</title>")
    assert (page.author, page.description) == ("Ida & Ole", "Salt & oil …")


@pytest.mark.parametrize(
    ("description", "shown"),
    [
        ("Why <b> is not <strong>", "Why <b> is not <strong>"),
        ("a < b", "a < b"),
        ("<p>Two <b>old</b> lamps</p>", "Two old lamps"),
        ("One<br>two", "One two"),
    ],
)
def test_markup_in_a_description_is_removed_where_it_is_markup(description: str, shown: str) -> None:
    assert read(named("og:description", description)).description == shown


@pytest.mark.parametrize(
    ("heading", "plain"),
    [
        ("Worker pools¶", "Worker pools"),
        ("Worker pools ¶ ", "Worker pools"),
        ("Worker pools§", "Worker pools"),
        ("Worker pools #", "Worker pools"),
        ("Worker pools🔗", "Worker pools"),
        ("Worker pools ⚓\ufe0f", "Worker pools"),
        ("Worker pools\uf0c1", "Worker pools"),
        ("Learning C#", "Learning C#"),
        ("§ 5 of the law", "§ 5 of the law"),
        ("The pilcrow (¶) in print", "The pilcrow (¶) in print"),
        ("¶", "¶"),
        ("#", "#"),
    ],
)
def test_the_link_of_a_heading_to_itself_is_no_part_of_a_title(heading: str, plain: str) -> None:
    assert without_permalink(heading) == plain
    assert read("", f"<h1>{heading}</h1><p>{SENTENCE}</p>").title == plain
    assert read(f"<title>{heading}</title>").title == plain


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        # A sign of a site that the page names nowhere, where the only heading confirms it.
        ("<title>Clicks | Pebble</title>" + named("og:title", "Clicks | Pebble"), "<h1>Clicks</h1>", "Clicks"),
        ("<title>Clicks | Pebble</title>" + named("og:title", "Clicks | Pebble"), "<h1>Click</h1>", "Clicks | Pebble"),
        ("<title>A | B | C</title>" + named("og:title", "A | B"), "<h1>A</h1>", "A | B"),
        ("<title>A | B</title>" + named("og:title", "A | B"), "<h1>A</h1><h1>Other</h1>", "A | B"),
        # The heading is the beginning, or the end, of the title.
        ("<title>RFC 9999: The Lamp Protocol</title>", "<h1>RFC 9999</h1>", "RFC 9999: The Lamp Protocol"),
        ("<title>Lamps: RFC 9999 - Docs</title>", "<h1>Lamps</h1>", "Lamps: RFC 9999 - Docs"),
        ("<title>moths</title>", "<h1>Counting moths<a href='#c'>¶</a></h1>", "Counting moths"),
        ("<title>moths</title>", "<h1>A mothship</h1>", "moths"),
        ("<title>moths</title>", "<h1>Counting moths</h1><h1>Results</h1>", "moths"),
        ("<title>Pools - Docs</title>", "<h1>Pools<a class=headerlink href='#p'>¶</a></h1>", "Pools"),
    ],
)  # fmt: skip
def test_the_only_heading_confirms_or_completes_a_title(head: str, body: str, title: str) -> None:
    assert read(head, f"{body}<p>{SENTENCE}</p>").title == title


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ("Reed, Jo", "Jo Reed"),
        ("Reed, Jo; Ohm, Vera", "Jo Reed, Vera Ohm"),
        ("van der Berg, Jan", "Jan van der Berg"),
        ("García Márquez, Gabriel José", "García Márquez, Gabriel José"),
        ("Reed, J. R. R.", "J. R. R. Reed"),
        ("Jo Reed, Vera Ohm", "Jo Reed, Vera Ohm"),
        ("Jo Reed, PhD", "Jo Reed, PhD"),
        ("Reed, Jr.", "Reed, Jr."),
        ("Reed, Jo, Ohm, Vera", "Reed, Jo, Ohm, Vera"),
        ("Jo Reed", "Jo Reed"),
        ("The Lamp Office, with all of its many keepers", "The Lamp Office, with all of its many keepers"),
        (";,;", ","),
    ],
)
def test_bibliographic_names_are_turned(names: str, shown: str) -> None:
    assert given_name_first(names) == shown


def test_each_citation_author_is_turned_and_other_authors_are_not() -> None:
    authors = '<meta name="citation_author" content="Reed, Jo"><meta name="citation_author" content="Ohm, Vera">'
    assert read(f"<title>t</title>{authors}").author == "Jo Reed, Vera Ohm"
    assert read('<title>t</title><meta name="author" content="Reed, Ohm">').author == "Reed, Ohm"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ben Silverman Games Editor", "Ben Silverman"),
        ("Ida Strand Senior Political Correspondent", "Ida Strand"),
        ("Ida Maria Strand reporter", "Ida Maria Strand"),
        ("Ida Strand Staff Writer", "Ida Strand"),
        ("GREG BEACHAM, AP Sports Writer", "GREG BEACHAM"),
        ("Ida Strand", "Ida Strand"),
        ("The Editor", "The Editor"),
        ("Guest Writer", "Guest Writer"),
    ],
)
def test_the_role_behind_a_name_is_no_part_of_it(name: str, shown: str) -> None:
    assert without_role(name) == shown


LONG = (
    "When the oil of the lamp had burned down to the last finger of its glass the keeper climbed the tower again. Then"
)


@pytest.mark.parametrize(
    ("head", "body", "title"),
    [
        ("", f"<h2>Second level</h2><p>{SENTENCE}</p><h3>Third</h3>", "Second level"),
        ("<title> </title>", f"<h4>Sign¶</h4><p>{SENTENCE}</p>", "Sign"),
        ("", f"<h2> </h2><h3>Third</h3><p>{SENTENCE}</p>", "Third"),
        ("", f"<p>{SENTENCE}</p><noscript><h2>No</h2></noscript>", SENTENCE[:-1]),
        ("", f"<p>{SENTENCE} And more.</p>", SENTENCE[:-1]),
        ("", "<p>Dr. A. Reed, v1.2 and e.g. this. More.</p>", "Dr. A. Reed, v1.2 and e.g. this"),
        ("", f"<p>{LONG}</p>", LONG[:95] + "…"),
        ("", "<p>これは本です。次の文。</p>", "これは本です"),
        ("", f"<p>{'あ' * 300}</p>", "あ" * 100 + "…"),
        ('<meta name="description" content="Salt">', "<div id=root></div>", "www.example.org/docs/page.html"),
    ],
)  # fmt: skip
def test_a_page_without_a_title_gets_one(head: str, body: str, title: str) -> None:
    assert read(head, body).title == title


@pytest.mark.parametrize(
    ("url", "title"),
    [
        ("https://www.example.org/docs/page.html?x=1", "www.example.org/docs/page.html"),
        ("https://example.org/", "example.org"),
        ("https://example.org:8443/caf%C3%A9/", "example.org/café"),
        ("http://[::1]/a", "::1/a"),
        ("http://[", None),
    ],
)
def test_the_last_resort_is_host_and_path(url: str, title: str | None) -> None:
    assert address_title(url) == title


PIECES = [" ", "\xa0", "\u200d", "é\u200d", "¶", " #", "&amp;", "&lt;", "a. ", "a: ", "a | ", "Reed, ", "\u202e", "<p"]


@pytest.mark.parametrize("piece", PIECES)
def test_hostile_labels_are_read_to_their_end(piece: str) -> None:
    """In linear time; quadratic time would take minutes."""
    names = ("og:title", "citation_author", "author", "og:site_name", "og:description")
    many = piece * 9_000
    head = "".join(f'<meta property="{name}" content="{html.escape(many)[:9_900]}">' for name in names)
    page = read(f"<title>{html.escape(many)}</title>{head}", f"<h2>{html.escape(many)}</h2><p>{SENTENCE}</p>")
    assert page.title
    assert len(first_sentence(many * 10) or "") <= 200


@pytest.mark.parametrize("text", ["", "\n \n", "---\n***"])
def test_a_text_without_words_has_no_sentence(text: str) -> None:
    assert first_sentence(text) is None


@pytest.mark.parametrize(
    ("body", "media_type", "title"),
    [
        (
            b"<rss><channel><description>News of the lamp. More</description></channel></rss>",
            "text/xml",
            "News of the lamp",
        ),
        (b"[1, 2]", "application/json", "www.example.org/docs/page.html"),
        (b"---\n\nLamp oil\nTwo", "text/plain", "Lamp oil"),
    ],
)
def test_files_without_a_title_get_one(body: bytes, media_type: str, title: str) -> None:
    assert extract_page(body, url=URL, media_type=media_type, charset=None).title == title
