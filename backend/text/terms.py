"""What a text must hold to hold a word of a query."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from backend.text.folding import plain_emoji
from backend.text.stemming import lexemes_of, primary_tag, stem_of, written_form
from backend.text.tokens import TEXT, expand_run
from backend.text.words import WordRole, words_of

# A place in a text: one of these lexemes stands there. The first is the word as it is written.
Posting = list[str]
# Among the languages of a query: documents may hold stems that do not name their language yet.
UNMARKED = "*"
# A query asks for each of its words several times, and most queries for the same words: 1 MB at most. Longer ones are
# rare and would fill the memory.
CACHE_SIZE, MAX_CACHED_LENGTH = 512, 24

Tags = tuple[str | None, ...]


def query_terms(word: str, languages: Sequence[str | None]) -> list[Posting]:
    """The places, one after the other, at which a text that holds the word has one of the lexemes.

    Args:
        word: As typed; a phrase is read in the same way.
        languages: Those of the texts, None among them if it occurs.

    Returns:
        Nothing for what holds no word at all, such as a dash.
    """
    tags = _tags(tuple(languages))
    places: list[Posting] = []
    implied: list[Posting] = []
    for found in TEXT.finditer(word):
        for typed, place in _places(found[0], found.lastgroup, tags):
            # What is implied only matters where something follows it.
            if typed:
                places += [*implied, place]
                implied = []
            else:
                implied.append(place)
    return places


def query_forms(word: str, languages: Sequence[str | None]) -> list[list[Posting]]:
    """The ways to write a word: that of `query_terms`, and `nodejs` for `node.js`, `email` for `e-mail`.

    A text holds the word when it holds any of them. There is none for what holds no word at all.
    """
    typed = query_terms(word, languages)
    tags = _tags(tuple(languages))
    found = TEXT.search(word)
    if found is None or found.lastgroup != "chunk" or TEXT.search(word, found.end()):
        return [typed] if typed else []
    joined = [[_lexemes(one.text, tags)] for one in words_of(found[0])[0] if one.role is WordRole.JOINED]
    return [typed, *joined]


@lru_cache(maxsize=64)
def _tags(languages: Tags) -> Tags:
    return tuple(dict.fromkeys(map(primary_tag, languages))) or (None,)


def _places(found: str, kind: str | None, tags: Tags) -> list[tuple[bool, Posting]]:
    if kind == "chunk":
        words = [word for word in words_of(found)[0] if word.role in (WordRole.TYPED, WordRole.IMPLIED)]
        return [(word.role is WordRole.TYPED, _lexemes(word.text, tags)) for word in words]
    if kind == "emoji":
        return [(True, [plain_emoji(found)])]
    expansion, _ = expand_run(found)
    pairs = [term for term, _, _, _ in expansion if len(term) > 1]
    return [(True, [term]) for term in pairs or [term for term, _, _, _ in expansion]]


def _lexemes(word: str, tags: Tags) -> Posting:
    return list((_remembered if len(word) <= MAX_CACHED_LENGTH else _look_up)(word, tags))


def _look_up(word: str, tags: Tags) -> tuple[str, ...]:
    """The word as it is written, in texts of any language, and its stem in each language for texts of that one."""
    plain = written_form(word)
    if not plain:
        return ()
    stems = [lexeme for tag in tags if tag != UNMARKED for lexeme in lexemes_of(word, tag)]
    unmarked = map(stem_of, stems) if UNMARKED in tags else ()
    return tuple(dict.fromkeys([plain, *stems, *unmarked]))


_remembered = lru_cache(maxsize=CACHE_SIZE)(_look_up)
