"""The words by which tags, titles and domains are suggested, and when two of them differ by one typing error."""

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

# A title of more words is suggested by its first ones.
MAX_WORDS = 60
# Longer words are cut, in texts and queries alike: an index entry has its limits, and nobody types more.
MAX_LETTERS = 40
# Of a run without spaces every place begins a word of up to so many characters, so that any part of it is a prefix.
RUN_LETTERS = 8
# Typing errors are looked for in words of at least so many letters, among words whose beginnings of this length are
# about alike: with a shorter one there are too many, with a longer one a word must be typed further to be found.
TYPO_LETTERS = 4
NEAR_LETTERS = 5
# Chunks and hashes that are remembered, and the longest: a title may be one chunk.
REMEMBERED, LONGEST_REMEMBERED = 1 << 14, 64
LETTERS = re.compile(f"[{LETTER}{MARK}]+")


def words_in(text: str) -> list[str]:
    """The folded words of a text, each once, in the order of the text."""
    return list(islice(dict.fromkeys(_words(text)), MAX_WORDS))


def typed_words(text: str) -> list[tuple[str, bool]]:
    """The folded words of what somebody types, each with whether it is a prefix: the last one is, if nothing ends it.

    So is a run without spaces, which is cut into pieces as long as those of texts; nobody sees where its words end.
    """
    found: list[tuple[str, bool]] = []
    ended = False
    for match in TEXT.finditer(text):
        kind, piece = match.lastgroup, fold(normalise(match[0]))
        if kind == "chunk":
            found += [(word[:MAX_LETTERS], False) for word in LETTERS.findall(piece)]
        elif kind == "run" and piece:
            found += [(piece[at : at + RUN_LETTERS], True) for at in range(0, len(piece), RUN_LETTERS)]
        elif kind == "emoji":
            found.append((plain_emoji(match[0]), False))
        ended = bool(text[match.end() :].strip()) or piece.endswith(("+", "#"))
    if found and not ended:
        found[-1] = (found[-1][0], True)
    return list(dict.fromkeys(found))


def near_keys(organization_id: int, kind: str, word: str) -> list[int]:
    """Hashes (64 bits, signed) of the beginning of the word, and of that without each of its letters."""
    start = word[:NEAR_LETTERS]
    shorter = {start[:at] + start[at + 1 :] for at in range(len(start))} if len(start) > 2 else set()
    return sorted(_hash(f"{organization_id}:{kind}:{variant}") for variant in {start, *shorter})


def is_one_typo(typed: str, word: str, *, as_prefix: bool) -> bool:
    """Whether one letter changed, added, left out, or two neighbours swapped make `word` of what was typed.

    Never for words of less than four letters.

    Args:
        typed: Folded.
        word: Folded.
        as_prefix: Whether a beginning of the word is enough.
    """
    longer = len(word) - len(typed)
    if len(word) < TYPO_LETTERS or longer < -1 or (longer > 1 and not as_prefix):
        return False
    at = 0
    while at < min(len(typed), len(word)) and typed[at] == word[at]:
        at += 1
    rest, wanted = typed[at:], word[at:]
    swapped = len(rest) > 1 and rest[1] + rest[0] == wanted[:2]
    variants = [rest[1:], wanted[:1] + rest[1:], wanted[:1] + rest, *([wanted[:2] + rest[2:]] if swapped else [])]
    return any(wanted.startswith(variant) if as_prefix else wanted == variant for variant in variants)


def prefix_range(prefix: str) -> tuple[str, str]:
    """From where (included) to where (not) words of this prefix lie in the order of code points."""
    last = ord(prefix[-1])
    following = 0xE000 if last == 0xD7FF else last + 1
    if following > 0x10FFFF:
        # The last character of all begins nothing that anybody writes.
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
    """Its runs of letters, and the ways in which they are written together: `node`, `js`, `nodejs`."""
    pieces = LETTERS.findall(fold(normalise(chunk)))
    together = [fold(normalise(word.text)) for word in words_of(chunk)[0]]
    whole = [word for word in together if LETTERS.fullmatch(word)]
    return tuple(dict.fromkeys(word[:MAX_LETTERS] for word in (*pieces, *whole)))


@lru_cache(maxsize=REMEMBERED)
def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True)
