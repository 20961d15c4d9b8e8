"""Texts of a hit for its snippet: the title, the description and the beginning of the page often say the same."""

from __future__ import annotations

from collections.abc import Iterable, Set

# Characters at the beginning of a page in which title and description are repeated.
REPEATING = 3_000
# Shorter lines are common words: as the beginning of another line they repeat nothing.
SHORTEST_BEGINNING = 30


def distinct_text(title: str, own: str, page: str) -> str:
    """Join description and notes with the text of the page, without lines that repeat the title or each other.

    Of a line and one that begins with it the longer stays, so that no word is lost but those of the title.
    """
    if not page and len(own.splitlines()) < 2:
        return own  # There is nothing else that it could repeat, and nothing better.
    head, rest = _split(page)
    begun, stated, name = _keys(head), _keys(own), _key(title)
    own_repeated = {key for key in stated if key == name or _begins_one(key, begun - {key})}
    repeated = {key for key in begun if key == name or key in stated - own_repeated or _begins_one(key, stated - {key})}
    parts = (_without(own, own_repeated), _without(head, repeated).strip("\n"), rest)
    # What repeats nothing but the title is better than nothing.
    return _joined(parts) or _joined((own, page))


def _without(text: str, keys: Set[str]) -> str:
    return "\n".join(line for line in text.splitlines() if _key(line) not in keys) if keys else text


def _joined(parts: Iterable[str]) -> str:
    return "\n".join(part for part in parts if part)


def _keys(text: str) -> Set[str]:
    return {key for line in text.splitlines() if (key := _key(line))}


def _split(page: str) -> tuple[str, str]:
    """Split a text at the end of the line that holds its character number `REPEATING`."""
    end = page.find("\n", REPEATING)
    return (page, "") if end < 0 else (page[:end], page[end + 1 :])


def _begins_one(key: str, others: Set[str]) -> bool:
    return len(key) >= SHORTEST_BEGINNING and any(other.startswith(key) for other in others)


def _key(line: str) -> str:
    return " ".join(line.split()).casefold().rstrip(" .…")
