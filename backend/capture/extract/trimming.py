"""Trimming: the beginning of an article that says again what the page states of itself."""

from __future__ import annotations

from collections.abc import Sequence

from backend.capture.extract.blocks import HEADINGS, Block
from backend.capture.extract.readers import compact

FIRST = 5  # Blocks among which the title stands, after a category or a date.


def without_title(blocks: Sequence[Block], title: str | None) -> list[Block]:
    """Return the blocks without the title, which stands beside the text anyway; all where nothing else is there."""
    whole = compact(title or "")
    others = [block for place, block in enumerate(blocks) if place >= FIRST or not _is_title(block, whole)]
    return others if any(block.text for block in others) else list(blocks)


def _is_title(block: Block, title: str) -> bool:
    letters = compact(block.text)
    return bool(letters) and (letters == title or (block.kind in HEADINGS and title.startswith(letters)))
