"""Pages of well-known generators are found by their markup, threads with all their posts and authors."""

from __future__ import annotations

import pytest
from lxml import html

from backend.capture.extract.page_reader import extract_page
from backend.capture.extract.signatures.selectors import select
from backend.capture.extract.signatures.signature import PageSignature, names_in
from backend.capture.extract.signatures.table import SIGNATURES
from tests.capture.signature_pages import BEFORE, DOCUMENTS, THREADS, WHOLE_BODIES

pytestmark = pytest.mark.unit

POST = "The net over the glass is changed each week, and the oil is cleaner for it. "


def text_of(body: str) -> str:
    markup = f"<!doctype html><html><head><title>T</title></head><body>{body}</body></html>"
    page = extract_page(markup.encode(), url="https://a.example/p", media_type="text/html", charset="utf-8")
    return page.text


def signature_of(markup: str) -> str:
    names = names_in(html.document_fromstring(markup))
    return next(signature.name for signature in SIGNATURES if signature.fits(names))


@pytest.mark.parametrize("name", THREADS)
def test_a_thread_is_all_its_posts_with_their_authors(name: str) -> None:
    posts = [("mara", f"<p>{POST}First.</p>"), ("niko", f"<p>{POST}Second.</p>"), ("olu", f"<p>{POST}Third.</p>")]
    thread = BEFORE.get(name, "") + "".join(THREADS[name].format(who=who, what=what) for who, what in posts)
    assert signature_of(thread) == name
    text = text_of(f"<nav>Register</nav>{thread}")
    places = [text.find(part) for part in ("mara", "First.", "niko", "Second.", "olu", "Third.")]
    assert places == sorted(places)
    assert -1 not in places
    assert "Register" not in text
    assert "sig" not in text
    assert "reply" not in text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_what_its_generator_calls_so(name: str) -> None:
    page = DOCUMENTS[name].format("Short text.")
    assert signature_of(page) == name
    assert text_of(f"<p>Built by hand</p>{page}") == "Short text."


@pytest.mark.parametrize("name", WHOLE_BODIES)
def test_a_manual_is_its_page_without_navigation(name: str) -> None:
    page = WHOLE_BODIES[name].format("<p>Short text.</p>")
    assert signature_of(page) == name
    assert text_of(page) == "Short text."


def test_each_signature_has_a_page() -> None:
    assert {*THREADS, *DOCUMENTS, *WHOLE_BODIES} == {signature.name for signature in SIGNATURES}


def test_rustdoc_keeps_its_methods() -> None:
    heading = '<a class="src" href="s">Source</a><h4 class="code-header">pub fn put(&amp;self)</h4>'
    text = text_of(
        '<div class="rustdoc"><section id="main-content"><details class="method-toggle">'
        f'<summary><section class="method">{heading}</section></summary>'
        '<div class="docblock"><p>Waits.</p></div></details></section></div>'
    )
    assert text == "pub fn put(&self)\n\nWaits."


def test_signatures_have_names_of_their_own() -> None:
    names = [signature.name for signature in SIGNATURES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda signature: signature.name)
def test_each_selector_of_a_signature_can_be_evaluated(signature: PageSignature) -> None:
    tree = html.document_fromstring("<p>word</p>")
    for selector in filter(None, (*signature.body, signature.drop, signature.post, signature.author)):
        assert not [element for element in select(selector, tree) if element.tag != "body"]


def test_the_text_of_a_page_is_no_quotation() -> None:
    markup = DOCUMENTS["arXiv abstract"].format("Short text.")
    page = extract_page(markup.encode(), url="https://a.example/", media_type="text/html", charset="utf-8")
    assert page.html == "<p>Short text.</p>"
