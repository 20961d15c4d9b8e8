"""Formulas: one form, TeX between `\\(` and `\\)`, for MathML, MathJax, KaTeX and pictures of formulas.

The presentation of those that have one is noted beside it, for the reader view.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import html  # type: ignore[import-untyped]

from backend.capture.extract.preparation.elements import classes_of, has_class, remove, replace, text_of
from backend.capture.extract.preparation.mathml import MATHML, presentation

_TEX = "application/x-tex"
_WRAPPERS = frozenset(("katex", "katex-display", "mwe-math-element", "MathJax", "MathJax_Display", "MathJax_SVG"))
_PREVIEWS = frozenset(("MathJax_Preview", "MathJax", "MathJax_Display", "MathJax_SVG", "MathJax_CHTML"))
_PICTURES = frozenset(("latex", "tex", "math", "mwe-math-fallback-image-inline", "mwe-math-fallback-image-display"))
_STYLE = re.compile(r"^\{\\(?:displaystyle|textstyle) (.*)\}$", re.DOTALL)
_SPACES = re.compile(r"\s+")
_IGNORED = frozenset(("annotation", "annotation-xml", "mphantom"))
# What stands before, between and after the parts of an element of MathML.
_PARTS = {
    "mfrac": ("", "/", ""),
    "msup": ("", "^", ""),
    "msub": ("", "_", ""),
    "msubsup": ("", "_", ""),
    "munder": ("", "_", ""),
    "mover": ("", "^", ""),
    "munderover": ("", "_", ""),
    "msqrt": ("√(", "", ")"),
    "mtr": ("", " ", "; "),
}


def write_formulas(tree: Any) -> None:
    """Replace each formula of a page by its TeX, or by its symbols in one line where it has none."""
    for element in tree.xpath(f"//*[@{MATHML}]"):  # The page's own would be shown in place of its text.
        del element.attrib[MATHML]
    for element in list(_formulas(tree)):
        if element.getroottree().getroot() is not tree:  # It has been a part of another one.
            continue
        if tex := _tex(element):
            _remove_previews(element)
            drawn = _presentation(element)
            replace(element, None if drawn else tex, *([_noted(tex, drawn)] if drawn else []))


def _presentation(element: Any) -> str:
    return next((presentation(math, is_display=_is_display(element)) for math in element.iter("math")), "")


def _noted(tex: str, drawn: str) -> Any:
    formula = html.Element("span")
    formula.text = tex
    formula.set(MATHML, drawn)
    return formula


def _formulas(tree: Any) -> Iterator[Any]:
    for element in tree.iter("math", "script", "span", "div", "mjx-container", "img"):
        if element.tag in ("math", "mjx-container"):
            yield element
        elif element.tag == "script":
            if (element.get("type") or "").startswith("math/tex"):
                yield element
        elif has_class(element, _PICTURES if element.tag == "img" else _WRAPPERS):
            yield element


def _remove_previews(script: Any) -> None:
    """Remove what MathJax has drawn in front of its source."""
    before = script.getprevious() if script.tag == "script" else None
    while before is not None and has_class(before, _PREVIEWS) and not (before.tail or "").strip():
        drawn, before = before, before.getprevious()
        remove(drawn)


def _tex(element: Any) -> str:
    source = _SPACES.sub(" ", _source(element)).strip()
    source = (_STYLE.sub(r"\1", source)).strip()
    if not source:
        return _in_one_line(element)
    return f"\\[{source}\\]" if _is_display(element) else f"\\({source}\\)"


def _source(element: Any) -> str:
    """Return the TeX from which a formula was made; empty where the page does not say."""
    if element.tag == "script":
        return text_of(element)
    for annotation in element.iter("annotation"):
        if annotation.get("encoding") == _TEX:
            return text_of(annotation)
    for inner in element.iter("math", "img", "mjx-container"):
        if stated := inner.get("alttext") or inner.get("alt") or inner.get("data-latex"):
            return str(stated)
    return ""


def _is_display(element: Any) -> bool:
    names = " ".join(classes_of(element)).lower()
    kind = f"{element.get('type', '')} {element.get('display', '')}"
    return "display" in names or "mode=display" in kind or "block" in kind or kind.endswith("true")


def _in_one_line(element: Any) -> str:
    """Write MathML without its source in one line: `a/b` for a fraction, `a^b` for a power."""
    for inner in element.iter("math"):
        return _SPACES.sub(" ", _linear(inner)).strip()
    return ""


def _linear(element: Any) -> str:
    if not isinstance(element.tag, str) or element.tag in _IGNORED:
        return ""
    before, between, after = _PARTS.get(element.tag, ("", "", ""))
    parts = [part for child in element if (part := _linear(child))]
    if between in ("/", "^", "_"):
        parts = [part if len(part) == 1 or part.isalnum() else f"({part})" for part in parts]
    own = (element.text or "").strip()
    return f"{before}{own}{between.join(parts)}{after}"
