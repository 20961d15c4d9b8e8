"""Tokens of a text, under which it is indexed.

A stored document holds the result of `analyze` at the time of writing: a change of `analyze` requires a rewrite of all
documents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from backend.text.folding import clusters, plain_emoji
from backend.text.scripts import EMOJI, IDEOGRAPH, UNSPACED
from backend.text.stemming import AS_WRITTEN, lexemes_of, primary_tag, written_form
from backend.text.words import CHUNK, is_name, words_of

# Limits of a tsvector: the last position, to which later ones are clamped, and the positions of a lexeme.
LAST_POSITION = 16383
MAX_POSITIONS = 255
# What a tsvector takes for a lexeme beside its bytes, and for each further position of it.
TERM_BYTES, POSITION_BYTES = 12, 2
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


class TermPositions(NamedTuple):
    """The terms of a text, in the order of their first occurrence, each with its positions; and the last position."""

    positions: dict[str, list[int]]
    last: int


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


def term_positions(text: str, language: str | None, room: int) -> TermPositions:
    """Return the terms of the tokens that `analyze` returns, as many leading tokens as fit into a tsvector of `room`
    bytes. Documents need no offsets, and building them without is twice as fast."""
    tag = primary_tag(language)
    found: dict[str, list[int]] = {}
    start, last = 1, 0
    for match in TEXT.finditer(text):
        expansion, width = expand(match[0], match.lastgroup, tag)
        for term, offset, _, _ in expansion:
            at = found.get(term)
            room -= POSITION_BYTES if at else _term_bytes(term)
            if room < 0:
                return TermPositions(found, last)
            last = start + offset
            if at:
                at.append(last)
            else:
                found[term] = [last]
        start += width
    return TermPositions(found, last)


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
    is_unstemmed = tag == AS_WRITTEN or "://" in chunk
    spans: dict[tuple[str, int], tuple[int, int]] = {}
    for word in words:
        plain = written_form(word.text)
        lexemes = ((plain,) if plain else ()) if is_unstemmed or is_name(word) else lexemes_of(word.text, tag)
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


def lexeme_literal(positions: Mapping[str, Sequence[int]], weight: str, offset: int = 0) -> str:
    """Format terms with their positions as a tsvector literal: `'lexeme':1A,5A …`.

    Args:
        positions: The terms of one text.
        weight: A, B, C or D.
        offset: How many positions stand before the text.
    """
    return " ".join(
        [
            f"{quoted(term)}:{_position_list(at, weight, offset)}"
            if len(at) > 1
            else f"{quoted(term)}:{min(at[0] + offset, LAST_POSITION)}{weight}"
            for term, at in positions.items()
        ]
    )


def quoted(term: str) -> str:
    """Quote a lexeme for a tsvector or tsquery literal."""
    if "'" in term or "\\" in term:
        term = term.replace("\\", "\\\\").replace("'", "''")
    return f"'{term}'"


def _term_bytes(term: str) -> int:
    return (len(term) if term.isascii() else len(term.encode())) + TERM_BYTES


def _position_list(positions: Sequence[int], weight: str, offset: int) -> str:
    distinct = sorted({min(position + offset, LAST_POSITION) for position in positions})
    return ",".join([f"{position}{weight}" for position in distinct[:MAX_POSITIONS]])
