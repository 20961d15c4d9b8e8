"""Snippets: titles and best passages as HTML, with matches in `<mark>`."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from backend.search.highlights.budget import Allowance
from backend.search.highlights.candidate_spans import IS_UNSPACED
from backend.search.highlights.matching import Match, Matcher
from backend.text.scripts import JOINERS

SENTENCE_END = re.compile(r"[.!?…]\s+|[。！？｡]\s*|\n\s*")
ZERO_WIDTH_JOINER = "\u200d"
# Longest title that is shown as a whole.
LONGEST_TITLE = 500


def highlight_title(title: str, matcher: Matcher, allowance: Allowance | None = None) -> str:
    """Escape a title and mark its matches; of a very long title return the best passage, since marks take space."""
    if len(title) > LONGEST_TITLE:
        return best_snippet(title, matcher, LONGEST_TITLE, allowance)
    return _marked(title, 0, len(title), matcher.hits(title, allowance=allowance))


def best_snippet(text: str, matcher: Matcher, length: int = 240, allowance: Allowance | None = None) -> str:
    """Return the passage with the most distinct terms of the query, the first of equals; without matches, the
    beginning.

    Args:
        text: Escaped; `…` marks cuts.
        matcher: The matcher of the query.
        length: Maximum in characters, without ellipses and markup; a longer match may exceed it.
        allowance: Limits for reading; what lies behind them is ignored.
    """
    hits = matcher.hits(text, length, allowance)
    begin, end = _passage(text, hits, length)
    while begin < end and text[begin].isspace():
        begin += 1
    while begin < end and text[end - 1].isspace():
        end -= 1
    before = "…" if text[:begin].strip() else ""
    after = "…" if text[end:].strip() else ""
    return before + _marked(text, begin, end, hits) + after


def is_marked(shown: str) -> bool:
    """Tell whether a highlighted text has a match."""
    return "<mark>" in shown


def _passage(text: str, hits: Sequence[Match], length: int) -> tuple[int, int]:
    if not hits:
        return 0, _cut_before(text, 0, min(length, len(text)))
    first, last = _best_window(hits, length)
    begin = _start_before(text, first, max(0, length - (last - first)))
    return begin, _cut_before(text, last, max(last, min(begin + length, len(text))))


def _best_window(hits: Sequence[Match], length: int) -> tuple[int, int]:
    """Return the span of the hits of highest total weight that fit into the length."""
    inside: Counter[tuple[int, int]] = Counter()
    worth, best, following = 0.0, 0.0, 0
    window = (hits[0].start, hits[0].end)
    for at, hit in enumerate(hits):
        while following < len(hits) and (following == at or hits[following].end <= hit.start + length):
            worth += hits[following].weight if not inside[hits[following].term] else 0
            inside[hits[following].term] += 1
            following += 1
        # The order of summation changes the last digits of sums.
        if worth > best + 1e-9:
            best, window = worth, (hit.start, max(other.end for other in hits[at:following]))
        inside[hit.term] -= 1
        worth -= hit.weight if not inside[hit.term] else 0
    return window


def _start_before(text: str, at: int, spare: int) -> int:
    """Return where to begin a passage: at its sentence, or some words before the match."""
    if at <= spare // 2:
        return 0
    sentence = SENTENCE_END.search(text, at - spare // 2, at)
    if sentence:
        return sentence.end()
    begin = at - spare // 4
    if _is_unspaced(text, begin):
        return _separable(text, begin, 0)
    return next((position + 1 for position in range(begin - 1, at) if text[position].isspace()), at)


def _cut_before(text: str, lowest: int, end: int) -> int:
    """Return where to end a passage: between words, if there is a space after `lowest`."""
    if end == len(text) or text[end].isspace():
        return end
    if not _is_unspaced(text, end):
        for position in range(end - 1, lowest - 1, -1):
            if text[position].isspace():
                return position
    return _separable(text, end, lowest)


def _is_unspaced(text: str, at: int) -> bool:
    return IS_UNSPACED.match(text, at) is not None or IS_UNSPACED.match(text, at - 1) is not None


def _separable(text: str, at: int, lowest: int) -> int:
    """Return the position, or the last one before it that does not split a character from its marks."""
    while lowest < at < len(text) and (_clings(text[at]) or text[at - 1] == ZERO_WIDTH_JOINER):
        at -= 1
    return at


def _clings(character: str) -> bool:
    is_mark = unicodedata.category(character)[0] == "M"
    return is_mark or character in JOINERS or "\U0001f3fb" <= character <= "\U0001f3ff"


def _marked(text: str, begin: int, end: int, hits: Sequence[Match]) -> str:
    marked = ""
    at = begin
    for start, stop in _merged(hits):
        if start < end and begin < stop:
            start, stop = max(start, begin), min(stop, end)
            marked += f"{html.escape(text[at:start])}<mark>{html.escape(text[start:stop])}</mark>"
            at = stop
    return marked + html.escape(text[at:end])


def _merged(hits: Sequence[Match]) -> list[list[int]]:
    """Merge overlapping and adjacent hits, in order."""
    stretches: list[list[int]] = []
    for hit in hits:
        if stretches and hit.start <= stretches[-1][1]:
            stretches[-1][1] = max(stretches[-1][1], hit.end)
        else:
            stretches.append([hit.start, hit.end])
    return stretches
