"""Selection: which blocks of a page are its article, by a vote of readers that a model weighs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from loguru import logger

from backend.capture.extract.article_model.features import BlockEvidence
from backend.capture.extract.article_model.names import UNRELATED, NameGroups
from backend.capture.extract.article_model.probability import probabilities
from backend.capture.extract.blocks import HEADINGS, ITEMS, LISTS, Block
from backend.capture.extract.readers import FOUND, compact, coverage, read_by_readability, read_by_trafilatura

LIKELY = 0.5
POSSIBLE = 0.15  # Of a block between two that are likely, which a reader has found as well.
UNLIKELY = 0.05  # Of a heading, a listing or an item that belongs to something else between two likely blocks.
MAX_LINKED = 0.5  # Share of the text in links; lists with more of it lead to other pages.
MIN_SHARE = 0.25  # Of the chosen text that stands in one kind of markup.
MIN_PROSE = 120  # Characters of a paragraph that counts as prose.
MAX_LINKED_PROSE = 0.2
MARKUP_DEPTH = 4  # Elements.
_STRUCTURE = (HEADINGS - {"h1"}) | {"pre", "table"}


def select_article(tree: Any, blocks: Sequence[Block], title: str | None, description: str | None) -> list[Block]:
    """Return the blocks of the article in a prepared tree; none where no reader finds one."""
    letters = [compact(block.text) for block in blocks]
    first = coverage(letters, read_by_trafilatura(tree))
    if not any(share >= FOUND for share in first):
        return []
    precise = coverage(letters, _found(read_precisely, tree))
    second = coverage(letters, _found(read_by_readability, tree))
    evidence = BlockEvidence(blocks, letters, first, precise, second, title or "", description or "")
    return choose(evidence, probabilities(evidence))


def choose(evidence: BlockEvidence, likely: Sequence[float]) -> list[Block]:
    """Return the likely blocks, and what stands between them."""
    chosen = {place for place, probability in enumerate(likely) if probability >= LIKELY}
    if not any(evidence.blocks[place].text for place in chosen):
        chosen = {place for place, share in enumerate(evidence.trafilatura) if share >= FOUND}
    chosen.update(list(_alike(evidence, chosen)))
    chosen.update(list(_between(evidence, likely, chosen)))
    chosen.update(list(_behind(evidence, chosen)))
    return [block for place, block in enumerate(evidence.blocks) if place in chosen]


def read_precisely(tree: Any) -> list[str]:
    """Return what trafilatura finds by itself when it leaves out what is doubtful."""
    return read_by_trafilatura(tree, precision=True, fast=True)


def _found(read: Callable[[Any], list[str]], tree: Any) -> list[str]:
    """Call a second reader; nothing where the library fails on the page, since the first has read it."""
    try:
        return read(tree)
    except Exception:
        logger.opt(exception=True).warning("{} failed on a page", read.__name__)
        return []


def _between(evidence: BlockEvidence, likely: Sequence[float], chosen: set[int]) -> Iterator[int]:
    """Yield the headings, listings, tables, items and pictures between chosen blocks, which readers often drop."""
    if not chosen:
        return
    names = NameGroups()
    usual = _usual_groups([evidence.blocks[place] for place in chosen], names)
    for place in range(min(chosen), max(chosen)):
        block = evidence.blocks[place]
        if place in chosen or (block.text and block.linked > MAX_LINKED * len(block.text)):
            continue
        is_found = likely[place] >= POSSIBLE and evidence.trafilatura[place] >= FOUND
        is_related = likely[place] >= UNLIKELY and not (names.around(block.element) - usual) & UNRELATED
        if is_found or _is_picture(block) or (is_related and _is_structure(block)):
            yield place


def _behind(evidence: BlockEvidence, chosen: set[int]) -> Iterator[int]:
    """Yield the listings, tables and items right behind the last chosen block, in the same container."""
    last = max(chosen, default=len(evidence.blocks))
    for place in range(last + 1, len(evidence.blocks)):
        block = evidence.blocks[place]
        is_leading_elsewhere = block.linked > MAX_LINKED * len(block.text)
        if block.kind in HEADINGS or not _is_structure(block) or is_leading_elsewhere:
            return
        if _outside_lists(block) is not _outside_lists(evidence.blocks[last]):
            return
        yield place


def _outside_lists(block: Block) -> Any:
    """Return the element around a block, and around the lists that it stands in."""
    around = (element for element in block.element.iterancestors() if element.tag not in LISTS | ITEMS)
    return next(around, None)


def _alike(evidence: BlockEvidence, chosen: set[int]) -> Iterator[int]:
    """Yield the paragraphs in markup like that of the chosen ones, where a body stands in several containers."""
    lengths: Counter[object] = Counter()
    for place in chosen:
        lengths[_markup(evidence.blocks[place])] += len(evidence.blocks[place].text)
    usual = {markup for markup, length in lengths.items() if length >= MIN_SHARE * lengths.total()}
    for place, block in enumerate(evidence.blocks):
        is_prose = len(block.text) >= MIN_PROSE and block.linked <= MAX_LINKED_PROSE * len(block.text)
        if place not in chosen and is_prose and _markup(block) in usual:
            yield place


def _markup(block: Block) -> object:
    """Return the tags and classes of a block's element and of those around it."""
    around = islice(chain((block.element,), block.element.iterancestors()), MARKUP_DEPTH)
    return tuple((element.tag, element.get("class")) for element in around)


def _usual_groups(blocks: Sequence[Block], names: NameGroups) -> frozenset[str]:
    """Return the groups of names around the longest chosen block: those of the article itself."""
    return names.around(max(blocks, key=lambda block: len(block.text)).element)


def _is_picture(block: Block) -> bool:
    return block.kind == "figcaption" or not block.text


def _is_structure(block: Block) -> bool:
    return block.kind in _STRUCTURE or any(frame.tag in ITEMS for frame in block.frames)
