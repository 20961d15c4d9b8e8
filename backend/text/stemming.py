"""Stemming by language, with Snowball.

A stem is valid only among words of its own language, so its lexeme names that language: `redi~en`. An unstemmed word is
its own lexeme, folded: `redis`.
"""

from __future__ import annotations

import re
import threading
from functools import lru_cache

from Stemmer import Stemmer

from backend.text.folding import fold, normalise
from backend.text.scripts import script_of

# Longer lexemes are cut to this length, in texts and in queries alike.
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
# Languages without a stemmer and without Latin letters; their words are not stemmed. All others without one use Latin.
OTHERS = {
    "Cyrillic": "be bg kk ky mk mn tg tt uk",
    "Arabic": "ckb ps sd ug ur",
    "Devanagari": "mr sa",
    "Hebrew": "he",
    "": "am as bn bo gu ja ka km kn ko lo ml my or pa si te th zh",
}
SCRIPT_OF_OTHER = {tag: script for script, tags in OTHERS.items() for tag in tags.split()}
# No linguistic content (ISO 639-2): the language of names, addresses and code, which are not stemmed.
AS_WRITTEN = "zxx"
# Separator of a stem and its language. No word contains it.
SEPARATOR = "~"
# The language of each stemmer; for Norwegian the tag that covers both written forms.
LANGUAGES = {name: tag for tag, (name, _) in STEMMERS.items()}
# Stemmers of words in a script that the text's language does not use.
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
    """Stemmers of one thread: a stemmer is not thread-safe."""

    def __init__(self) -> None:
        self.by_name: dict[str, Stemmer] = {}

    def stem(self, name: str, word: str) -> str:
        stemmer = self.by_name.get(name)
        if stemmer is None:
            stemmer = self.by_name[name] = Stemmer(name, 0)
        return fold(stemmer.stemWord(word))[:LONGEST] or word[:LONGEST]


_stemmers = _Stemmers()


def primary_tag(language: str | None) -> str | None:
    """Return the primary tag of a language tag: `en` of `en-GB`; None of None."""
    return language.replace("_", "-").partition("-")[0].lower() or None if language else None


@lru_cache(maxsize=1024)
def stemmer_for(language: str | None, script: str) -> str | None:
    """Return Snowball's name of the stemmer for words in this script in texts of this language; None without one.

    In a text of unknown language, words in Latin letters are not stemmed; others in the most common language of their
    script.
    """
    if language == AS_WRITTEN or (language is None and script == "Latin"):
        return None
    if language in STEMMERS:
        name, scripts = STEMMERS[language]
        if script in scripts:
            return name
    elif language is not None and script == SCRIPT_OF_OTHER.get(language, "Latin"):
        return None
    return DEFAULTS.get(script)


def lexemes_of(word: str, language: str | None) -> tuple[str, ...]:
    """Return the lexemes of a word, the best first.

    Stemmers need the accents of their language, which people omit: where it makes a difference, an accented word has
    two lexemes, the stem without its accents and the stem of the word without its accents.

    Args:
        word: As written.
        language: Primary tag of the text's language.
    """
    normal = normalise(word)
    plain = fold(normal)
    if not plain:
        return ()
    name = stemmer_for(language, script_of(plain[0]))
    if name is None or UNSTEMMED.search(plain):
        return (plain[:LONGEST],)
    stem = _lexeme(name, normal)
    if plain == normal:
        return (stem,)
    other = _lexeme(name, plain)
    return (stem,) if stem == other else (stem, other)


def written_form(word: str) -> str:
    """Return the lexeme of an unstemmed word; empty for a word without letters."""
    return fold(normalise(word))[:LONGEST]


def stem_of(lexeme: str) -> str:
    """Return a lexeme without its language."""
    return lexeme.partition(SEPARATOR)[0]


def language_of(lexeme: str) -> str | None:
    """Return the language of a lexeme's stem; None for an unstemmed word."""
    return lexeme.partition(SEPARATOR)[2] or None


def language_of_text(language: str | None) -> str | None:
    """Return the language of a text, by the tag that its stems name where it has a stemmer."""
    tag = primary_tag(language)
    return LANGUAGES[STEMMERS[tag][0]] if tag in STEMMERS else tag


@lru_cache(maxsize=256)
def language_of_stems(language: str | None) -> str | None:
    """Return the language in which a query must be stemmed to match the stems of texts in this one; None if these are
    only those of a text of unknown language."""
    tag = primary_tag(language)
    if tag in STEMMERS:
        return LANGUAGES[STEMMERS[tag][0]]
    # Latin words in texts of other scripts are stemmed by the default of their script.
    return LANGUAGES[DEFAULTS["Latin"]] if tag in SCRIPT_OF_OTHER else None


def _lexeme(name: str, word: str) -> str:
    return f"{_stemmers.stem(name, word)}{SEPARATOR}{LANGUAGES[name]}"
