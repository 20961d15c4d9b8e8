"""Article extraction: the main text of an HTML page, and HTML for reading it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from loguru import logger
from lxml import etree, html  # type: ignore[import-untyped]
from trafilatura.meta import reset_caches

from backend.capture.extract.blocks import Block, blocks_of
from backend.capture.extract.byline import shown_author, shown_date
from backend.capture.extract.preparation.tree import prepare_tree
from backend.capture.extract.rendering import render_html, render_text
from backend.capture.extract.sanitize import sanitize_html
from backend.capture.extract.scan import MAX_SCANNED_TEXT, PageScan
from backend.capture.extract.selection import select_article
from backend.capture.extract.signatures.signature import names_in
from backend.capture.extract.signatures.table import find_roots
from backend.capture.extract.signatures.video import described_blocks
from backend.capture.extract.trimming import trimmed, without_title

Result = TypeVar("Result")

MAX_WEIGHT = 400_000  # Some 3 s of trafilatura's time on the worst pages; the median page weighs 13,000.
MAX_DEPTH = 250  # libxml2 cuts a tree off at 256.
MAX_ATTRIBUTES = 1_000  # Of one element; libxml2 looks one up in linear time.
LARGE_PAGE = 1_000_000  # trafilatura caches the last thousand strings; after a large page its caches are reset.


@dataclass(frozen=True)
class Article:
    """The blocks of the main text, and the page they stand in."""

    blocks: Sequence[Block]
    markup: str
    base_url: str
    author: str | None = None  # As the byline shows it, where the page does not state it.

    def text(self) -> str:
        """Return the text without captions of pictures alone, a line for each item and row."""
        return render_text(self.blocks)

    def html(self) -> str:
        """Return sanitised HTML."""
        return sanitize_html(render_html(self.blocks, self.base_url))

    def published_at(self, modified_at: datetime | None) -> datetime | None:
        """Look for a day of publication in the page as it came."""
        return _attempt(shown_date, _parse(self.markup), self.base_url, modified_at)


def read_article(
    markup: str, scan: PageScan, base_url: str, title: str | None, description: str | None, author: str | None
) -> Article | None:
    """Extract the main content of the page; None when there is none, or the page is too large."""
    if _is_too_large(scan):
        return None
    try:
        return _attempt(_read, markup, base_url, title, description, author)
    finally:
        if len(markup) > LARGE_PAGE:
            reset_caches()


def _attempt(read: Callable[..., Result | None], *arguments: object) -> Result | None:
    """Call `read`; None where a library fails on the page, since the rest of the page is still of use."""
    try:
        return read(*arguments)
    except Exception:
        logger.opt(exception=True).warning("{} failed on a page", read.__name__)
        return None


def _is_too_large(scan: PageScan) -> bool:
    return (
        scan.weight > MAX_WEIGHT
        or scan.depth > MAX_DEPTH
        or scan.most_attributes > MAX_ATTRIBUTES
        or len(scan.text) > MAX_SCANNED_TEXT
    )


def _parse(markup: str) -> Any:
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        return html.document_fromstring(markup.encode(), parser)
    except etree.ParserError:  # There is no element in it.
        return None


def _read(markup: str, base_url: str, title: str | None, description: str | None, author: str | None) -> Article | None:
    tree = _parse(markup)
    if tree is None:
        return None
    shown = None if author else _attempt(shown_author, tree)
    names = names_in(tree)
    prepare_tree(tree)
    if roots := find_roots(tree, names):
        blocks: Sequence[Block] = without_title(blocks_of(roots), title)
    else:
        everything = blocks_of([tree])
        blocks = described_blocks(tree, markup, everything, description)
        blocks = blocks or trimmed(select_article(tree, everything, title, description), title, author or shown)
    return Article(blocks, markup, base_url, shown) if any(block.text for block in blocks) else None
