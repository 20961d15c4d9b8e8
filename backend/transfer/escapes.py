"""How texts that a file format or its readers would change are written, so that our own readers get them back exactly.

In HTML and in lists of tags, `%{hex}` stands for a character by its code point; a `%` before `{` is written `%{25}`. In
CSV, a cell that a spreadsheet would take for a formula begins with an apostrophe more than its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# linkding reads a bookmark with this tag as archived; so do we.
ARCHIVED_TAG = "linkding:bookmarks.archived"
# Stands in every HTML file of ours: only there are escapes undone.
MARK = "<!-- Fuze bookmarks, version 1 -->"
_NONCHARACTERS = "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
# HTML has no place for these characters.
_LOST = rf"%(?=\{{)|[\x01-\x08\x0b-\x1f\x7f-\x9f\ufdd0-\ufdef\ufeff{_NONCHARACTERS}]"
# linkding writes notes between these marks, within the description.
LOST_IN_TEXT = re.compile(rf"{_LOST}|\[(?=/?linkding-notes\])")
LOST_IN_LINE = re.compile(rf"{_LOST}|[\t\n]| (?= )")
LOST_IN_TAG = re.compile(rf"{_LOST}|,|:(?=bookmarks\.archived\Z)")
_NUMBERED = re.compile(r"%\{([0-9a-f]{1,6})\}")
# As OWASP lists them, with the wide forms that spreadsheets also take, behind blanks and apostrophes.
_FORMULA = re.compile(r"['\s]*[=+\-@＝＋－＠]|'*[\t\r\n]")


def escape_text(text: str) -> str:
    """Escape a text of many lines."""
    return _escape(LOST_IN_TEXT, text)


def escape_line(text: str) -> str:
    """Escape a text that readers take for one line: a title, the name of a folder."""
    return _escape(LOST_IN_LINE, text)


def unescape(text: str) -> str:
    """Undo `escape_text` and `escape_line`."""
    return _NUMBERED.sub(_character, text)


def write_tags(names: Iterable[str]) -> str:
    """Join the names of tags with commas; a comma within a name is escaped."""
    written = ",".join(_escape(LOST_IN_TAG, name) for name in names)
    # Where there is no comma, readers take blanks for what parts tags.
    return f"{written}," if " " in written and "," not in written else written


def read_tags(text: str) -> list[str]:
    """Undo `write_tags`."""
    return [unescape(name) for name in text.split(",") if name]


def guard_cell(text: str) -> str:
    """Keep a spreadsheet from taking a cell for a formula (OWASP, CSV injection)."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguard_cell(text: str) -> str:
    """Undo `guard_cell`."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text, 1) else text


def _escape(lost: re.Pattern[str], text: str) -> str:
    # Readers strip blanks at both ends.
    inner = text.strip()
    start = text.find(inner) if inner else len(text)
    end = start + len(inner)
    return _by_number(text[:start]) + lost.sub(_escaped, inner) + _by_number(text[end:])


def _escaped(match: re.Match[str]) -> str:
    return _by_number(match[0])


def _by_number(text: str) -> str:
    return "".join(f"%{{{ord(character):x}}}" for character in text)


def _character(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    # What is no character of Unicode is none of our escapes.
    return chr(number) if 0 < number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else match[0]
