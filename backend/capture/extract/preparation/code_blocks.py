"""Listings: one form, `<pre><code>` with a line for each line, for what generators make of code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from lxml import html  # type: ignore[import-untyped]

from backend.capture.extract.preparation.elements import has_class, replace, text_of

_LINES = frozenset(("div", "tr", "li", "p"))
_LINE_CLASSES = frozenset(("line", "code-line", "ec-line", "token-line", "view-line", "hljs-ln-line"))
_ROW_CLASSES = frozenset(
    ("blob-code", "blob-code-inner", "lines-code", "code-line", "js-file-line", "hljs-ln-code", "line-content")
)
_TABLE_CLASSES = frozenset(
    ("highlighttable", "lntable", "rouge-table", "codehilitetable", "crayon-table", "syntaxhighlighter", "code-table")
)
_BOX_CLASSES = frozenset(
    ("highlight", "code-toolbar", "codehilite", "highlighter-rouge", "code-wrapper", "codebox", "code-block")
)
_BOX_CLASSES |= {"chroma", "sourceCode", "wp-block-code", "expressive-code", "codeBlockContainer", "theme-code-block"}
_NAME_CLASSES = frozenset(
    ("filename", "codeBlockTitle", "code-block-title", "code-block-caption", "code-caption", "code-filename", "title")
)
_LANGUAGE = re.compile(r"\b(?:language|lang|highlight|brush)[-:]", re.IGNORECASE)
_OUTER_BLANKS = re.compile(r"\A(?:[ \t\xa0]*\n)+|\s+\Z")
MAX_NAME = 120  # Characters of a listing's file name.
MAX_LABEL = 80  # Characters in a listing's box that are no part of it: its language, a button.


def unify_code(tree: Any) -> None:
    """Rewrite every listing of a page, whatever its generator makes of lines, numbers and file names."""
    for element in list(tree.iter("listing", "xmp", "plaintext")):
        element.tag = "pre"
    for table in [table for table in tree.iter("table") if _is_listing(table)]:
        _write_table(table)
    for code in [code for code in tree.iter("code", "tt") if _is_block(code)]:
        code.tag = "pre"
    for pre in [pre for pre in tree.iter("pre") if next(pre.iterancestors("pre"), None) is None]:
        _write(pre, code_text(pre))
    for box in list(tree.iter("figure", "div")):
        if box.tag == "figure" or has_class(box, _BOX_CLASSES):
            _open_box(box)


def code_text(element: Any) -> str:
    """Return the lines of a listing: `br`, and the end of each row, item or division of it, ends a line."""
    if not any(True for _ in element.iter("br", *_LINES)) and not _has_unbroken_lines(element):
        text = text_of(element)
    else:
        pieces: list[str] = []
        _collect(element, pieces, by_class=_has_unbroken_lines(element))
        text = "".join(pieces)
    return _OUTER_BLANKS.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " "))


def _has_unbroken_lines(element: Any) -> bool:
    lines = [span for span in element.iter("span") if has_class(span, _LINE_CLASSES) or "data-line" in span.attrib]
    return len(lines) > 1 and "\n" not in text_of(element)


def _collect(element: Any, pieces: list[str], *, by_class: bool) -> None:
    is_line = element.tag in _LINES or (by_class and element.tag == "span" and has_class(element, _LINE_CLASSES))
    if is_line:
        _end_line(pieces)
    _add(pieces, element.text)
    start = len(pieces)
    for child in element:
        if child.tag == "br":
            pieces.append("\n")
        elif isinstance(child.tag, str):
            _collect(child, pieces, by_class=by_class)
        _add(pieces, child.tail)
    # An empty division is an empty line, and a break at the end of one ends no second line.
    if is_line and (len(pieces) == start or not pieces[-1].endswith("\n")):
        pieces.append("\n")


def _add(pieces: list[str], text: str | None) -> None:
    # The source breaks between divisions too, where that means nothing.
    if text and not (pieces and pieces[-1].endswith("\n") and text.strip(" \t") == "\n"):
        pieces.append(text)


def _end_line(pieces: list[str]) -> None:
    if pieces and not pieces[-1].endswith("\n"):
        pieces.append("\n")


def _write(element: Any, text: str) -> None:
    code = html.Element("code")
    code.text = text
    tail = element.tail
    element.clear()
    element.tag, element.tail = "pre", tail
    element.append(code)


def _is_block(code: Any) -> bool:
    """Tell whether inline code has the lines of a listing, outside any `pre`."""
    if any(ancestor.tag in ("pre", "td", "th", "li", "a", "span") for ancestor in code.iterancestors()):
        return False
    has_lines = code.find(".//br") is not None or code.find(".//div") is not None
    is_marked = _LANGUAGE.search(code.get("class") or "") is not None
    return has_lines or (is_marked and "\n" in text_of(code).strip())


def _is_listing(table: Any) -> bool:
    if next(table.iterancestors("pre"), None) is not None:
        return False  # It is written with what surrounds it.
    if has_class(table, _TABLE_CLASSES) or has_class(table.getparent(), _TABLE_CLASSES):
        return True
    rows = list(table.iter("tr"))
    return bool(rows) and all(_code_cell(row) is not None for row in rows)


def _code_cell(row: Any) -> Any:
    """Return the cell of a row that is a line of code, None where it is none; beside it only a number may stand."""
    cells = [cell for cell in row if cell.tag in ("td", "th")]
    marked = [cell for cell in cells if has_class(cell, _ROW_CLASSES)]
    filled = [cell for cell in cells if text_of(cell).strip()]
    return marked[0] if len(marked) == 1 and all(cell is marked[0] for cell in filled) else None


def _write_table(table: Any) -> None:
    inner = [pre for pre in table.iter("pre") if not _is_gutter(pre)]
    if inner:
        text = "\n".join(code_text(pre) for pre in inner if next(pre.iterancestors("pre"), None) is None)
    elif any(True for row in table.iter("tr") if _code_cell(row) is not None):
        cells = (_code_cell(row) for row in table.iter("tr"))
        text = "\n".join(code_text(cell) for cell in cells if cell is not None)
    else:
        text = "\n".join(_rows_of(table))
    _write(table, text)


def _is_gutter(pre: Any) -> bool:
    return not re.search(r"[^\s\d]", text_of(pre)) and bool(next(pre.iterancestors("td"), None) is not None)


def _rows_of(table: Any) -> Iterator[str]:
    for cell in table.iter("td"):
        if text := code_text(cell):
            yield text


def _open_box(box: Any) -> None:
    """Put a listing, and the name or caption above it, in the place of the box around them."""
    listings = list(box.iter("pre"))
    if len(listings) != 1 or box.getparent() is None or box.find(".//img") is not None:
        return
    names = list({text_of(name): name for name in _names(box)}.values())
    known = sum(len(text_of(part).strip()) for part in (*names, listings[0]))
    if len(text_of(box).strip()) - known <= MAX_LABEL:
        replace(box, None, *names, listings[0])


def _names(box: Any) -> Iterable[Any]:
    for element in box.iter("figcaption", "span", "div", "p"):
        is_name = element.tag == "figcaption" or has_class(element, _NAME_CLASSES)
        if is_name and element.find(".//pre") is None and 0 < len(text_of(element).strip()) <= MAX_NAME:
            name = html.Element("p")
            name.text = text_of(element).strip()
            yield name
