"""The lists of a text: checkboxes, numbered steps and bullets, in Markdown and as people type them in any language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from backend.tasks.breakdown.headings import read_markdown_heading
from backend.tasks.breakdown.sections import is_aside

Kind = Literal["numbered", "bullet", "inner"]
TAB = 4
# A line so long that ends in the middle of a sentence was wrapped.
WRAPPED = 60

NUMBER = (
    r"(?:\(?\d{1,2}[.)]|\(?[a-hA-H]\))(?=\s)|（?\d{1,2}[）、．]|[一二三四五六七八九十]{1,3}、|[①-⑳]"
    r"|(?i:step|schritt|paso|étape|passo|stap|krok|шаг|steg|trin|adım)\s*\d{1,2}\s*(?:[:.)–—-]|(?=\s))"
    r"|(?i:第)[一二三四五六七八九十\d]{1,3}(?:步|に)[:：]?|\d\ufe0f?\u20e3"
)
ITEM = re.compile(
    rf"(?P<indent>[ \t\u3000]*)(?:(?P<numbered>{NUMBER})|(?P<bullet>[-*+–—](?=\s)|[•‣・●])"
    r"|(?P<inner>[◦▪▫○■□](?=\s)|o(?=\t)))?"
    r"\s*(?P<box>\[[ xX✓✔]?\](?=\s|$)|[☐☑☒✅✓✔⬜](?:\ufe0f)?)?\s*(?P<text>.*)"
)
DONE = frozenset("xX✓✔☑☒✅")
FENCE = re.compile(r"\s*(?:```|~~~)")
STRUCK = re.compile(r"~~.+~~$")
RULE = re.compile(r"\s*(?:[-*_]\s*){3,}$")
INLINE_NUMBER = re.compile(r"(?:(?<=\s)|(?<=^))\(?(\d{1,2})[.)](?=\s+\S)")


@dataclass
class Item:
    """One item of a list, with what stands under it as lines of text; `nested` of them are items themselves."""

    text: str
    kind: Kind
    has_box: bool
    is_done: bool
    points: list[str] = field(default_factory=list)
    nested: int = 0


@dataclass
class List:
    """Items that stand together, under the line that leads to them."""

    lead: str
    indent: int
    kind: Kind
    items: list[Item] = field(default_factory=list)


@dataclass(frozen=True)
class _Line:
    indent: int
    kind: Kind | None
    box: str | None
    text: str


def read_items(text: str) -> list[Item] | None:
    """The steps that the lists of a text name; those that are ticked off are left out. None where there is no list.

    Where there are checkboxes they are the steps, else numbered items, else bullets: beside a list of steps others
    say what it is about. Lists under a line such as "Links" are no steps.
    """
    # A lone number at the beginning of a line is a date more often than a list.
    lists = [found for found in read_lists(text) if found.kind != "numbered" or len(found.items) > 1]
    items = [item for found in lists if not is_aside(found.lead) for item in found.items]
    kinds = (
        [item for item in items if item.has_box],
        [item for item in items if item.kind == "numbered"],
        items,
    )
    for chosen in kinds:
        if chosen:
            return [item for item in chosen if not item.is_done]
    return None


def without_lists(text: str) -> str:
    """A text without the items of its lists and without code."""
    plain = (line for line, is_verbatim in _lines(text) if not (is_verbatim or line.kind or line.box))
    return "\n".join(line.text for line in plain)


def read_lists(text: str) -> list[List]:
    """All lists of a text, nested ones within their items."""
    lists: list[List] = []
    open_list: List | None = None
    lead = ""
    after_blank = False
    for line, is_verbatim in _lines(text):
        if not line.text and line.kind is None and line.box is None:
            after_blank = True
            continue
        if not is_verbatim and (line.kind or line.box):
            if open_list is None:
                open_list = List(lead, line.indent, line.kind or "bullet")
                lists.append(open_list)
            _add(open_list, line)
        elif open_list is not None and (is_verbatim or _belongs(line, open_list, after_blank=after_blank)):
            _continue(open_list.items[-1], line, is_wrapped=not (is_verbatim or after_blank))
        else:
            open_list, lead = None, line.text
        after_blank = False
    return lists


def _lines(text: str) -> Iterator[tuple[_Line, bool]]:
    """The lines with whether they stand in a block of code."""
    in_code = False
    for raw in _with_inline_steps(text).splitlines():
        if FENCE.match(raw):
            in_code = not in_code
        elif in_code:
            yield _Line(_width(raw), None, None, raw.strip()), True
        elif heading := read_markdown_heading(raw):
            # Whatever stands before a heading has ended.
            yield _Line(0, None, None, ""), False
            yield _Line(0, None, None, heading[0]), False
        elif not RULE.match(raw):
            yield _line(raw), False


def _line(raw: str) -> _Line:
    found = ITEM.match(raw)
    assert found is not None
    kind: Kind | None = None
    if found["numbered"]:
        kind = "numbered"
    elif found["bullet"]:
        kind = "bullet"
    elif found["inner"]:
        kind = "inner"
    if not found["text"]:
        # A mark with nothing behind it is no item.
        return _Line(0, None, None, "")
    return _Line(_width(found["indent"]), kind, found["box"], found["text"].strip())


def _width(indent: str) -> int:
    stripped = indent.lstrip(" \t\u3000")
    return len(indent[: len(indent) - len(stripped)].replace("\u3000", "  ").expandtabs(TAB))


def _add(found: List, line: _Line) -> None:
    kind = line.kind or "bullet"
    is_outer = line.indent < found.indent
    is_top = not found.items or is_outer or (line.indent <= found.indent + 1 and kind == found.kind)
    if is_top:
        if is_outer:
            found.indent, found.kind = line.indent, kind
        found.items.append(Item(line.text, kind, line.box is not None, _is_done(line)))
    elif not _is_done(line):
        found.items[-1].points.append(f"- {line.text}")
        found.items[-1].nested += 1


def _belongs(line: _Line, found: List, *, after_blank: bool) -> bool:
    """Whether a line that is no item goes on with the last one."""
    if line.indent > found.indent:
        return True
    last = found.items[-1]
    before = last.points[-1] if last.points else last.text
    return not after_blank and len(before) >= WRAPPED and before[-1] not in ".!?:;"


def _continue(item: Item, line: _Line, *, is_wrapped: bool) -> None:
    if not is_wrapped:
        item.points.append(line.text)
    elif item.points:
        item.points[-1] += f" {line.text}"
    else:
        item.text += f" {line.text}"


def _is_done(line: _Line) -> bool:
    return (line.box is not None and not DONE.isdisjoint(line.box)) or STRUCK.match(line.text) is not None


def _with_inline_steps(text: str) -> str:
    """The text with steps that are numbered within a line (1. … 2. … 3. …) on lines of their own."""
    return "\n".join(_split_inline(line) for line in text.splitlines())


def _split_inline(line: str) -> str:
    found = list(INLINE_NUMBER.finditer(line))
    if len(found) < 2 or any(int(match[1]) != wanted for match, wanted in zip(found, count(1), strict=False)):
        return line
    starts = [match.start() for match in found]
    parts = [line[: starts[0]], *_pieces(line, starts)]
    return "\n".join(part.strip() for part in parts if part.strip())


def _pieces(line: str, starts: Sequence[int]) -> Iterator[str]:
    for start, end in zip(starts, [*starts[1:], len(line)], strict=True):
        yield line[start:end]
