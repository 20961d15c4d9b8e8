"""Language detection of short texts, by function words and letters."""

from __future__ import annotations

import re
from functools import cache

from backend.text.english_words import is_mostly_english
from backend.text.stop_words import STOP_WORDS

# Length of the sample: a title and the beginning of the text suffice.
READ_CHARACTERS = 1_000
# Votes of function words and letters that outweigh common English words.
EVIDENCE = 2
# Ties go to the language that more of the web is written in (W3Techs, content languages): of `el libro de la historia`
# every function word is Catalan, too.
BY_USE = "es de fr pt ru it nl pl tr fa vi id cs uk hu sv ro el da fi no sr he ar ca hi be ur"
RANKS = {language: rank for rank, language in enumerate(BY_USE.split())}
WORD = re.compile(r"[^\W\d_]+")
# Letters that English does not use, or that only one of several languages of a script uses.
LETTERS = {
    "be": frozenset("ў"),
    "ca": frozenset("çàèòïŀ"),
    "cs": frozenset("ěščřžýůťď"),
    "da": frozenset("æøå"),
    "de": frozenset("äöüß"),
    "es": frozenset("ñáéíóú¿¡"),
    "fa": frozenset("پچژگ"),
    "fi": frozenset("äö"),
    "fr": frozenset("çàâéèêëîïôùûœ"),
    "hu": frozenset("áéíóöőúüű"),
    "it": frozenset("àèéìòù"),
    "nl": frozenset("ëï"),
    "no": frozenset("æøå"),
    "pl": frozenset("ąćęłńóśźż"),
    "pt": frozenset("ãõçáâéêíóô"),
    "ro": frozenset("ăâîșțşţ"),
    "ru": frozenset("ыэё"),
    "sr": frozenset("ђјљњћџ"),
    "sv": frozenset("åäö"),
    "tr": frozenset("çğıöşü"),
    "uk": frozenset("іїєґ"),
    "ur": frozenset("ٹڈڑںے"),
    "vi": frozenset("ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ"),
}


def detect_language(text: str) -> str | None:
    """Detect the primary tag of the most likely language of a text; None in doubt.

    Votes are function words, and letters that English does not use. A language needs more votes than any other, or at
    least two, and two where the text otherwise looks English. A text without votes is English if a third of its words
    are common English ones.
    """
    # Abbreviations and single letters are words of no language; a repeated word is one vote.
    read = [word for word in WORD.findall(text[:READ_CHARACTERS]) if len(word) > 1 and not word.isupper()]
    words = {word.lower() for word in read}
    is_english = is_mostly_english(words)
    # In English, words with such letters are names: Julián Domínguez makes no Spanish text.
    names = {word.lower() for word in read if word[0].isupper()} if is_english else set()
    votes = _votes(words, words - names)
    english = votes.pop("en", 0)
    ranked = sorted(votes.items(), key=lambda pair: (-pair[1], RANKS[pair[0]]))
    (language, most), (_, second) = (*ranked, ("", 0), ("", 0))[:2]
    is_certain = most >= EVIDENCE or (most > second and not is_english)
    if most > english and is_certain:
        return language
    if english and english >= most:
        return "en"
    return "en" if not votes and is_english else None


def _votes(words: set[str], spelled: set[str]) -> dict[str, int]:
    """Count for each language the words that are its function words, or have its letters and are in `spelled`."""
    votes: dict[str, int] = {}
    function_words = _languages_of_word()
    for word in words:
        for language in function_words.get(word, ()):
            votes[language] = votes.get(language, 0) + 1
    for word in spelled:
        if not word.isascii():
            for language, letters in LETTERS.items():
                if not letters.isdisjoint(word):
                    votes[language] = votes.get(language, 0) + 1
    return votes


@cache
def _languages_of_word() -> dict[str, tuple[str, ...]]:
    languages_of: dict[str, tuple[str, ...]] = {}
    for language, words in STOP_WORDS.items():
        for word in words.split():
            languages_of[word] = (*languages_of.get(word, ()), language)
    return {word: ("en",) if "en" in languages else languages for word, languages in languages_of.items()}
