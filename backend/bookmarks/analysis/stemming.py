"""Stems by language, with Snowball."""

from __future__ import annotations

import re
import threading
from functools import lru_cache

from Stemmer import Stemmer

from backend.bookmarks.analysis.folding import fold, normalise
from backend.bookmarks.analysis.scripts import script_of

# Longer lexemes are cut to this many characters, in texts and in queries alike.
LONGEST = 100
# Names, numbers and code are not words of a language.
UNSTEMMED = re.compile(r"[0-9_&.+#@/:'-]")
# BCP 47 tag: Snowball's name for the language and the scripts it is written in.
STEMMERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "ar": ("arabic", ("Arabic",)),
    "ca": ("catalan", ("Latin",)),
    "cs": ("czech", ("Latin",)),
    "da": ("danish", ("Latin",)),
    "de": ("german", ("Latin",)),
    "el": ("greek", ("Greek",)),
    "en": ("english", ("Latin",)),
    "eo": ("esperanto", ("Latin",)),
    "es": ("spanish", ("Latin",)),
    "et": ("estonian", ("Latin",)),
    "eu": ("basque", ("Latin",)),
    "fa": ("persian", ("Arabic",)),
    "fi": ("finnish", ("Latin",)),
    "fr": ("french", ("Latin",)),
    "ga": ("irish", ("Latin",)),
    "hi": ("hindi", ("Devanagari",)),
    "hu": ("hungarian", ("Latin",)),
    "hy": ("armenian", ("Armenian",)),
    "id": ("indonesian", ("Latin",)),
    "it": ("italian", ("Latin",)),
    "lt": ("lithuanian", ("Latin",)),
    "nb": ("norwegian", ("Latin",)),
    "ne": ("nepali", ("Devanagari",)),
    "nl": ("dutch", ("Latin",)),
    "nn": ("norwegian", ("Latin",)),
    "no": ("norwegian", ("Latin",)),
    "pl": ("polish", ("Latin",)),
    "pt": ("portuguese", ("Latin",)),
    "ro": ("romanian", ("Latin",)),
    "ru": ("russian", ("Cyrillic",)),
    "sr": ("serbian", ("Cyrillic", "Latin")),
    "st": ("sesotho", ("Latin",)),
    "sv": ("swedish", ("Latin",)),
    "ta": ("tamil", ("Tamil",)),
    "tr": ("turkish", ("Latin",)),
    "yi": ("yiddish", ("Hebrew",)),
}
# Languages without a stemmer that do not use Latin letters; any other without one does. Their words stay whole.
OTHERS = {
    "Cyrillic": "be bg kk ky mk mn tg tt uk",
    "Arabic": "ckb ps sd ug ur",
    "Devanagari": "mr sa",
    "Hebrew": "he",
    "": "am as bn bo gu ja ka km kn ko lo ml my or pa si te th zh",
}
SCRIPT_OF_OTHER = {tag: script for script, tags in OTHERS.items() for tag in tags.split()}
# Whose words of a script are meant where the text's own language is not known or not written in it.
DEFAULTS = {
    "Latin": "english",
    "Cyrillic": "russian",
    "Greek": "greek",
    "Arabic": "arabic",
    "Armenian": "armenian",
    "Devanagari": "hindi",
    "Tamil": "tamil",
}


class _Stemmers(threading.local):
    """A stemmer keeps the word in hand, so every thread has its own."""

    def __init__(self) -> None:
        self.by_name: dict[str, Stemmer] = {}

    def stem(self, name: str, word: str) -> str:
        stemmer = self.by_name.get(name)
        if stemmer is None:
            stemmer = self.by_name[name] = Stemmer(name, 0)
        return fold(stemmer.stemWord(word))[:LONGEST] or word[:LONGEST]


_stemmers = _Stemmers()


def primary_tag(language: str | None) -> str | None:
    """`en` of `en-GB`; nothing of nothing."""
    return language.replace("_", "-").partition("-")[0].lower() or None if language else None


@lru_cache(maxsize=1024)
def stemmer_for(language: str | None, script: str) -> str | None:
    """Snowball's name of the stemmer for words in this script in texts of this language, if it has one."""
    if language in STEMMERS:
        name, scripts = STEMMERS[language]
        if script in scripts:
            return name
    elif language is not None and script == SCRIPT_OF_OTHER.get(language, "Latin"):
        return None
    return DEFAULTS.get(script)


def lexemes_of(word: str, language: str | None) -> tuple[str, ...]:
    """The lexemes a word is found by, the best first.

    Stemmers need the accents of their language, people leave them out: where it makes a difference, an accented word
    has two lexemes, the stem without its accents and the stem of the word without its accents.
    """
    normal = normalise(word)
    plain = fold(normal)
    if not plain:
        return ()
    name = stemmer_for(language, script_of(plain[0]))
    if name is None or UNSTEMMED.search(plain):
        return (plain[:LONGEST],)
    stem = _stemmers.stem(name, normal)
    if plain == normal:
        return (stem,)
    other = _stemmers.stem(name, plain)
    return (stem,) if stem == other else (stem, other)
