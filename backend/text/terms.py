"""Query terms: the lexemes that a text must contain to contain a word of a query."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from backend.text.folding import plain_emoji
from backend.text.stemming import lexemes_of, primary_tag, stem_of, written_form
from backend.text.tokens import TEXT, expand_run
from backend.text.words import WordRole, words_of

# Alternative lexemes at one position of a text. The first is the unstemmed word.
Posting = list[str]
# Marker among the languages of a query: documents may contain stems that do not yet name their language.
UNMARKED = "*"
# A query looks each word up several times, and most queries repeat the same words: 1 MB at most. Longer words are rare
# and would fill the cache.
CACHE_SIZE, MAX_CACHED_LENGTH = 512, 24

Tags = tuple[str | None, ...]


def query_terms(word: str, languages: Sequence[str | None]) -> list[Posting]:
    """Return the consecutive postings of a word: a text contains the word where each has one of its lexemes in turn.

    Args:
        word: As typed; a phrase is analysed in the same way.
        languages: The languages of the texts, None among them if it occurs.

    Returns:
        Nothing for a word without letters, such as a dash.
    """
    tags = _tags(tuple(languages))
    postings: list[Posting] = []
    implied: list[Posting] = []
    for match in TEXT.finditer(word):
        for typed, posting in _postings(match[0], match.lastgroup, tags):
            # Implied words only matter before a typed word.
            if typed:
                postings += [*implied, posting]
                implied = []
            else:
                implied.append(posting)
    return postings


def query_forms(word: str, languages: Sequence[str | None]) -> list[list[Posting]]:
    """Return the spellings of a word: that of `query_terms`, and `nodejs` for `node.js`, `email` for `e-mail`.

    A text contains the word when it contains any of them. There is none for a word without letters.
    """
    typed = query_terms(word, languages)
    tags = _tags(tuple(languages))
    match = TEXT.search(word)
    if match is None or match.lastgroup != "chunk" or TEXT.search(word, match.end()):
        return [typed] if typed else []
    joined = [[_lexemes(part.text, tags)] for part in words_of(match[0])[0] if part.role is WordRole.JOINED]
    return [typed, *joined]


@lru_cache(maxsize=64)
def _tags(languages: Tags) -> Tags:
    return tuple(dict.fromkeys(map(primary_tag, languages))) or (None,)


def _postings(matched: str, kind: str | None, tags: Tags) -> list[tuple[bool, Posting]]:
    if kind == "chunk":
        words = [word for word in words_of(matched)[0] if word.role in (WordRole.TYPED, WordRole.IMPLIED)]
        return [(word.role is WordRole.TYPED, _lexemes(word.text, tags)) for word in words]
    if kind == "emoji":
        return [(True, [plain_emoji(matched)])]
    expansion, _ = expand_run(matched)
    pairs = [term for term, _, _, _ in expansion if len(term) > 1]
    return [(True, [term]) for term in pairs or [term for term, _, _, _ in expansion]]


def _lexemes(word: str, tags: Tags) -> Posting:
    return list((_cached if len(word) <= MAX_CACHED_LENGTH else _look_up)(word, tags))


def _look_up(word: str, tags: Tags) -> tuple[str, ...]:
    """Return the unstemmed word, which texts of any language may contain, and its stem in each language."""
    plain = written_form(word)
    if not plain:
        return ()
    stems = [lexeme for tag in tags if tag != UNMARKED for lexeme in lexemes_of(word, tag)]
    unmarked = map(stem_of, stems) if UNMARKED in tags else ()
    return tuple(dict.fromkeys([plain, *stems, *unmarked]))


_cached = lru_cache(maxsize=CACHE_SIZE)(_look_up)
