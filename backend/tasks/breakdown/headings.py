"""The steps of a how-to page: its headings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml import etree, html  # type: ignore[import-untyped]

from backend.tasks.breakdown.sections import is_aside, is_explanation

# What counts as a heading in plain text: a line that stands alone, is short and does not end like a sentence.
LONGEST_HEADING = 90
FEWEST_STEPS = 2
LEVELS = ("h1", "h2", "h3", "h4", "h5", "h6")
STEP = re.compile(
    r"(?P<mark>(?i:step|schritt|part|teil|paso|étape|passo|stap|krok|шаг)\s*#?\d{1,2}|第[一二三四五六七八九十\d]{1,3}步|\d{1,2}(?=[.):]))"
    r"\s*[:.)–—-]*\s*(?P<text>.*)"
)
MARKDOWN = re.compile(r"\s{0,3}(?P<marks>#{1,6})\s+(?P<text>\S.*)")
PERMALINKS = "¶#§🔗"
# Of a longer heading, or line that may be one, the beginning is read: headings may stand within headings.
LONGEST_READ = 2_000


@dataclass
class Heading:
    """A heading, how deep it stands (1 is the outermost), and whether it says that it is a step."""

    text: str
    level: int
    is_step: bool


@dataclass
class PageStep:
    """A step of a page, with the headings under it."""

    text: str
    points: list[str] = field(default_factory=list)


def page_steps(markup: str, text: str) -> list[PageStep] | None:
    """The steps of a page as captures store it, sanitised HTML and text; None where it has fewer than two.

    Where headings are numbered, those are the steps; else the outermost ones of which there are several. Headings
    that lead elsewhere ("References") or explain ("What is …?") are left out with all that stands under them.
    """
    headings = html_headings(markup) or text_headings(text)
    level = _step_level(headings)
    if level is None:
        return None
    numbered = sum(heading.is_step for heading in headings if heading.level == level) >= FEWEST_STEPS
    steps: list[PageStep] = []
    is_open = False
    for heading in headings:
        if heading.level <= level:
            is_open = heading.level == level and _is_step(heading, numbered=numbered)
            if is_open:
                steps.append(PageStep(heading.text))
        elif is_open and not is_aside(heading.text):
            steps[-1].points.append(f"- {heading.text}")
    return steps if len(steps) >= FEWEST_STEPS else None


def html_headings(markup: str) -> list[Heading]:
    """The headings of an HTML page, in order."""
    if not markup.strip():
        return []
    try:
        tree = html.document_fromstring(markup.encode(), html.HTMLParser(encoding="utf-8"))
    except etree.ParserError:  # There is no element in it.
        return []
    found = ((_text_of(element), int(element.tag[1])) for element in tree.iter(*LEVELS))
    return [_heading(text, level) for text, level in found if text]


def text_headings(text: str) -> list[Heading]:
    """The headings of a plain text: those of Markdown, else lines such as "Step 2: Sand the boards"."""
    lines = [line.strip() for line in text.splitlines()]
    marked = [found for line in lines if (found := read_markdown_heading(line))]
    if marked:
        return [_heading(text, level) for text, level in marked]
    return [_heading(line, 1) for line in lines if _looks_like_a_step(line)]


def read_markdown_heading(line: str) -> tuple[str, int] | None:
    """The text and the level of a line such as `## Sand the boards ##`; None if it is no heading."""
    found = MARKDOWN.match(line)
    if found is None:
        return None
    text = found["text"].rstrip()
    return text.rstrip("#").rstrip() or text[0], len(found["marks"])


def _text_of(element: Any) -> str:
    text = ""
    for piece in element.itertext(etree.Element):
        text += piece[:LONGEST_READ]
        if len(text) > LONGEST_READ:
            break
    return " ".join(text[:LONGEST_READ].split())


def _heading(text: str, level: int) -> Heading:
    shown = _without_permalink(text[:LONGEST_READ])
    found = STEP.match(shown)
    bare = found["text"].strip() if found else ""
    return Heading(bare or shown, level, bool(bare))


def _without_permalink(heading: str) -> str:
    bare = heading.rstrip().rstrip(PERMALINKS)
    return heading if bare == heading.rstrip() else bare.rstrip()


def _looks_like_a_step(line: str) -> bool:
    found = STEP.match(line)
    return found is not None and 0 < len(found["text"]) <= LONGEST_HEADING and found["text"][-1] not in ".,;"


def _step_level(headings: Sequence[Heading]) -> int | None:
    numbered = Counter(heading.level for heading in headings if _is_step(heading, numbered=True))
    usable = Counter(heading.level for heading in headings if _is_step(heading, numbered=False))
    for counts in (numbered, usable):
        levels = [level for level, number in counts.items() if number >= FEWEST_STEPS]
        if levels:
            return min(levels)
    return None


def _is_step(heading: Heading, *, numbered: bool) -> bool:
    if is_aside(heading.text):
        return False
    return heading.is_step if numbered else not is_explanation(heading.text)
