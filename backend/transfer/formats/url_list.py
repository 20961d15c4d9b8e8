"""A plain list of addresses, one a line; bullets, titles around the address and Markdown links are fine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from backend.transfer.reading.bounds import MAX_FIELD_LENGTH
from backend.transfer.reading.encodings import head_text
from backend.transfer.reading.lines import pieces
from backend.transfer.reading.links import NO_ADDRESS, record, refusal, skipped
from backend.transfer.records import ImportedBookmark, ImportFormat, Record, UnreadableFile

TOO_LONG = f"Line {{}} has more than {MAX_FIELD_LENGTH // 2**20} million characters."

_MARKDOWN_LINK = re.compile(r"\[(?P<title>[^\]]*)\]\((?P<url>[^\s)]+(?:\([^\s)]*\)[^\s)]*)*)[^)]*\)")
_ADDRESS = re.compile(r"""<?(?P<url>\b[a-z][a-z0-9+.-]{0,30}:(?://)?[^\s<>"]+)>?""", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*+•]|\d{1,6}[.)])\s+")
_AROUND_TITLE = " \t\r\n-–—|:,;"
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1f]")
_FIRST_LINES = 20


def _detect(head: bytes) -> bool:
    """Tell a list by its first lines: one in four holds an address. An empty file is an empty list."""
    text = head_text(head)
    lines = [line for line in text[:100_000].splitlines() if line.strip() and not line.startswith("#")][:_FIRST_LINES]
    return not _CONTROL.search(text) and 4 * sum("://" in line for line in lines) >= len(lines)


def _read(file: BinaryIO) -> Iterator[Record]:
    for number, line in enumerate(_lines(file), 1):
        if line.strip():
            yield from _records(number, line)


def _lines(file: BinaryIO) -> Iterator[str]:
    parts: list[str] = []
    length = number = 0
    for piece in pieces(file):
        parts.append(piece)
        length += len(piece)
        if length > MAX_FIELD_LENGTH:
            raise UnreadableFile(TOO_LONG.format(number + 1))
        if piece.endswith("\n"):
            yield "".join(parts)
            number, length, parts = number + 1, 0, []
    yield "".join(parts)


def _records(number: int, line: str) -> Iterator[Record]:
    """Yield the link of a line, or its links where it holds several in Markdown; a comment without one is nothing."""
    found: list[re.Match[str] | None] = list(_MARKDOWN_LINK.finditer(line))
    for match in found or [_ADDRESS.search(line)]:
        if match is not None:
            yield record(ImportedBookmark(number, match["url"], title=_title(line, match)))
        elif not line.lstrip().startswith("#"):
            yield skipped(number, line.strip(), refusal(line.strip()) or NO_ADDRESS)


def _title(line: str, match: re.Match[str]) -> str:
    if "title" in match.re.groupindex:
        return match["title"].strip()
    before = _BULLET.sub("", line[: match.start()])
    return f"{before.strip(_AROUND_TITLE)} {line[match.end() :].strip(_AROUND_TITLE)}".strip()


FORMAT = ImportFormat("url_list", _detect, _read)
