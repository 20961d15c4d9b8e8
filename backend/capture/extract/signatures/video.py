"""Video pages: the description, with its chapters, is the text; the page itself is drawn by a script."""

from __future__ import annotations

import json
import re
from typing import Any

from backend.capture.extract.blocks import Block

_YOUTUBE = re.compile(
    r'"videoDetails"\s*:\s*\{.{0,4000}?"shortDescription"\s*:\s*("(?:[^"\\]|\\.){0,20000}")', re.DOTALL
)
MAX_UNLINKED = 40  # Characters outside links on a page that has no text of its own.


def described_blocks(tree: Any, markup: str, blocks: list[Block], description: str | None) -> list[Block]:
    """Return the description as blocks, where the page says nothing else but the labels of links."""
    linked = sum(block.linked for block in blocks)
    if sum(len(block.text) for block in blocks) - linked > min(linked, MAX_UNLINKED) or not blocks:
        return []
    text = _stated(markup) or description or ""
    return [Block("p", (), tree, (part,), part, 0) for part in map(str.strip, text.split("\n")) if part]


def _stated(markup: str) -> str | None:
    if not (match := _YOUTUBE.search(markup)):
        return None
    try:
        return str(json.loads(match[1], strict=False))
    except ValueError:
        return None
