"""A plain list of addresses, one a line; bullets, titles around the address, Markdown and Org links are fine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from backend.transfer.reading.bounds import MAX_FIELD_LENGTH
from backend.transfer.reading.encodings import head_text
from backend.transfer.reading.lines import pieces
from backend.transfer.reading.links import NO_ADDRESS, RELATIVE, WEB_ADDRESS, record, refusal, skipped
from backend.transfer.records import ImportedBookmark, ImportFormat, Record, UnreadableFile

TOO_LONG = f"Line {{}} has more than {MAX_FIELD_LENGTH // 2**20} million characters."

# Each part is bounded or excludes what begins it: a line of a million brackets takes no longer than others.
_MARKDOWN_LINK = re.compile(
    r"\[(?P<title>[^\[\]]{0,1000})\]\((?P<url>[^\s()]+(?:\([^\s()]*\)[^\s()]*)*)[^()]{0,1000}\)"
)
_ORG_LINK = re.compile(r"\[\[(?P<url>[^\[\]\s]+)\](?:\[(?P<title>[^\[\]]{0,1000})\])?\]")
_ANY_SCHEME = re.compile(r"""<?(?P<url>[a-z][a-z0-9+.-]{0,30}:[^\s<>"]+)>?""", re.IGNORECASE)
_WEB_ADDRESS = re.compile(rf"<?(?P<url>{WEB_ADDRESS.pattern})>?", re.IGNORECASE)
_FORMS = (_MARKDOWN_LINK, _ORG_LINK, _WEB_ADDRESS)
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
    """Yield the link of a line, or its links where it holds several; a comment without one is nothing."""
    text = _BULLET.sub("", line).strip()
    links = _links(text)
    for link in links:
        yield record(_bookmark(number, text, link, is_only=len(links) == 1))
    if not links and not text.startswith("#"):
        yield skipped(number, text, refusal(text) or NO_ADDRESS)


def _links(text: str) -> list[re.Match[str]]:
    """Find Markdown links, else those of Org, else web addresses, else one address of another kind at the start."""
    if refusal(text) not in (None, RELATIVE):
        return []
    found = next(filter(None, (list(form.finditer(text)) for form in _FORMS)), [])
    other = None if found else _ANY_SCHEME.match(text)
    return [other] if other else found


def _bookmark(number: int, text: str, link: re.Match[str], is_only: bool) -> ImportedBookmark:
    """Make a bookmark; of several on one line, a comma behind an address is none of it, and texts are no titles."""
    if "title" in link.re.groupindex:
        return ImportedBookmark(number, link["url"], title=(link["title"] or "").strip())
    if is_only:
        return ImportedBookmark(number, link["url"], title=_around(text, link).strip())
    return ImportedBookmark(number, link["url"].rstrip(",;"))


def _around(text: str, link: re.Match[str]) -> str:
    return f"{text[: link.start()].strip(_AROUND_TITLE)} {text[link.end() :].strip(_AROUND_TITLE)}"


FORMAT = ImportFormat("url_list", _detect, _read)
