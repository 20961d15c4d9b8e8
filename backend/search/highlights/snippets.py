"""Titles and the best passages of texts, as HTML with the words found in `<mark>`."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from backend.search.highlights.budget import Allowance
from backend.search.highlights.candidate_spans import IS_UNSPACED
from backend.search.highlights.matching import Hit, Matcher
from backend.text.scripts import JOINERS

SENTENCE_END = re.compile(r"[.!?…]\s+|[。！？｡]\s*|\n\s*")
ZERO_WIDTH_JOINER = "\u200d"
# Of a title that is highlighted whole.
LONGEST_TITLE = 500


def highlight_title(title: str, matcher: Matcher, allowance: Allowance | None = None) -> str:
    """The whole title, escaped, the words found in `<mark>`, as far as it may be read; of a very long one the best
    passage, as each mark takes more room than a word."""
    if len(title) > LONGEST_TITLE:
        return best_snippet(title, matcher, LONGEST_TITLE, allowance)
    return _marked(title, 0, len(title), matcher.hits(title, allowance=allowance))


def best_snippet(text: str, matcher: Matcher, length: int = 240, allowance: Allowance | None = None) -> str:
    """The passage with the most different words of the query, the earliest of equals; without any, the beginning.

    Args:
        text: Shown as it is but for the escaping; `…` stands where it was cut.
        matcher: What to look for.
        length: At most so many characters, the ellipses and the markup aside; a longer match may take more.
        allowance: How much may be read of the text; of what lies behind nothing is known.
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
    """Whether a title or passage that is shown holds anything of the query."""
    return "<mark>" in shown


def _passage(text: str, hits: Sequence[Hit], length: int) -> tuple[int, int]:
    if not hits:
        return 0, _cut_before(text, 0, min(length, len(text)))
    first, last = _best_window(hits, length)
    begin = _start_before(text, first, max(0, length - (last - first)))
    return begin, _cut_before(text, last, max(last, min(begin + length, len(text))))


def _best_window(hits: Sequence[Hit], length: int) -> tuple[int, int]:
    """From where to where the hits are that are worth most together and fit."""
    inside: Counter[tuple[int, int]] = Counter()
    worth, best, following = 0.0, 0.0, 0
    window = (hits[0].start, hits[0].end)
    for at, hit in enumerate(hits):
        while following < len(hits) and (following == at or hits[following].end <= hit.start + length):
            worth += hits[following].weight if not inside[hits[following].wanted] else 0
            inside[hits[following].wanted] += 1
            following += 1
        # Sums of fractions differ in their last digits with the order of summing.
        if worth > best + 1e-9:
            best, window = worth, (hit.start, max(one.end for one in hits[at:following]))
        inside[hit.wanted] -= 1
        worth -= hit.weight if not inside[hit.wanted] else 0
    return window


def _start_before(text: str, at: int, spare: int) -> int:
    """Where to begin so that a reader sees what the match belongs to: with its sentence, or some words before it."""
    if at <= spare // 2:
        return 0
    sentence = SENTENCE_END.search(text, at - spare // 2, at)
    if sentence:
        return sentence.end()
    begin = at - spare // 4
    if _is_unspaced(text, begin):
        return _separable(text, begin, 0)
    return next((place + 1 for place in range(begin - 1, at) if text[place].isspace()), at)


def _cut_before(text: str, lowest: int, end: int) -> int:
    """The last place to stop at: between words, if there is a space after `lowest`."""
    if end == len(text) or text[end].isspace():
        return end
    if not _is_unspaced(text, end):
        for place in range(end - 1, lowest - 1, -1):
            if text[place].isspace():
                return place
    return _separable(text, end, lowest)


def _is_unspaced(text: str, at: int) -> bool:
    return IS_UNSPACED.match(text, at) is not None or IS_UNSPACED.match(text, at - 1) is not None


def _separable(text: str, at: int, lowest: int) -> int:
    """The place, or the last before it that parts no character from its marks."""
    while lowest < at < len(text) and (_clings(text[at]) or text[at - 1] == ZERO_WIDTH_JOINER):
        at -= 1
    return at


def _clings(character: str) -> bool:
    is_mark = unicodedata.category(character)[0] == "M"
    return is_mark or character in JOINERS or "\U0001f3fb" <= character <= "\U0001f3ff"


def _marked(text: str, begin: int, end: int, hits: Sequence[Hit]) -> str:
    marked = ""
    at = begin
    for start, stop in _merged(hits):
        if start < end and begin < stop:
            start, stop = max(start, begin), min(stop, end)
            marked += f"{html.escape(text[at:start])}<mark>{html.escape(text[start:stop])}</mark>"
            at = stop
    return marked + html.escape(text[at:end])


def _merged(hits: Sequence[Hit]) -> list[list[int]]:
    """Hits in order as stretches that neither overlap nor touch."""
    stretches: list[list[int]] = []
    for hit in hits:
        if stretches and hit.start <= stretches[-1][1]:
            stretches[-1][1] = max(stretches[-1][1], hit.end)
        else:
            stretches.append([hit.start, hit.end])
    return stretches
