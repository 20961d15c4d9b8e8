"""Features of blocks: what the model weighs."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from backend.capture.extract.article_model.names import NameGroups
from backend.capture.extract.blocks import HEADINGS, Block
from backend.capture.extract.readers import FOUND, compact

Features = dict[str, float]

LONG = 60  # Letters of a block that two readers' finding makes a landmark.
MAX_WEIGHT = 600  # Letters with which a block counts among its neighbours.
SHORT_TEXT = 120  # Characters of a line that is a label, a note or a button, if it says so.
_END = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")
_LABEL = re.compile(
    r"©|\(c\) ?\d{4}|copyright|all rights reserved|follow (?:us|me|@)|sign up|subscri"
    r"|newsletter|read (?:more|next|also)|related|click here|share (?:this|on)|advert|cookie|privacy"
    r"|terms (?:of|and)|comments?\b|log ?in"
    r"|contact (?:us|me)|e-?mail|download|most (?:read|popular)|see also|posted|filed under|tags?:|categories"
    r"|about the author|photo(?:graph)?s?\b|image:|source:|credit|originally published|view (?:all|more)|donate"
    r"|support (?:us|our)|@",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b(?:19|20)\d\d\b|\b\d{1,2}:\d\d\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w* \d"
    r"|\bago\b|min(?:ute)?s? read",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class BlockEvidence:
    """The blocks of a page and their letters, what each reader has found of them, and what the page says of itself."""

    blocks: Sequence[Block]
    letters: Sequence[str]
    trafilatura: Sequence[float]
    precise: Sequence[float]
    readability: Sequence[float]
    title: str
    description: str


def features_of(evidence: BlockEvidence) -> list[Features]:
    """Return the features of each block; all are between 0 and 1.

    A block has none where no reader has found it, and it stands before or behind all that readers agree on.
    """
    page = _Page(evidence)
    return [page.features(index) for index in range(len(evidence.blocks))]


class _Page:
    def __init__(self, evidence: BlockEvidence) -> None:
        self._evidence = evidence
        self._lengths = [len(letters) for letters in evidence.letters]
        readers = zip(evidence.trafilatura, evidence.precise, evidence.readability, strict=True)
        self._votes = [sum(shares) / 3 for shares in readers]
        self._names = NameGroups()
        self._title, self._description = compact(evidence.title), compact(evidence.description)
        self._sum_parents()
        self._sum_landmarks()

    def _sum_parents(self) -> None:
        """Sum how much of each container was found."""
        self._inside: dict[object, tuple[float, int]] = {}
        for block, vote, length in zip(self._evidence.blocks, self._votes, self._lengths, strict=True):
            found, whole = self._inside.get(_container(block), (0.0, 0))
            self._inside[_container(block)] = found + vote * length, whole + length
        self._found = sum(vote * length for vote, length in zip(self._votes, self._lengths, strict=True)) or 1

    def _sum_landmarks(self) -> None:
        """Sum the letters of long blocks that readers agree on, up to each block."""
        self._before = [0]
        for vote, length in zip(self._votes, self._lengths, strict=True):
            self._before.append(self._before[-1] + (length if vote >= 0.6 and length >= LONG else 0))

    def features(self, index: int) -> Features:
        is_outside = self._before[index] == 0 or self._before[index] == self._before[-1]
        if is_outside and not self._votes[index]:
            return {}
        return {
            **self._readers(index),
            **self._neighbours(index),
            **self._place(index),
            **self._line(index),
            **{f"in_{group}": 1.0 for group in self._names.around(self._evidence.blocks[index].element)},
        }

    def _readers(self, index: int) -> Features:
        first, second = self._evidence.trafilatura[index], self._evidence.precise[index]
        third = self._evidence.readability[index]
        return {
            "trafilatura": first,
            "precise": second,
            "readability": third,
            "trafilatura_precise": first * second,
            "trafilatura_readability": first * third,
            "precise_readability": second * third,
            "all_readers": first * second * third,
            "any_reader": float(max(first, second, third) >= FOUND),
        }

    def _neighbours(self, index: int) -> Features:
        found, whole = self._inside[_container(self._evidence.blocks[index])]
        share = found / self._found
        return {
            "vote_before": self._votes[index - 1] if index else 0.0,
            "vote_after": self._votes[index + 1] if index + 1 < len(self._votes) else 0.0,
            "votes_around": self._mean_vote(index, 2, 2),
            "votes_before": self._mean_vote(index, 5, 0),
            "votes_after": self._mean_vote(index, 0, 5),
            "container_found": found / whole if whole else 0.0,
            "container_share": share,
            "container_is_marginal": float(share < 0.05),
        }

    def _mean_vote(self, index: int, before: int, after: int) -> float:
        places = [*range(max(0, index - before), index), *range(index + 1, min(len(self._votes), index + after + 1))]
        weights = [min(self._lengths[place], MAX_WEIGHT) for place in places]
        votes = sum(self._votes[place] * weight for place, weight in zip(places, weights, strict=True))
        return votes / sum(weights) if any(weights) else 0.0

    def _place(self, index: int) -> Features:
        whole = self._before[-1] or 1
        before, after = self._before[index] / whole, (self._before[-1] - self._before[index + 1]) / whole
        block = self._evidence.blocks[index]
        is_head, is_tail = float(before == 0), float(after == 0)
        return {
            "before": before,
            "after": after,
            "is_between": float(before > 0 and after > 0),
            "is_head": is_head,
            "is_tail": is_tail,
            "head_trafilatura": is_head * self._evidence.trafilatura[index],
            "tail_trafilatura": is_tail * self._evidence.trafilatura[index],
            "tail_precise": is_tail * self._evidence.precise[index],
            "tail_linked": is_tail * _linked(block),
            "tail_heading": is_tail * (block.kind in HEADINGS),
            "head_short": is_head * (1 - self._size(index)),
        }

    def _size(self, index: int) -> float:
        return min(math.log1p(self._lengths[index]), 7) / 7

    def _line(self, index: int) -> Features:
        block, letters = self._evidence.blocks[index], self._evidence.letters[index]
        is_short = len(block.text) < SHORT_TEXT
        return {
            "size": self._size(index),
            "is_tiny": float(len(letters) < 20),
            "is_long": float(len(letters) > 150),
            "linked": _linked(block),
            "is_linked": float(_linked(block) > 0.8),
            "commas": min(block.text.count(","), 10) / 10,
            "is_sentence": float(_END.search(block.text[-20:]) is not None),
            "is_label": float(is_short and _LABEL.search(block.text) is not None),
            "is_date": float(len(letters) < LONG and _DATE.search(block.text) is not None),
            "is_title": float(bool(self._title) and _is_part(letters, self._title, 10)),
            "is_description": float(bool(self._description) and _is_part(letters, self._description, 20)),
            "is_heading": float(block.kind in HEADINGS),
            "is_main_heading": float(block.kind == "h1"),
            "is_table": float(block.kind == "table"),
            "is_caption": float(block.kind == "figcaption"),
            "is_paragraph": float(block.element.tag == "p"),
            "is_item": float(any(frame.tag == "li" for frame in block.frames)),
            "is_quotation": float(any(frame.tag == "blockquote" for frame in block.frames)),
        }


def _container(block: Block) -> object:
    """Return the element whose parts a block is one of: around a paragraph, the element itself for text of its own."""
    element = block.element
    if block.kind == "p" and element.tag not in ("p", "li", "dd", "blockquote", "figcaption", "span"):
        return element
    return element.getparent()


def _linked(block: Block) -> float:
    return min(1.0, block.linked / len(block.text)) if block.text else 0.0


def _is_part(letters: str, other: str, least: int) -> bool:
    return letters == other or (len(letters) > least and letters in other) or (len(other) > least and other in letters)
