"""What showing why something was found costs where ten texts are made to be hard to read.

Run: python -m benchmarks.hard_highlights

Processor time of one search's highlights: ten texts of 190,000 characters and more, each with a title.
"""

from __future__ import annotations

import time

from backend.search.highlights.budget import Budget
from backend.search.highlights.matching import matcher_for
from backend.search.highlights.snippets import best_snippet, highlight_title
from backend.text.query_language import parse

TEXTS = {
    "a-a-a": "a-" * 95_000,
    "a.a.a": "a." * 95_000,
    "a_a_a": "a_" * 95_000,
    "a/a/a": "a/" * 95_000,
    "a'a'a": "a'" * 95_000,
    "1.1.1": "1." * 95_000,
    "camel case": "fooBar_bazQux_" * 13_500,
    "1 MB without blanks": "x" * 1_000_000,
    "marks": "e" + "\u0301" * 1_000_000,
    "ideographs": "日本語検索" * 38_000,
    "Thai": "ภาษาไทย" * 27_000,
    "Hangul": "한국어" * 60_000,
    "emoji": "👩‍👩‍👧" * 38_000,
    "Hebrew": "שלום-" * 38_000,
    "short words": "a b " * 47_000,
    "plain words": "rate limits of flask applications " * 5_600,
}
QUERIES = {
    "scripts": "a a-a a.a a_a aa e é foo 日本 日本語 ภาษา שלום السلام 한국 1.1 👩 b rate",
    "parts": " ".join(f"a-{letter}" for letter in "abcdefghijklmnopqrstuvwxy"),
    "phrase": '"' + "a " * 48 + '"',
    "one word": "a-" * 49 + "a",
}
TEXTS_OF_A_SEARCH = 10


def main() -> None:
    """Measure and print."""
    print("text".ljust(22), *(name.rjust(10) for name in QUERIES), "  ms of processor time")
    for name, text in TEXTS.items():
        print(name.ljust(22), *(f"{_milliseconds(text, query):10.0f}" for query in QUERIES.values()))


def _milliseconds(text: str, query: str) -> float:
    find = matcher_for(parse(query), "en")
    best = float("inf")
    for _ in range(3):
        budget = Budget(2 * TEXTS_OF_A_SEARCH)
        started = time.process_time()
        for _ in range(TEXTS_OF_A_SEARCH):
            highlight_title(text[:2_000], find, budget.next_text())
            best_snippet(text, find, allowance=budget.next_text())
        best = min(best, time.process_time() - started)
    return best * 1000


if __name__ == "__main__":
    main()
