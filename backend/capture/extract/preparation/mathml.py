"""MathML for reading: the presentation of a formula, which browsers draw without a library."""

from __future__ import annotations

import html
import re
from typing import Any

MATHML = "data-mathml"  # Attribute of the element that stands for a formula in a prepared tree.
MAX_MATHML = 10_000  # Characters of one formula.

_LAYOUT_TAGS = """
    mfrac mmultiscripts mover mpadded mprescripts mroot mrow mspace msqrt mstyle msub msubsup msup mtable mtd mtr
    munder munderover
"""
_LAYOUT = frozenset(_LAYOUT_TAGS.split())
_TOKENS = frozenset(("mi", "mn", "mo", "ms", "mtext"))
# A formula in a single token of several letters is none that was laid out: its source says more.
_ONE_TOKEN = re.compile(r"(?:<mrow>)*<(m\w+)>[^<]{2,}</\1>(?:</mrow>)*")
_DROPPED = frozenset(("annotation", "annotation-xml", "mphantom"))
TAGS = frozenset(("math",)) | _LAYOUT | _TOKENS


def presentation(math: Any, *, is_display: bool) -> str:
    """Write the presentation of a `math` element, no attribute of the page's; empty where it holds anything else."""
    if not _is_plain(math):
        return ""
    inside = "".join(map(_written, math))
    start = '<math display="block">' if is_display else "<math>"
    return f"{start}{inside}</math>" if _is_drawing(inside) else ""


def _is_drawing(inside: str) -> bool:
    return "<m" in inside and len(inside) <= MAX_MATHML and not _ONE_TOKEN.fullmatch(inside)


def _is_plain(element: Any) -> bool:
    """Tell whether there is nothing but MathML inside: HTML within a formula is how sanitisers are deceived."""
    children = [child for child in element if isinstance(child.tag, str) and child.tag not in _DROPPED]
    return all((child.tag in TAGS or child.tag == "semantics") and _is_plain(child) for child in children)


def _written(element: Any) -> str:
    if not isinstance(element.tag, str) or element.tag in _DROPPED:
        return ""
    tag = element.tag
    if tag in _TOKENS:
        return f"<{tag}>{html.escape(''.join(element.itertext()).strip(), quote=False)}</{tag}>"
    inside = "".join(map(_written, element))
    return f"<{tag}>{inside}</{tag}>" if tag in _LAYOUT else inside
