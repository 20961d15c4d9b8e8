"""Lists in texts: checkboxes, numbered steps and bullets, in Markdown and in the usual styles of many languages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from backend.tasks.breakdown.headings import read_markdown_heading
from backend.tasks.breakdown.sections import is_non_step_section

Kind = Literal["numbered", "bullet", "inner"]
TAB = 4
# A line of this length without an end of sentence was wrapped.
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
class ListItem:
    """A list item with the lines under it; `nested` of them are items themselves."""

    text: str
    kind: Kind
    has_box: bool
    is_done: bool
    points: list[str] = field(default_factory=list)
    nested: int = 0


@dataclass
class TextList:
    """A list of items, with the line before it."""

    lead: str
    indent: int
    kind: Kind
    items: list[ListItem] = field(default_factory=list)


@dataclass(frozen=True)
class _Line:
    indent: int
    kind: Kind | None
    box: str | None
    text: str


def read_items(text: str) -> list[ListItem] | None:
    """Return the steps in the lists of a text, without those ticked off; None where there is no list.

    Checkboxes are the steps, else numbered items, else bullets: lists beside a list of steps usually describe the task.
    Lists under a line such as "Links" are left out.
    """
    # A single number at the beginning of a line is more often a date.
    lists = [text_list for text_list in read_lists(text) if text_list.kind != "numbered" or len(text_list.items) > 1]
    items = [item for text_list in lists if not is_non_step_section(text_list.lead) for item in text_list.items]
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
    """Remove list items and code from a text."""
    plain = (line for line, is_verbatim in _lines(text) if not (is_verbatim or line.kind or line.box))
    return "\n".join(line.text for line in plain)


def read_lists(text: str) -> list[TextList]:
    """Parse all lists of a text, nested ones within their items."""
    lists: list[TextList] = []
    open_list: TextList | None = None
    lead = ""
    after_blank = False
    for line, is_verbatim in _lines(text):
        if not line.text and line.kind is None and line.box is None:
            after_blank = True
            continue
        if not is_verbatim and (line.kind or line.box):
            if open_list is None:
                open_list = TextList(lead, line.indent, line.kind or "bullet")
                lists.append(open_list)
            _add(open_list, line)
        elif open_list is not None and (is_verbatim or _belongs(line, open_list, after_blank=after_blank)):
            _continue(open_list.items[-1], line, is_wrapped=not (is_verbatim or after_blank))
        else:
            open_list, lead = None, line.text
        after_blank = False
    return lists


def _lines(text: str) -> Iterator[tuple[_Line, bool]]:
    """Yield the lines, each with whether it is in a code block."""
    in_code = False
    for raw in _with_inline_steps(text).splitlines():
        if FENCE.match(raw):
            in_code = not in_code
        elif in_code:
            yield _Line(_width(raw), None, None, raw.strip()), True
        elif heading := read_markdown_heading(raw):
            # A heading ends the list before it.
            yield _Line(0, None, None, ""), False
            yield _Line(0, None, None, heading[0]), False
        elif not RULE.match(raw):
            yield _line(raw), False


def _line(raw: str) -> _Line:
    match = ITEM.match(raw)
    assert match is not None
    kind: Kind | None = None
    if match["numbered"]:
        kind = "numbered"
    elif match["bullet"]:
        kind = "bullet"
    elif match["inner"]:
        kind = "inner"
    if not match["text"]:
        # A mark without text is no item.
        return _Line(0, None, None, "")
    return _Line(_width(match["indent"]), kind, match["box"], match["text"].strip())


def _width(indent: str) -> int:
    stripped = indent.lstrip(" \t\u3000")
    return len(indent[: len(indent) - len(stripped)].replace("\u3000", "  ").expandtabs(TAB))


def _add(text_list: TextList, line: _Line) -> None:
    kind = line.kind or "bullet"
    is_outer = line.indent < text_list.indent
    is_top = not text_list.items or is_outer or (line.indent <= text_list.indent + 1 and kind == text_list.kind)
    if is_top:
        if is_outer:
            text_list.indent, text_list.kind = line.indent, kind
        text_list.items.append(ListItem(line.text, kind, line.box is not None, _is_done(line)))
    elif not _is_done(line):
        text_list.items[-1].points.append(f"- {line.text}")
        text_list.items[-1].nested += 1


def _belongs(line: _Line, text_list: TextList, *, after_blank: bool) -> bool:
    """Tell whether a line continues the last item."""
    if line.indent > text_list.indent:
        return True
    last = text_list.items[-1]
    before = last.points[-1] if last.points else last.text
    return not after_blank and len(before) >= WRAPPED and before[-1] not in ".!?:;"


def _continue(item: ListItem, line: _Line, *, is_wrapped: bool) -> None:
    if not is_wrapped:
        item.points.append(line.text)
    elif item.points:
        item.points[-1] += f" {line.text}"
    else:
        item.text += f" {line.text}"


def _is_done(line: _Line) -> bool:
    return (line.box is not None and not DONE.isdisjoint(line.box)) or STRUCK.match(line.text) is not None


def _with_inline_steps(text: str) -> str:
    """Put steps that are numbered within a line (1. … 2. … 3. …) on lines of their own."""
    return "\n".join(_split_inline(line) for line in text.splitlines())


def _split_inline(line: str) -> str:
    matches = list(INLINE_NUMBER.finditer(line))
    if len(matches) < 2 or any(int(match[1]) != number for match, number in zip(matches, count(1), strict=False)):
        return line
    starts = [match.start() for match in matches]
    parts = [line[: starts[0]], *_pieces(line, starts)]
    return "\n".join(part.strip() for part in parts if part.strip())


def _pieces(line: str, starts: Sequence[int]) -> Iterator[str]:
    for start, end in zip(starts, [*starts[1:], len(line)], strict=True):
        yield line[start:end]
