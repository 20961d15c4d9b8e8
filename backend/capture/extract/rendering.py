"""Rendering: blocks as HTML for reading, and as text."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from backend.capture.extract.blocks import HEADINGS, ITEMS, LISTS, Block, Frame
from backend.capture.extract.inline import line_html
from backend.capture.extract.tables import table_html

_NUMBERED = re.compile(
    r"(?:fig(?:ure)?|tab(?:le)?|abb(?:ildung)?|listing|algorithm|scheme|chart|example|exhibit|code|рис|табл)\.?\s*\d",
    re.IGNORECASE,
)
_BARE = ITEMS | {"figure"}  # Their first paragraph needs no element of its own.


def render_html(blocks: Sequence[Block], base_url: str) -> str:
    """Write blocks as HTML, each list and quotation around those that stand in it.

    Addresses are resolved against `base_url`.
    """
    parts: list[str] = []
    around: tuple[Frame, ...] = ()
    for block in blocks:
        if not (inside := _inside(block, base_url)):
            continue
        shared = _shared(around, block.frames)
        parts += [f"</{frame.tag}>" for frame in reversed(around[shared:])]
        parts += [_opened(frame) for frame in block.frames[shared:]]
        is_bare = block.kind == "p" and len(block.frames) > shared and block.frames[-1].tag in _BARE
        parts.append(inside if is_bare or block.kind in ("table", "pre") else f"<{block.kind}>{inside}</{block.kind}>")
        around = block.frames
    parts += [f"</{frame.tag}>" for frame in reversed(around)]
    return "".join(parts)


def _shared(first: tuple[Frame, ...], second: tuple[Frame, ...]) -> int:
    count = 0
    for frame, other in zip(first, second, strict=False):
        if frame is not other:
            break
        count += 1
    return count


def _opened(frame: Frame) -> str:
    start = frame.start if frame.tag == "ol" and frame.start and frame.start.isdigit() else None
    return f'<{frame.tag} start="{start}">' if start else f"<{frame.tag}>"


def _inside(block: Block, base_url: str) -> str:
    if block.kind == "table":
        return table_html(block.element, base_url)
    if block.kind == "pre":
        return f"<pre><code>{html.escape(block.text, quote=False)}</code></pre>"
    return line_html(block.pieces, base_url)


def render_text(blocks: Sequence[Block]) -> str:
    """Write blocks as text: a line for each item of a list, a blank line between others.

    A caption is text where it has a number, by which the text refers to it; others need their picture.
    """
    parts: list[str] = []
    before: Block | None = None
    for block in blocks:
        if not block.text or (block.kind == "figcaption" and not _NUMBERED.match(block.text)):
            continue
        if before is not None:
            parts.append(_gap(before, block))
        parts.append(block.text)
        before = block
    return "".join(parts)


def _gap(before: Block, block: Block) -> str:
    is_apart = any(one.kind in HEADINGS | {"pre", "table"} for one in (before, block))
    shared = _shared(before.frames, block.frames)
    in_one_list = any(frame.tag in LISTS for frame in block.frames[:shared])
    begins_item = any(frame.tag in ITEMS for frame in block.frames[shared:]) or len(before.frames) > shared
    return "\n" if in_one_list and begins_item and not is_apart else "\n\n"
