"""Markup of well-known generators is read as what it means: a test for each rule of the preparation."""

# ruff: noqa: E501 — markup is easier to compare on one line.
from __future__ import annotations

import pytest

from backend.capture.extract.page import ExtractedPage
from backend.capture.extract.page_reader import extract_page

pytestmark = pytest.mark.unit

BEFORE = (
    "The miller counted the sacks twice, since the boy had lost one on the bridge, and nobody would say where. " * 2
)
AFTER = (
    "In the evening the wheel stood still, for the frost had come early, and the pond was white from end to end. " * 2
)


def read(inner: str, *, title: str = "Sacks") -> ExtractedPage:
    markup = (
        f"<!doctype html><html><head><title>{title}</title></head><body><main><article><p>{BEFORE}</p>{inner}"
        f"<p>{AFTER}</p></article></main></body></html>"
    )
    return extract_page(markup.encode(), url="https://a.example/p", media_type="text/html", charset="utf-8")


@pytest.mark.parametrize(
    ("markup", "unwanted"),
    [
        ('<h2>Grain<a class="headerlink" href="#g">¶</a></h2>', "¶"),
        ('<h2>Grain <a href="#g">§</a></h2>', "§"),
        ('<h2>Grain <a class="anchor" aria-hidden="true" href="#g">#</a></h2>', "#"),
        ("<pre><button>Copy</button><code>grind()</code></pre>", "Copy"),
        (
            '<div class="mw-heading"><h2>Grain</h2><span class="mw-editsection">[<a href="/e">edit</a>]</span></div>',
            "edit",
        ),
        ('<p>A note. <a class="footnote-backref" href="#r">↩</a></p>', "↩"),
        ('<div class="prompt input_prompt">In [3]:</div><pre>grind()</pre>', "In [3]"),
        ("<p hidden>Nobody sees these words</p>", "Nobody sees"),
        ('<p style="display: none">Nobody sees these words</p>', "Nobody sees"),
        ('<p>Text <span class="sr-only">for ears only</span> goes on.</p>', "for ears"),
    ],
)
def test_furniture_of_generators_is_left_out(markup: str, unwanted: str) -> None:
    page = read(markup)
    assert unwanted not in page.text
    assert "The miller" in page.text
    assert "the wheel stood still" in page.text


def test_a_page_that_hides_most_of_itself_is_read_all_the_same() -> None:
    page = extract_page(
        f'<title>t</title><body><div style="display:none"><p>{BEFORE * 3}</p></div>'.encode(),
        url="https://a.example/",
        media_type="text/html",
        charset="utf-8",
    )
    assert "The miller" in page.text


CODE = "def grind():\n    return 1"
LINES = CODE.split("\n")


@pytest.mark.parametrize(
    "markup",
    [
        f'<figure class="highlight"><pre><code>{CODE}</code></pre></figure>',
        f'<div class="code-toolbar"><pre><code>{CODE}</code></pre><div class="toolbar"><button>Copy</button></div></div>',
        f"<pre><code>{LINES[0]}<br>{LINES[1]}<br></code></pre>",
        f'<pre><code><div class="line">{LINES[0]}</div><div class="line">{LINES[1]}</div></code></pre>',
        f'<pre><code><span class="line">{LINES[0]}</span><span class="line">{LINES[1]}</span></code></pre>',
        f"<pre><ol><li>{LINES[0]}</li><li>{LINES[1]}</li></ol></pre>",
        f'<table><tr><td class="blob-num">1</td><td class="blob-code">{LINES[0]}</td></tr>'
        f'<tr><td class="blob-num">2</td><td class="blob-code">{LINES[1]}</td></tr></table>',
        f'<table class="highlighttable"><tr><td class="linenos"><pre>1\n2</pre></td><td><pre>{CODE}</pre></td></tr></table>',
        f'<pre><code><a id="l1" href="#l1"></a>{LINES[0]}\n<a id="l2" href="#l2"></a>{LINES[1]}\n</code></pre>',
        f'<code class="language-py">{CODE}</code>',
        f'<div class="syntaxhighlighter"><table><tr><td class="gutter"><div>1</div><div>2</div></td><td class="code">'
        f'<div class="line">{LINES[0]}</div><div class="line"><code>&nbsp;&nbsp;&nbsp;&nbsp;</code>{LINES[1].strip()}</div></td></tr></table></div>',
    ],
)
def test_every_form_of_a_listing_keeps_its_lines(markup: str) -> None:
    page = read(f"<p>Then run this:</p>{markup}")
    assert f"\n\n{CODE}\n\n" in page.text
    assert f"<pre><code>{CODE}</code></pre>" in page.html


def test_a_listing_keeps_its_empty_lines() -> None:
    line = '<span class="token-line">{}<br></span>'
    lines = "".join(line.format(text) for text in ("a", "", "  b"))
    assert "\na\n\n  b\n" in read(f"<pre><code>{lines}</code></pre>").text


def test_a_listing_stands_behind_its_file_name() -> None:
    page = read(f'<div class="highlight"><span class="filename">mill.py</span><pre><code>{CODE}</code></pre></div>')
    assert f"mill.py\n\n{CODE}" in page.text


@pytest.mark.parametrize(
    ("markup", "formula"),
    [
        ('<script type="math/tex">a^2</script>', r"\(a^2\)"),
        ('<span class="MathJax">aa</span><script type="math/tex">a^2</script>', r"\(a^2\)"),
        ('<math alttext="{\\displaystyle a^2}"><mi>a</mi></math>', r"\(a^2\)"),
        (
            '<math><semantics><mi>a</mi><annotation encoding="application/x-tex">a^2</annotation></semantics></math>',
            r"\(a^2\)",
        ),
        ("<math><msup><mi>a</mi><mn>2</mn></msup></math>", "a^2"),
        ("<math><mfrac><mn>1</mn><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow></mfrac></math>", "1/(a+b)"),
        ("<math><msqrt><mi>a</mi></msqrt></math>", "√(a)"),
        ('<img class="latex" alt="a^2" src="/x.png">', r"\(a^2\)"),
        ('<script type="math/tex; mode=display">a^2</script>', r"\[a^2\]"),
    ],
)
def test_formulas_are_written_as_their_source(markup: str, formula: str) -> None:
    page = read(f"<p>It grows as {markup} with time.</p>")
    assert f"It grows as {formula} with time." in page.text
    is_drawn = "<math" in markup  # The next test says how.
    assert (f"It grows as {formula} with time." in page.html) is not is_drawn


@pytest.mark.parametrize(
    ("markup", "drawn"),
    [
        ("<math><msup><mi>a</mi><mn>2</mn></msup></math>", "<math><msup><mi>a</mi><mn>2</mn></msup></math>"),
        (
            '<math><semantics><mrow><mi onclick="x()">a</mi><mo>&lt;</mo></mrow><annotation encoding="application/x-tex">'
            "a&lt;</annotation></semantics></math>",
            "<math><mrow><mi>a</mi><mo>&lt;</mo></mrow></math>",
        ),
        (
            '<math display="block"><mtable><mtr><mtd><mn>1</mn></mtd></mtr></mtable></math>',
            '<math display="block"><mtable><mtr><mtd><mn>1</mn></mtd></mtr></mtable></math>',
        ),
        (
            '<span class="katex"><span class="katex-mathml"><math><semantics><mi>a</mi><annotation '
            'encoding="application/x-tex">a</annotation></semantics></math></span>'
            '<span class="katex-html" aria-hidden="true">a</span></span>',
            "<math><mi>a</mi></math>",
        ),
        ("<math><mi>a</mi><mtext><b>b</b></mtext></math>", "ab"),
        ('<math alttext="a^2"><mrow><mi>a2</mi></mrow></math>', r"\(a^2\)"),
        ('<span data-mathml="&lt;b>bold&lt;/b>">plain</span>', "plain"),
    ],
)
def test_formulas_are_drawn_by_their_presentation_in_the_reader_view(markup: str, drawn: str) -> None:
    assert f"It grows as {drawn} with time." in read(f"<p>It grows as {markup} with time.</p>").html


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ('<div class="markdown-heading"><h2>Grain</h2><a class="anchor" href="#g"></a></div>', "Grain"),
        ('<aside class="starlight-aside"><p>Mind the wheel.</p></aside>', "Mind the wheel."),
        ('<aside class="footnote"><p>As in 1801.</p></aside>', "As in 1801."),
        ('<div class="admonition note"><p>Mind the wheel.</p></div>', "Mind the wheel."),
        ('<figure><img src="/w.png"><figcaption>Figure 2: The wheel.</figcaption></figure>', "Figure 2: The wheel."),
    ],
)
def test_headings_notes_and_numbered_captions_are_text(markup: str, text: str) -> None:
    assert text in read(markup).text


def test_a_caption_without_a_number_stands_beside_its_picture_only() -> None:
    page = read('<figure><img src="/w.png" alt="x"><figcaption>The wheel in June</figcaption></figure>')
    assert "<figcaption>The wheel in June</figcaption>" in page.html
    assert "The wheel in June" not in page.text


def test_inline_code_stays_in_its_line() -> None:
    page = read(
        "<ul><li>use <code>--one</code> now</li></ul><table><tr><td><code>strict</code></td><td>yes</td></tr></table>"
    )
    assert "use --one now" in page.text
    assert "\nstrict yes\n" in page.text
    assert "<li>use <code>--one</code> now</li>" in page.html
    assert "<pre" not in page.html


def test_a_row_is_a_line_whatever_is_in_its_cells() -> None:
    page = read(
        "<table><tr><th><p>Key</p></th><th><p>Type</p></th></tr><tr><td><p>a</p></td><td><p>b</p></td></tr></table>"
    )
    assert "Key Type\na b" in page.text


def test_lists_stand_inside_each_other() -> None:
    page = read("<ol><li>Start.</li><li>Click.<ul><li>Twice.</li></ul></li></ol>")
    assert "<ol><li>Start.</li><li>Click.<ul><li>Twice.</li></ul></li></ol>" in page.html
    assert "Start.\nClick.\nTwice." in page.text


def test_a_body_in_two_containers_is_read_as_a_whole() -> None:
    rest = f'<div class="grid"><div class="copy"><p>{BEFORE}</p><p>{AFTER} Half {{0}}.</p></div></div>'
    page = read(rest.format(1) + rest.format(2) + rest.format(3))
    assert all(f"Half {number}." in page.text for number in (1, 2, 3))


def test_the_title_is_not_repeated_in_the_text() -> None:
    page = read("<p>The end.</p>".replace("The end.", AFTER), title="Lost sacks")
    again = extract_page(
        f"<title>Lost sacks</title><article><h1>Lost sacks</h1><p>{BEFORE}</p><p>{AFTER}</p></article>".encode(),
        url="https://a.example/p",
        media_type="text/html",
        charset="utf-8",
    )
    assert "Lost sacks" not in page.text + again.text
    assert again.title == "Lost sacks"


def test_a_page_without_a_body_tag_is_read() -> None:
    markup = f"<!doctype html><title>T</title><article><p>{BEFORE}</p><table><tr><td>a</td><td>b</td></tr></table><p>{AFTER}</p>"
    page = extract_page(markup.encode(), url="https://a.example/", media_type="text/html", charset="utf-8")
    assert "\na b\n" in page.text


VIDEO = '{"videoDetails":{"title":"V","shortDescription":"We grind by hand.\\n\\n0:00 the stone","author":"A"}}'


@pytest.mark.parametrize(
    ("script", "text"),
    [("", "We grind."), (f"<script>var x = {VIDEO};</script>", "We grind by hand.\n\n0:00 the stone")],
)
def test_a_page_of_nothing_but_links_is_its_description(script: str, text: str) -> None:
    head = '<title>V</title><meta property="og:description" content="We grind.">'
    markup = f"<html><head>{head}</head><body>{script}<div><a>About</a><a>Press</a></div></body></html>"
    page = extract_page(markup.encode(), url="https://a.example/", media_type="text/html", charset="utf-8")
    assert page.text == text


def test_a_text_file_whose_indentation_means_something_keeps_it_in_the_reader_view() -> None:
    page = extract_page(
        b"class Mill:\n    stone = 1 < 2\n", url="https://a.example/", media_type="text/plain", charset=None
    )
    assert page.html == "<pre>class Mill:\n    stone = 1 &lt; 2</pre>"


@pytest.mark.parametrize(
    ("head", "heading", "title"),
    [
        ("<title>Mills - Docs</title>", 'Mills<a href="#m">¶</a>', "Mills"),
        ('<title>Mills | Grain</title><meta property="og:title" content="Mills | Grain">', "Mills", "Mills"),
        ("<title>RFC 9: The Mill Protocol</title>", "RFC 9", "RFC 9: The Mill Protocol"),
        ("<title>mills</title>", "Counting mills", "Counting mills"),
        ("<title>Counting mills in spring</title>", "Mills", "Counting mills in spring"),
    ],
)
def test_the_title_is_the_longer_of_what_agrees_without_the_site(head: str, heading: str, title: str) -> None:
    markup = (
        f"<html><head>{head}</head><body><main><h1>{heading}</h1><p>{BEFORE}</p><p>{AFTER}</p></main></body></html>"
    )
    page = extract_page(markup.encode(), url="https://a.example/", media_type="text/html", charset="utf-8")
    assert page.title == title


def test_whom_a_quotation_is_of_stands_on_a_line_of_its_own() -> None:
    quotation = "<blockquote><div><cite>niko wrote:</cite>The stones were dressed.</div></blockquote>"
    page = read(f'<div class="markdown-body">{quotation}</div>')
    assert "niko wrote:\n\nThe stones were dressed." in page.text
    assert "<blockquote><p>niko wrote:</p><p>The stones were dressed.</p></blockquote>" in page.html


def test_an_rfc_is_named_by_its_number_and_title() -> None:
    header = "Network Working Group          J. Reed\nRequest for Comments: 9999     Mill Office\n\n\n"
    rfc = header + "              The Mill Protocol\n            for Small Rivers\n\nAbstract\n\n   It grinds.\n"
    page = extract_page(rfc.encode(), url="https://a.example/rfc.txt", media_type="text/plain", charset="utf-8")
    assert page.title == "RFC 9999: The Mill Protocol for Small Rivers"
    untitled = extract_page(header.encode(), url="https://a.example/", media_type="text/plain", charset="utf-8")
    assert untitled.title == "Network Working Group J. Reed"
