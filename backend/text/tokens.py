"""Tokens of a text, under which it is indexed.

A stored document holds the result of `analyze` at the time of writing: a change of `analyze` requires a rewrite of all
documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from backend.text.folding import clusters, plain_emoji
from backend.text.scripts import EMOJI, IDEOGRAPH, UNSPACED
from backend.text.stemming import lexemes_of, primary_tag, written_form
from backend.text.words import CHUNK, is_name, words_of

# Limits of a tsvector: the last position, to which later ones are clamped, and the positions of a lexeme.
LAST_POSITION = 16383
MAX_POSITIONS = 255
# Longer chunks are rare and would fill the cache: the worst of this length take 2 kB, 56 MB in all.
MAX_CACHED_LENGTH, CACHE_SIZE = 24, 1 << 15

TEXT = re.compile(f"(?P<chunk>{CHUNK})|(?P<run>[{UNSPACED}]+)|(?P<emoji>{EMOJI})")
IS_IDEOGRAPH = re.compile(f"[{IDEOGRAPH}]")


class Token(NamedTuple):
    """A lexeme of a text at a position, from 1, which several may share. The offsets are those of its word."""

    term: str
    position: int
    start: int
    end: int


# Lexemes of a chunk or run: lexeme, position from 0, start, end.
Expansion = tuple[tuple[str, int, int, int], ...]


def analyze(text: str, language: str | None) -> list[Token]:
    """Tokenise a text, in the order of the text.

    Args:
        text: Any text.
        language: BCP 47 tag of the text's language. Without one, words in Latin letters are not stemmed, and others are
            stemmed in the most common language of their script.
    """
    tag = primary_tag(language)
    tokens: list[Token] = []
    position = 1
    for match in TEXT.finditer(text):
        start = match.start()
        expansion, width = expand(match[0], match.lastgroup, tag)
        for term, offset, begin, end in expansion:
            tokens.append(Token(term, position + offset, start + begin, start + end))
        position += width
    return tokens


def expand(matched: str, kind: str | None, tag: str | None) -> tuple[Expansion, int]:
    """Return the lexemes of a match of TEXT, and the number of positions it takes."""
    if kind == "chunk":
        return (expand_chunk if len(matched) <= MAX_CACHED_LENGTH else expand_chunk.__wrapped__)(matched, tag)
    if kind == "run":
        return expand_run(matched)
    return ((plain_emoji(matched), 0, 0, len(matched)),), 1


@lru_cache(maxsize=CACHE_SIZE)
def expand_chunk(chunk: str, tag: str | None) -> tuple[Expansion, int]:
    """Return a chunk's lexemes, each once at its position."""
    words, width = words_of(chunk)
    # The words of a URL are not stemmed. Computed once, since a chunk may be a whole text.
    is_address = "://" in chunk
    spans: dict[tuple[str, int], tuple[int, int]] = {}
    for word in words:
        plain = written_form(word.text)
        lexemes = ((plain,) if plain else ()) if is_address or is_name(word) else lexemes_of(word.text, tag)
        for lexeme in lexemes:
            spans.setdefault((lexeme, word.position), (word.start, word.end))
    return tuple((lexeme, at, *span) for (lexeme, at), span in spans.items()), width


def expand_run(run: str) -> tuple[Expansion, int]:
    """Return the lexemes of a run of characters without spaces: every pair of neighbours, and single ideographs."""
    characters = clusters(run)
    if len(characters) < 2:
        return tuple((character, 0, start, end) for character, start, end in characters), len(characters)
    last = len(characters) - 2
    expansion = []
    for at, (character, start, end) in enumerate(characters):
        if at <= last:
            following, _, following_end = characters[at + 1]
            expansion.append((character + following, at, start, following_end))
        if IS_IDEOGRAPH.match(character):
            expansion.append((character, min(at, last), start, end))
    return tuple(expansion), last + 1


def lexeme_literal(tokens: Iterable[Token], weight: str, offset: int = 0) -> str:
    """Format tokens as a tsvector literal: `'lexeme':1A,5A …`.

    Args:
        tokens: The tokens of one text.
        weight: A, B, C or D.
        offset: How many positions stand before the text.
    """
    positions: dict[str, list[int]] = {}
    for token in tokens:
        positions.setdefault(token.term, []).append(token.position + offset)
    return " ".join(f"{quoted(term)}:{_position_list(at, weight)}" for term, at in positions.items())


def quoted(term: str) -> str:
    """Quote a lexeme for a tsvector or tsquery literal."""
    doubled = term.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"


def _position_list(positions: list[int], weight: str) -> str:
    if len(positions) == 1:
        return f"{min(positions[0], LAST_POSITION)}{weight}"
    distinct = sorted({min(position, LAST_POSITION) for position in positions})
    return ",".join([f"{position}{weight}" for position in distinct[:MAX_POSITIONS]])
