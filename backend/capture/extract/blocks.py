"""Blocks of a page: its tree as a flat list of paragraphs, headings, listings and tables, in reading order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from backend.capture.extract.inline import LineText
from backend.capture.extract.tables import is_data_table, table_text

HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
LISTS = frozenset(("ul", "ol", "dl"))
ITEMS = frozenset(("li", "dt", "dd"))
_CONTAINERS = """
    address article aside body center dd details dialog div dl dt fieldset figcaption figure footer form header
    hgroup html legend li main menu nav ol p section summary tbody td tfoot th thead tr ul blockquote caption
"""
_CONTAINERS_AND_LEAVES = frozenset(_CONTAINERS.split()) | HEADINGS | {"pre", "table", "hr", "iframe", "video"}
_UNREAD_TAGS = "audio button canvas head iframe noscript object script select style svg template textarea video"
_UNREAD = frozenset(_UNREAD_TAGS.split())


@dataclass(eq=False, slots=True)
class Frame:
    """A list, an item, a quotation or a figure around blocks; two of them are never equal."""

    tag: str
    start: str | None = None


@dataclass(eq=False, slots=True)
class Block:
    """One paragraph, heading, listing or table.

    `kind` is its tag in HTML, `frames` what is around it, the outermost first, `element` the innermost element of the
    tree that holds it, `pieces` what in it is this line; `linked` counts the characters of `text` inside links.
    """

    kind: str
    frames: tuple[Frame, ...]
    element: Any
    pieces: Sequence[Any]
    text: str
    linked: int


def blocks_of(roots: Iterable[Any]) -> list[Block]:
    """List the blocks in these elements of a prepared tree."""
    walk = _Walk()
    for root in roots:
        walk.note_blocks(root)
        walk.visit(root, (), linked=False)
    return walk.blocks


class _Walk:
    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._with_blocks: set[Any] = set()

    def note_blocks(self, root: Any) -> None:
        """Note each element that has a block inside it: it is no part of a line, whatever its name."""
        for element in root.iter(*_CONTAINERS_AND_LEAVES):
            around = element.getparent()
            while around is not None and around not in self._with_blocks:
                self._with_blocks.add(around)
                around = around.getparent()

    def visit(self, element: Any, frames: tuple[Frame, ...], *, linked: bool) -> None:
        tag = element.tag
        linked = linked or tag == "a"
        if not isinstance(tag, str) or tag in _UNREAD:
            return
        if tag in HEADINGS:
            self._add_line(tag, frames, element, linked)
        elif tag == "pre":
            self._add_listing(element, frames)
        elif tag == "table" and is_data_table(element):
            self._add_table(element, frames)
        else:
            self._visit_inside(element, _framed(tag, frames, element), linked=linked)

    def _visit_inside(self, element: Any, frames: tuple[Frame, ...], *, linked: bool) -> None:
        line = LineText(in_link=linked)
        line.add(element.text)
        for child in element:
            if not isinstance(child.tag, str):
                line.add(child.tail)
                continue
            if self._is_block(child):
                self._flush(line, element, frames)
                self.visit(child, frames, linked=linked)
                line = LineText(in_link=linked)
            elif child.tag == "br" and line.ends_with_break():
                self._flush(line, element, frames)
                line = LineText(in_link=linked)
            else:
                line.add(child)
            line.add(child.tail)
        self._flush(line, element, frames)

    def _is_block(self, element: Any) -> bool:
        return element.tag in _CONTAINERS_AND_LEAVES or element in self._with_blocks

    def _flush(self, line: LineText, element: Any, frames: tuple[Frame, ...]) -> None:
        kind = "figcaption" if element.tag == "figcaption" else "p"
        self._append(kind, frames, element, line)

    def _add_line(self, kind: str, frames: tuple[Frame, ...], element: Any, linked: bool) -> None:
        line = LineText(in_link=linked)
        line.add_contents(element)
        self._append(kind, frames, element, line)

    def _append(self, kind: str, frames: tuple[Frame, ...], element: Any, line: LineText) -> None:
        if not line.pieces:
            return
        if (text := line.text()) or line.has_picture:
            self.blocks.append(Block(kind, frames, element, line.pieces, text, line.linked))

    def _add_listing(self, element: Any, frames: tuple[Frame, ...]) -> None:
        text = "".join(element.itertext())
        if text.strip():
            self.blocks.append(Block("pre", frames, element, (), text, 0))

    def _add_table(self, element: Any, frames: tuple[Frame, ...]) -> None:
        text, linked = table_text(element)
        if text:
            self.blocks.append(Block("table", frames, element, (), text, linked))


def _framed(tag: str, frames: tuple[Frame, ...], element: Any) -> tuple[Frame, ...]:
    if tag in LISTS or tag in ("blockquote", "figure"):
        return (*frames, Frame(tag, element.get("start")))
    if tag in ITEMS:
        in_list = bool(frames) and frames[-1].tag in LISTS
        around = () if in_list else (Frame("dl" if tag != "li" else "ul"),)
        return (*frames, *around, Frame(tag))
    return frames
