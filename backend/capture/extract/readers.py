"""Readers: libraries that look for the article of a page, and how much of each block they have found."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import trafilatura
from lxml import html  # type: ignore[import-untyped]
from trafilatura.readability_lxml import Document as ReadabilityDocument
from trafilatura.settings import Document

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # It logs an error for each malformed page.

FOUND = 0.5  # Share of a block that a reader must have found.
SHINGLE = 12  # Letters and digits; shorter blocks are compared as a whole.
STEP = 5
_SIGNS = re.compile(r"[\W_]+")


def read_by_trafilatura(tree: Any, *, precision: bool = False, fast: bool = False) -> list[str]:
    """Return the paragraphs that trafilatura finds in a parsed page."""
    # `deduplicate` stays off: it compares with earlier pages, on which results would then depend.
    document = trafilatura.bare_extraction(
        deepcopy(tree),
        include_comments=False,
        favor_precision=precision,
        fast=fast,
        output_format="html",  # "python" would build an unused text.
    )
    return _texts(document.body) if isinstance(document, Document) else []


def read_by_readability(tree: Any) -> list[str]:
    """Return the paragraphs that readability-lxml finds in a parsed page."""
    summary = ReadabilityDocument(deepcopy(tree)).summary()
    return _texts(html.fragment_fromstring(summary, create_parent="div")) if summary else []


def _texts(body: Any) -> list[str]:
    pieces: list[str] = []
    for element in body.iter("*"):
        pieces += filter(None, (element.text, element.tail))
    return ["".join(body.itertext()), *pieces]


def coverage(letters: Sequence[str], found: Sequence[str]) -> list[float]:
    """Return for each block, given by its letters, which share of it a reader has found.

    A block is compared by runs of SHINGLE letters and digits, since readers cut and join paragraphs; one that is
    shorter, as a whole with the pieces of what was found.
    """
    whole = compact(found[0]) if found else ""
    shingles = {whole[start : start + SHINGLE] for start in range(len(whole) - SHINGLE + 1)}
    pieces = set(map(compact, found[1:]))
    return [_share(text, shingles, pieces) for text in letters]


def _share(text: str, shingles: set[str], pieces: set[str]) -> float:
    if len(text) < SHINGLE:
        return float(bool(text) and text in pieces)
    starts = range(0, len(text) - SHINGLE + 1, STEP)
    return sum(text[start : start + SHINGLE] in shingles for start in starts) / len(starts)


def compact(text: str) -> str:
    """Reduce `text` to its letters and digits, without case, for comparison."""
    return _SIGNS.sub("", text).lower()
