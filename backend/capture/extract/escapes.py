"""Metadata that a page escaped twice, such as `Rock &amp;amp; Roll` in its source."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_ESCAPED_MARKUP = re.compile(r"&(?:lt|gt|#0*6[02]|#x0*3[ce]);", re.IGNORECASE)


def unescape_twice_escaped(value: str, *evidence: Iterable[str | None]) -> str:
    """Replace the character references of a value where the page did not mean them.

    Args:
        value: the value as the parser read it: a reference in it was escaped.
        evidence: other statements of the page, the best first. The first that holds the value in one of the two forms
            decides. Without any, references stay where they spell markup: such a page is about markup.
    """
    if not _REFERENCE.search(value):
        return value
    plain = _REFERENCE.sub(lambda match: html.unescape(match[0]), value)
    for statements in evidence:
        known = [_folded(statement) for statement in statements if statement]
        if any(_folded(plain) in statement for statement in known):
            return plain
        if any(_folded(value) in statement for statement in known):
            return value
    return value if _ESCAPED_MARKUP.search(value) else plain


def _folded(text: str) -> str:
    return " ".join(text.split())
