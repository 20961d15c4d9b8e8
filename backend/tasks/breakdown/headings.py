"""Steps of a how-to page, read from its headings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml import etree, html  # type: ignore[import-untyped]

from backend.tasks.breakdown.sections import is_explanation, is_non_step_section

# In plain text a heading is a short line of its own that does not end like a sentence.
LONGEST_HEADING = 90
FEWEST_STEPS = 2
LEVELS = ("h1", "h2", "h3", "h4", "h5", "h6")
STEP = re.compile(
    r"(?P<mark>(?i:step|schritt|part|teil|paso|étape|passo|stap|krok|шаг)\s*#?\d{1,2}|第[一二三四五六七八九十\d]{1,3}步|\d{1,2}(?=[.):]))"
    r"\s*[:.)–—-]*\s*(?P<text>.*)"
)
MARKDOWN = re.compile(r"\s{0,3}(?P<marks>#{1,6})\s+(?P<text>\S.*)")
PERMALINKS = "¶#§🔗"
# Longer headings are cut: headings may be nested in headings.
LONGEST_READ = 2_000


@dataclass
class Heading:
    """A heading, its level (1 is the outermost), and whether it is marked as a step."""

    text: str
    level: int
    is_step: bool


@dataclass
class PageStep:
    """A step of a page, with its subheadings."""

    text: str
    points: list[str] = field(default_factory=list)


def page_steps(markup: str, text: str) -> list[PageStep] | None:
    """Return the steps of a captured page, given as sanitised HTML and text; None for fewer than two.

    Numbered headings are the steps, else the outermost level with several headings. Headings that lead elsewhere
    ("References") or explain ("What is …?") are left out with everything under them.
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
        elif is_open and not is_non_step_section(heading.text):
            steps[-1].points.append(f"- {heading.text}")
    return steps if len(steps) >= FEWEST_STEPS else None


def html_headings(markup: str) -> list[Heading]:
    """Return the headings of an HTML page, in order."""
    if not markup.strip():
        return []
    try:
        tree = html.document_fromstring(markup.encode(), html.HTMLParser(encoding="utf-8"))
    except etree.ParserError:  # The document has no element.
        return []
    headings = ((_text_of(element), int(element.tag[1])) for element in tree.iter(*LEVELS))
    return [_heading(text, level) for text, level in headings if text]


def text_headings(text: str) -> list[Heading]:
    """Return the headings of a plain text: those of Markdown, else lines such as "Step 2: Sand the boards"."""
    lines = [line.strip() for line in text.splitlines()]
    marked = [heading for line in lines if (heading := read_markdown_heading(line))]
    if marked:
        return [_heading(text, level) for text, level in marked]
    return [_heading(line, 1) for line in lines if _looks_like_a_step(line)]


def read_markdown_heading(line: str) -> tuple[str, int] | None:
    """Return text and level of a Markdown heading such as `## Sand the boards ##`, or None."""
    match = MARKDOWN.match(line)
    if match is None:
        return None
    text = match["text"].rstrip()
    return text.rstrip("#").rstrip() or text[0], len(match["marks"])


def _text_of(element: Any) -> str:
    text = ""
    for piece in element.itertext(etree.Element):
        text += piece[:LONGEST_READ]
        if len(text) > LONGEST_READ:
            break
    return " ".join(text[:LONGEST_READ].split())


def _heading(text: str, level: int) -> Heading:
    shown = _without_permalink(text[:LONGEST_READ])
    match = STEP.match(shown)
    bare = match["text"].strip() if match else ""
    return Heading(bare or shown, level, bool(bare))


def _without_permalink(heading: str) -> str:
    bare = heading.rstrip().rstrip(PERMALINKS)
    return heading if bare == heading.rstrip() else bare.rstrip()


def _looks_like_a_step(line: str) -> bool:
    match = STEP.match(line)
    return match is not None and 0 < len(match["text"]) <= LONGEST_HEADING and match["text"][-1] not in ".,;"


def _step_level(headings: Sequence[Heading]) -> int | None:
    numbered = Counter(heading.level for heading in headings if _is_step(heading, numbered=True))
    usable = Counter(heading.level for heading in headings if _is_step(heading, numbered=False))
    for counts in (numbered, usable):
        levels = [level for level, number in counts.items() if number >= FEWEST_STEPS]
        if levels:
            return min(levels)
    return None


def _is_step(heading: Heading, *, numbered: bool) -> bool:
    if is_non_step_section(heading.text):
        return False
    return heading.is_step if numbered else not is_explanation(heading.text)
