"""Readers of other projects, each called as its documentation says.

Run by a Python that has them installed: python peer_readers.py NAME. It reads a line of JSON for each page,
{"html", "url"}, and answers with a line, {"text", "title", "author", "seconds"}; `seconds` are of the processor.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

Found = tuple[str | None, str | None, str | None]  # Text, title, author.
Reader = Callable[[str, str], Found]

_BLOCK_TAGS = """
    address article aside blockquote br dd div dl dt figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main
    nav ol p pre section table td th tr ul
"""
_BLOCKS = frozenset(_BLOCK_TAGS.split())


def trafilatura(**options: bool) -> Reader:
    """Prepare trafilatura, without comments."""
    library = importlib.import_module("trafilatura")

    def read(markup: str, url: str) -> Found:
        document = library.bare_extraction(markup, url=url, include_comments=False, with_metadata=True, **options)
        return (document.text, document.title, document.author) if document else (None, None, None)

    return read


def readability_lxml() -> Reader:
    """Prepare readability-lxml."""
    library = importlib.import_module("readability")

    def read(markup: str, url: str) -> Found:
        document = library.Document(markup, url=url)
        return _text(document.summary()), document.short_title(), None

    return read


def newspaper4k() -> Reader:
    """Prepare newspaper4k."""
    library = importlib.import_module("newspaper")

    def read(markup: str, url: str) -> Found:
        article = library.Article(url, fetch_images=False)
        article.download(input_html=markup)
        article.parse()
        return article.text, article.title, ", ".join(article.authors)

    return read


def resiliparse() -> Reader:
    """Prepare resiliparse, which states no author."""
    library = importlib.import_module("resiliparse.extract.html2text")
    parser = importlib.import_module("resiliparse.parse.html")

    def read(markup: str, url: str) -> Found:
        tree = parser.HTMLTree.parse(markup)
        return library.extract_plain_text(tree, main_content=True, alt_texts=False), tree.title, None

    return read


def magic_html() -> Reader:
    """Prepare magic-html."""
    extractor = importlib.import_module("magic_html").GeneralExtractor()

    def read(markup: str, url: str) -> Found:
        found = extractor.extract(markup, base_url=url)
        return _text(found["html"]), found.get("title"), None

    return read


READERS: dict[str, Callable[[], Reader]] = {
    "trafilatura": trafilatura,
    "trafilatura, precision": lambda: trafilatura(favor_precision=True),
    "trafilatura, recall": lambda: trafilatura(favor_recall=True),
    "readability-lxml": readability_lxml,
    "newspaper4k": newspaper4k,
    "resiliparse": resiliparse,
    "magic-html": magic_html,
}


def _text(markup: str) -> str:
    """Return the text of an HTML fragment, its blocks apart."""
    tree = importlib.import_module("lxml.html").fragment_fromstring(markup, create_parent="div")
    parts: list[str] = []
    for event, element in importlib.import_module("lxml.etree").iterwalk(tree, events=("start", "end")):
        parts += ["\n"] if element.tag in _BLOCKS else []
        parts.append((element.text if event == "start" else element.tail) or "")
    return "".join(parts)


def answer(reader: Reader, lines: Iterable[str]) -> None:
    """Read page after page; one that a library fails on has no text."""
    for line in lines:
        page = json.loads(line)
        start = time.process_time()
        try:
            found = reader(page["html"], page["url"])
        except Exception as failure:
            print(f"{page['url']}: {failure!r}", file=sys.stderr)
            found = None, None, None
        _write(dict(zip(("text", "title", "author"), found, strict=True)) | {"seconds": time.process_time() - start})


def _write(result: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    answer(READERS[sys.argv[1]](), sys.stdin)
