"""Vocabulary of suggestions: the words of titles, tags and domains, and their edit distance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from itertools import islice

from backend.text.folding import fold, normalise, plain_emoji
from backend.text.scripts import LETTER, MARK
from backend.text.tokens import TEXT
from backend.text.words import words_of

# Words of a title beyond this number are ignored.
MAX_WORDS = 60
# Longer words are cut in texts and queries alike, since index entries are limited.
MAX_LETTERS = 40
# In a run without spaces each position begins a word of up to so many characters, so that any substring is a prefix.
RUN_LETTERS = 8
# Minimum length for typing errors, and length of the prefixes that are compared: with shorter ones too many words
# match, with longer ones a word must be typed further.
TYPO_LETTERS = 4
NEAR_LETTERS = 5
# Cached chunks and hashes, and the longest: a title may be one chunk.
REMEMBERED, LONGEST_REMEMBERED = 1 << 14, 64
LETTERS = re.compile(f"[{LETTER}{MARK}]+")


def words_in(text: str) -> list[str]:
    """Return the distinct folded words of a text, in order."""
    return list(islice(dict.fromkeys(_words(text)), MAX_WORDS))


def typed_words(text: str) -> list[tuple[str, bool]]:
    """Return the folded words of a typed text, each with whether it is a prefix: the last one is, if nothing ends it.

    So is each piece of a run without spaces, since its word boundaries are unknown.
    """
    words: list[tuple[str, bool]] = []
    ended = False
    for match in TEXT.finditer(text):
        kind, piece = match.lastgroup, fold(normalise(match[0]))
        if kind == "chunk":
            words += [(word[:MAX_LETTERS], False) for word in LETTERS.findall(piece)]
        elif kind == "run" and piece:
            words += [(piece[at : at + RUN_LETTERS], True) for at in range(0, len(piece), RUN_LETTERS)]
        elif kind == "emoji":
            words.append((plain_emoji(match[0]), False))
        ended = bool(text[match.end() :].strip()) or piece.endswith(("+", "#"))
    if words and not ended:
        words[-1] = (words[-1][0], True)
    return list(dict.fromkeys(words))


def near_keys(organization_id: int, kind: str, word: str) -> list[int]:
    """Return hashes (64 bits, signed) of the word's prefix, and of that without each of its letters."""
    start = word[:NEAR_LETTERS]
    shorter = {start[:at] + start[at + 1 :] for at in range(len(start))} if len(start) > 2 else set()
    return sorted(_hash(f"{organization_id}:{kind}:{variant}") for variant in {start, *shorter})


def is_one_typo(typed: str, word: str, *, as_prefix: bool) -> bool:
    """Tell whether the edit distance is 1: one letter changed, added or left out, or two neighbours swapped.

    False for words of less than four letters.

    Args:
        typed: Folded.
        word: Folded.
        as_prefix: Whether to compare with a prefix of the word.
    """
    longer = len(word) - len(typed)
    if len(word) < TYPO_LETTERS or longer < -1 or (longer > 1 and not as_prefix):
        return False
    at = 0
    while at < min(len(typed), len(word)) and typed[at] == word[at]:
        at += 1
    rest, expected = typed[at:], word[at:]
    swapped = len(rest) > 1 and rest[1] + rest[0] == expected[:2]
    variants = [rest[1:], expected[:1] + rest[1:], expected[:1] + rest, *([expected[:2] + rest[2:]] if swapped else [])]
    return any(expected.startswith(variant) if as_prefix else expected == variant for variant in variants)


def prefix_range(prefix: str) -> tuple[str, str]:
    """Return the range (start included, end excluded) of words with this prefix, by code points."""
    last = ord(prefix[-1])
    following = 0xE000 if last == 0xD7FF else last + 1
    if following > 0x10FFFF:
        # The last code point begins no word.
        return prefix, prefix + prefix[-1]
    return prefix, prefix[:-1] + chr(following)


def _words(text: str) -> Iterator[str]:
    for match in TEXT.finditer(text):
        if match.lastgroup == "chunk":
            is_short = len(match[0]) <= LONGEST_REMEMBERED
            yield from (_words_of_chunk if is_short else _words_of_chunk.__wrapped__)(match[0])
        elif match.lastgroup == "run":
            run = fold(normalise(match[0]))
            yield from (run[at : at + RUN_LETTERS] for at in range(len(run)))
        else:
            yield plain_emoji(match[0])


@lru_cache(maxsize=REMEMBERED)
def _words_of_chunk(chunk: str) -> tuple[str, ...]:
    """Return the runs of letters in a chunk, and their joined forms: `node`, `js`, `nodejs`."""
    pieces = LETTERS.findall(fold(normalise(chunk)))
    together = [fold(normalise(word.text)) for word in words_of(chunk)[0]]
    whole = [word for word in together if LETTERS.fullmatch(word)]
    return tuple(dict.fromkeys(word[:MAX_LETTERS] for word in (*pieces, *whole)))


@lru_cache(maxsize=REMEMBERED)
def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True)
