"""Pages of well-known generators are found by their markup, threads with all their posts and authors."""

# ruff: noqa: E501 — markup is easier to compare on one line.
from __future__ import annotations

import pytest
from lxml import html

from backend.capture.extract.page_reader import extract_page
from backend.capture.extract.signatures.selectors import select
from backend.capture.extract.signatures.signature import PageSignature
from backend.capture.extract.signatures.table import SIGNATURES

pytestmark = pytest.mark.unit

POST = "The net over the glass is changed each week, and the oil is cleaner for it. "


def text_of(body: str) -> str:
    markup = f"<!doctype html><html><head><title>T</title></head><body>{body}</body></html>"
    page = extract_page(markup.encode(), url="https://a.example/p", media_type="text/html", charset="utf-8")
    return page.text


THREADS = {
    "phpBB": '<div class="post"><dl class="postprofile"><dt><a class="username">{who}</a></dt></dl><div class="postbody">'
    '<div class="content">{what}</div><div class="signature">sig</div></div></div>',
    "XenForo": '<article class="message"><a class="username">{who}</a><div class="message-body">{what}</div></article>',
    "MyBB": '<div id="posts"><div class="post"><div class="author_information"><span class="largetext">{who}</span></div>'
    '<div class="post_body">{what}</div></div></div>',
    "Discourse": '<div class="crawler-post"><span itemprop="name">{who}</span><div class="post" itemprop="text">{what}</div></div>',
    "Hacker News": '<table class="comment-tree"><tr class="comtr"><td><a class="hnuser">{who}</a>'
    '<div class="commtext">{what}</div><div class="reply">reply</div></td></tr></table>',
    "Lobsters": '<div class="comments_subtree"><div class="comment"><div class="byline"><a class="u-author">{who}</a></div>'
    '<div class="comment_text">{what}</div></div></div>',
    "old Reddit": '<div class="thing"><div class="entry"><a class="author">{who}</a><div class="usertext-body">'
    '<div class="md">{what}</div></div></div></div>',
    "Stack Exchange": '<div class="answer"><div class="js-post-body">{what}</div><div class="user-details"><a>{who}</a></div></div>',
    "GitHub issues": '<div class="timeline-comment"><a class="author">{who}</a><div class="comment-body">{what}</div></div>',
}


@pytest.mark.parametrize("name", THREADS)
def test_a_thread_is_all_its_posts_with_their_authors(name: str) -> None:
    posts = [("mara", f"<p>{POST}First.</p>"), ("niko", f"<p>{POST}Second.</p>"), ("olu", f"<p>{POST}Third.</p>")]
    text = text_of("<nav>Register</nav>" + "".join(THREADS[name].format(who=who, what=what) for who, what in posts))
    places = [text.find(part) for part in ("mara", "First.", "niko", "Second.", "olu", "Third.")]
    assert places == sorted(places)
    assert -1 not in places
    assert "Register" not in text
    assert "sig" not in text
    assert "reply" not in text


DOCUMENTS = {
    "Sphinx": '<div class="wy-nav-content"><div itemprop="articleBody">{0}</div><footer>Built</footer></div>',
    "Docusaurus": '<div id="__docusaurus"><article><div class="theme-doc-markdown">{0}</div><footer>Built</footer></article></div>',
    "MkDocs Material": '<div class="md-content"><article class="md-content__inner">{0}</article>Built</div>',
    "mdBook": '<div id="menu-bar">Built</div><div id="sidebar">Built</div><main>{0}</main>',
    "Starlight": '<div class="sl-markdown-content">{0}</div><p>Built</p>',
    "VitePress": '<div class="vp-doc">{0}</div><p>Built</p>',
    "MediaWiki": '<div class="mw-parser-output">{0}<div class="navbox">Built</div></div>',
    "arXiv": '<div id="abs"><blockquote class="abstract">{0}</blockquote></div><p>Built</p>',
    "GitHub": '<article class="markdown-body">{0}</article><p>Built</p>',
    "Gitea": '<div class="file-view"><table><tr><td class="lines-code"><code>{0}</code></td></tr></table></div><p>Built</p>',
    "PyPI": '<div class="project-description">{0}</div><p>Built</p>',
    "reveal.js": '<div class="reveal"><div class="slides"><section>{0}</section></div></div><p>Built</p>',
    "Jupyter": '<div class="jp-Notebook"><div>{0}</div></div><p>Built</p>',
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_what_its_generator_calls_so(name: str) -> None:
    text = text_of(f"<p>Built by hand</p>{DOCUMENTS[name].format('Short text.')}")
    assert text == "Short text."


def test_rustdoc_keeps_its_methods() -> None:
    text = text_of(
        '<div class="rustdoc"><section id="main-content"><details class="method-toggle"><summary><section class="method">'
        '<a class="src" href="s">Source</a><h4 class="code-header">pub fn put(&amp;self)</h4></section></summary>'
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
