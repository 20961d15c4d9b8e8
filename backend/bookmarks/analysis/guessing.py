"""The language of a text that nobody stated: by its most frequent words and its letters."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache, lru_cache

from backend.bookmarks.analysis.stemming import DEFAULTS, STEMMERS, primary_tag, stemmer_for
from backend.bookmarks.analysis.stop_words import STOP_WORDS

# What is read: a title and the beginning of what follows tell as much as the whole.
READ_CHARACTERS = 1_000
# Function words and letters of the language that a guess takes at least.
EVIDENCE = 2
WORD = re.compile(r"[^\W\d_]+")
# Letters that some languages write and English does not.
LETTERS = {
    "ca": "çàèòïŀ",
    "cs": "ěščřžýůťď",
    "da": "æøå",
    "de": "äöüß",
    "es": "ñáéíóú¿¡",
    "fi": "äö",
    "fr": "çàâéèêëîïôùûœ",
    "hu": "áéíóöőúüű",
    "it": "àèéìòù",
    "nl": "ëï",
    "no": "æøå",
    "pl": "ąćęłńóśźż",
    "pt": "ãõçáâéêíóô",
    "ro": "ăâîșțşţ",
    "sv": "åäö",
    "tr": "çğıöşü",
}


def guess_language(text: str) -> str | None:
    """The primary tag of the language that a text in Latin letters is most likely in; None for English or in doubt.

    Titles are short: a guess takes two function words or letters of its own, more than for English and than for any
    other language.
    """
    # Abbreviations and single letters are words of no language; a word that comes often is one piece of evidence.
    words = {word.lower() for word in WORD.findall(text[:READ_CHARACTERS]) if len(word) > 1 and not word.isupper()}
    votes: Counter[str] = Counter()
    for word in words:
        for language in _languages_of_word().get(word, ()):
            votes[language] += 1
        if not word.isascii():
            for language, letters in LETTERS.items():
                votes[language] += any(letter in letters for letter in word)
    best = votes.most_common(2)
    if not best or best[0][0] == "en" or best[0][1] < EVIDENCE or (len(best) > 1 and best[1][1] == best[0][1]):
        return None
    return best[0][0]


@lru_cache(maxsize=256)
def stems_apart(language: str | None) -> str | None:
    """The primary tag of a language whose words have stems of their own; None where they are those of any text."""
    tag = primary_tag(language)
    if tag is None or all(stemmer_for(tag, script) == stemmer_for(None, script) for script in DEFAULTS):
        return None
    return tag


@cache
def _languages_of_word() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for language, words in STOP_WORDS.items():
        if "Latin" in STEMMERS.get(language, ("", ()))[1]:
            for word in words.split():
                found[word] = (*found.get(word, ()), language)
    return {word: ("en",) if "en" in languages else languages for word, languages in found.items()}
