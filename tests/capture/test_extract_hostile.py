"""Pages made to crash, hang or fill a reader end in time, with something sensible (DESIGN 7)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from types import ModuleType

import pytest
import trafilatura

from backend.capture.extract import byline
from backend.capture.extract.page import ExtractedPage, UnreadablePage
from backend.capture.extract.page_reader import extract_page
from backend.capture.extract.sanitize import MAX_HTML
from backend.capture.extract.text import MAX_TEXT

pytestmark = [pytest.mark.untraced, pytest.mark.unit]

MEBIBYTE = 1024 * 1024
LONGEST_BODY = 10 * MEBIBYTE  # CAPTURE_MAX_BYTES
# Only what blows up reaches this: here each takes some 5 s.
MAX_CPU_SECONDS = 60.0
HEAD = "<html><head><title>Trap</title></head><body>"


def read(markup: str) -> ExtractedPage | None:
    """The page, held to time and size; None where it says nothing."""
    body = markup.encode()[:LONGEST_BODY]
    start = time.process_time()
    try:
        page = extract_page(body, url="https://a.example/", media_type="text/html", charset="utf-8", truncated=True)
    except UnreadablePage:
        page = None
    assert time.process_time() - start < MAX_CPU_SECONDS
    if page:
        assert len(page.text) <= MAX_TEXT
        assert len(page.html) <= MAX_HTML
        assert len(page.title or "") <= 500
    return page


def linked(script: str) -> str:
    return f"<script type='application/ld+json'>{script}</script><p>word"


def filled(unit: str) -> str:
    return HEAD + unit * (LONGEST_BODY // len(unit))


@pytest.mark.parametrize("tag", ["div", "span", "b", "blockquote", "ul><li", "table><tr><td", "p", "a href='x'", "h1"])
@pytest.mark.parametrize("closed", [True, False])
def test_deep_nesting_loses_no_text(tag: str, closed: bool) -> None:
    end = f"</{tag.split('>')[0].split()[0]}>" * 10_000 if closed else ""
    page = read(f"{HEAD}<{tag}>" + f"<{tag}>" * 9_999 + "at the bottom " * 50 + end + "and out")
    assert page is not None
    assert page.title == "Trap"
    assert "at the bottom" in page.text


@pytest.mark.parametrize(
    "unit",
    [
        *("word ", "x", "word\n", "<", "&amp;", "\u0301", "漢", "2019-01-01 "),
        *("<p>", "<br>", "<div>word</div>", "<a href='/x'>word</a> ", "<table><tr><td>word</td></tr></table>"),
        *("<script>", "<script>x()</script>", "<!--", "<![CDATA[", "<title>word - ", "</div>", "<a b="),
        *("<meta name='author' content='Ida Strand'>", "<svg><math>", "<select><option>word", "<frameset><noframes>"),
    ],
)
def test_ten_mebibytes_of_anything_end_in_time(unit: str) -> None:
    read(filled(unit))


@pytest.mark.parametrize(
    "unit",
    [
        "<p>word and another word, and a third",
        "<a href='/x'>word</a> ",
        "<br>word",
        "<blockquote>word</blockquote>",
        "<p><img src='a.jpg'>",
        "<time datetime='2020-01-01'>1</time>",
        "<p class='byline'>By Ida Strand</p>",
    ],
)
def test_as_many_elements_as_are_analysed_end_in_time(unit: str) -> None:
    read(HEAD + unit * (29_000 // len(re.findall(r"<\w", unit))))


def test_nested_lists_at_the_limit_end_in_time() -> None:
    read(HEAD + ("<ul><li>word " * 110 + "</li></ul>" * 110) * 14)


@pytest.mark.parametrize(
    "make",
    [
        lambda: HEAD + "<p " + " ".join(f'a{number}="x"' for number in range(400_000)) + ">word",
        lambda: HEAD + f'<p class="{"cookie-banner " * 500_000}">word',
        lambda: f'<meta name="author" content="{"a b, " * 1_000_000}"><p>word',
        lambda: "".join(f'<meta name="author" content="Ida {number}">' for number in range(100_000)) + "<p>word",
        lambda: "".join(f'<meta name="n{number}" content="x">' for number in range(200_000)) + "<p>word",
        lambda: (
            f'<meta property="og:title" content="{"a - " * 2_000}"><title>{"a - " * 1_000_000}</title><h1>{"a - " * 9}'
        ),
        lambda: linked("[" * 5_000_000),
        lambda: linked('{"a":' * 500_000),
        lambda: linked('{"headline": "a", ' * 300_000),
        lambda: linked("[" + '{"@type": "Article"},' * 100_000 + "0]"),
        lambda: linked("{}" * 500_000) * 9,
        lambda: f'{HEAD}<p>word <img src="data:image/png;base64,{"A" * 9_000_000}">',
        lambda: f'{HEAD}<p>word <a href="https://a.example/{"a/../" * 1_500_000}">x</a>',
        lambda: f"{HEAD}<p>{'a' * 4_000_000}{'.' * 4_000_000}",
        lambda: "\0" * 5_000_000 + HEAD + "<p>word",
    ],
)
def test_single_things_of_enormous_size_end_in_time(make: Callable[[], str]) -> None:
    page = read(make())
    assert page is not None


@pytest.mark.parametrize(
    "markup",
    [
        "<p>one<p>two</b></i></div></p><td>three<li>four",
        "<table><p>one</table><tr>two<table><div>three",
        "<a href=x><a href=y><b><a>one two three",
        "<html><html><body><body><head><title>t</title><p>one",
        "<p>one</p></body></html><p>two</p>",
        "<div class=\"one two\" class='three' =x \"'>one",
        "<!doctype <html><p>one",
        "<?php echo 1 ?><p>one",
        "<p>one<![endif]--><!--[if !IE]>two",
        "<xml:namespace prefix='o'/><o:p>one</o:p>",
        "one & two < three > four && <5",
        "﻿\ufffe<p>one",
    ],
)
def test_malformed_markup_is_read_as_far_as_it_goes(markup: str) -> None:
    page = extract_page(markup.encode(), url="https://a.example/", media_type="text/html", charset=None)
    assert "one" in f"{page.text}{page.title}"


@pytest.mark.parametrize(
    "url", ["https://a.example/", "http://[::1]/", "https://xn--/", "https://a.example:99999/", "x"]
)
def test_an_odd_address_is_no_error(url: str) -> None:
    body = b'<title>t</title><base href="http://["><p>word <a href="//[">x</a><img src="http://[/a.png">'
    assert extract_page(body, url=url, media_type="text/html", charset=None).title == "t"


@pytest.mark.parametrize(
    ("module", "function"), [(trafilatura, "bare_extraction"), (byline, "find_date"), (byline, "extract_author")]
)
def test_a_page_that_makes_a_library_stumble_is_still_read(
    module: ModuleType, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object, **__: object) -> None:
        raise RecursionError

    monkeypatch.setattr(module, function, stumble)
    page = read(f"{HEAD}<p>{'The pump was mended. ' * 20}")
    assert page is not None
    assert page.title == "Trap"
    assert page.text.startswith("The pump was mended.")
