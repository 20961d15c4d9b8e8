"""Which entries of a file are bookmarks, and why the others are none."""

from __future__ import annotations

import re

from backend.transfer.reading.bounds import MAX_REPORTED_LENGTH
from backend.transfer.records import ImportedBookmark, Record, SkippedLine

NO_ADDRESS = "It has no address."
RELATIVE = "The address is relative: it leads nowhere outside the site that the file comes from."
_OF_THE_BROWSER = "It is a page of the browser itself, which nothing else can open."
_REASONS = {
    "place": "It is a query of the browser (place:), not a page.",
    "javascript": "It is a script (javascript:), not a page.",
    "data": "It holds its content itself (data:) and is no page.",
    "about": _OF_THE_BROWSER,
    "blob": _OF_THE_BROWSER,
    "chrome": _OF_THE_BROWSER,
    "chrome-extension": _OF_THE_BROWSER,
    "edge": _OF_THE_BROWSER,
    "moz-extension": _OF_THE_BROWSER,
    "opera": _OF_THE_BROWSER,
    "vivaldi": _OF_THE_BROWSER,
}
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
WEB_ADDRESS = re.compile(r"""\b(?:https?|ftp)://[^\s<>"]+""", re.IGNORECASE)


def record(bookmark: ImportedBookmark) -> Record:
    """Return the bookmark, or why its URL cannot be saved."""
    reason = refusal(bookmark.url)
    return skipped(bookmark.line, bookmark.url, reason) if reason else bookmark


def refusal(url: str) -> str | None:
    """Tell why `url` cannot be a bookmark; whether it is a valid address is not looked at here."""
    if not url:
        return NO_ADDRESS
    scheme = _SCHEME.match(url)
    return _REASONS.get(scheme[1].lower()) if scheme else RELATIVE


def skipped(line: int, url: str, reason: str) -> SkippedLine:
    """Make a skipped line; of a very long address it holds the start."""
    return SkippedLine(line, url[:MAX_REPORTED_LENGTH], reason)
