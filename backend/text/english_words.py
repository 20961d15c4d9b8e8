"""Common English words, by which a short title without function words is recognised as English."""

from __future__ import annotations

from functools import cache

from zxcvbn.frequency_lists import FREQUENCY_LISTS

# Shorter words exist in many languages.
SHORTEST = 4
# Word lists from Wikipedia's articles, subtitles and leaked passwords, in lower case, the most frequent first. Each
# word is on one list alone: `lion` is among the passwords, of which the first are mostly words.
LISTS = {"english_wikipedia": None, "us_tv_and_film": None, "passwords": 5_000}
# Share of a text's words that must be common English ones.
SHARE = 1 / 3


def is_mostly_english(words: set[str]) -> bool:
    """Tell whether enough of these words, in lower case, are common English ones; False if none is long enough.

    A third is enough: the others are names, of which titles are full.
    """
    common = _common_words()
    long_words = [word for word in words if len(word) >= SHORTEST and word.isascii()]
    known = sum([word in common or word.removesuffix("s") in common for word in long_words])
    return bool(long_words) and known >= SHARE * len(long_words)


@cache
def _common_words() -> frozenset[str]:
    first = (word for name, most in LISTS.items() for word in FREQUENCY_LISTS[name][:most])
    return frozenset(word for word in first if len(word) >= SHORTEST - 1 and word.isalpha())
