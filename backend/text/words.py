"""Words of a chunk: the chunk as it is written, and its parts.

A chunk is text between spaces and punctuation: `word`, `self-hosted`, `foo_bar`, `C++`, `https://example.com/a-b`. It
is split in steps, each with connectors of its own:

    tcp/ip, std::vector, joe@example.com   pieces   each takes the next position; two are also indexed joined
    self-hosted, node.js, o'reilly         atoms    each takes the next position; up to four are also indexed joined
    foo_bar, at&t, 1.2.3                   parts    each takes the next position; a query means the whole as it is typed
    c++, c#, .net, @ada                             a query means the whole as it is typed
    camelCase, AbstractBeanFactory         humps    indexed at the position of the whole
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

from backend.text.folding import normalise
from backend.text.scripts import LETTER, MARK

MAX_JOINED = 4
APOSTROPHE = "['’ʼ＇]"
SOFT = r"[.\-‐‑'’ʼ＇]"

SIMPLE = f"[{LETTER}]+(?:[{MARK}]+[{LETTER}]*)*"
CONNECTOR = f"(?:://|::|[/&@]|{SOFT}|_+)"
CHUNK = rf"(?:(?<![{LETTER}{MARK}.@/])[.@])?{SIMPLE}(?:{CONNECTOR}{SIMPLE})*(?:\+\+(?!\+)|\#(?=\d|[^{LETTER}]|\Z))?"

SCHEME = re.compile(r"(?:[^:/]*://)?(?:www\.(?=.+\.))?", re.IGNORECASE)
PIECE = re.compile(r"(?:^@)?[^/:@]+")
# Articles that French, Italian, Catalan and Irish elide onto the next word, and English contractions.
ELISION = re.compile(
    f"(?:[ldjmnstcb]|(?:jus|lors|puis|quoi)?qu|(?:d?a|de|ne|su|co|que)?ll|[ds]?[aeu]?gl|un){APOSTROPHE}", re.IGNORECASE
)
CONTRACTION = re.compile(f"{APOSTROPHE}(?:s|re|ll|ve|d|m)$", re.IGNORECASE)
NEGATION = re.compile(f"[a-z]+n{APOSTROPHE}t$", re.IGNORECASE)
ACRONYM = re.compile(rf"[^\W\d_][{MARK}]*(?:\.[^\W\d_][{MARK}]*)+$")
ATOM = re.compile(rf"(?:^\.(?!\d))?(?:(?!{SOFT}).|(?<=\d)\.(?=\d))+", re.DOTALL)
# Between digits a connector has a meaning: 1.5 is not 15.
CONNECTED = re.compile(rf"(?<!\d){SOFT}|{SOFT}(?!\d)")
VERSION = re.compile(r"v?(\d+(?:\.\d+)+)$", re.IGNORECASE)
LETTER_SHARP = re.compile("[A-Za-z]#")
NUMBER = re.compile(r"\d+")
PART = re.compile(r"[^_&.@+#]+")
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z][A-Za-z])|(?<=[A-Z])(?=[A-Z][a-z])")
MANY_ACRONYMS = re.compile(r"[A-Z]+s$")


class WordRole(Enum):
    """The role of a word in a query that contains the chunk."""

    TYPED = auto()  # Required at its position.
    IMPLIED = auto()  # Required too, but a typed word before it implies it.
    JOINED = auto()  # An alternative to all others: the chunk written in one word.
    PART = auto()  # Not required: it is indexed for shorter queries.


class Word(NamedTuple):
    """A word of a chunk, before stemming; position and offsets count from the chunk's beginning."""

    text: str
    position: int
    start: int
    end: int
    role: WordRole = WordRole.TYPED


def words_of(chunk: str) -> tuple[list[Word], int]:
    """Return all words of a chunk, and the number of positions it takes."""
    if chunk.isalnum() and (chunk.islower() or chunk.istitle()):
        return [Word(chunk, 0, 0, len(chunk))], 1
    offset = _scheme_length(chunk)
    pieces = [match.span() for match in PIECE.finditer(chunk, offset)]
    words: list[Word] = []
    position = 0
    for start, end in pieces:
        position = _add_piece(words, chunk, start, end, position)
    if len(pieces) == 1:
        return words, position
    if len(pieces) == 2 and offset == 0:
        words.append(Word(chunk, 0, 0, len(chunk), WordRole.PART))
    return [word._replace(role=WordRole.PART) if word.role is WordRole.JOINED else word for word in words], position


def is_name(word: Word) -> bool:
    """Tell whether a word is an identifier or a part of one, which is not stemmed."""
    return word.role in (WordRole.PART, WordRole.IMPLIED) or (
        not word.text.islower() and HUMP.search(word.text) is not None
    )


def _scheme_length(chunk: str) -> int:
    if "://" not in chunk and chunk[:4].lower() != "www.":
        return 0
    scheme = SCHEME.match(chunk)
    return scheme.end() if scheme else 0


def _add_piece(words: list[Word], chunk: str, start: int, end: int, position: int) -> int:
    piece = chunk[start:end]
    # Most pieces are plain: their words are found without the expressions below, none of which would match.
    if piece.isascii() and piece.isalnum():
        return _add_atom(words, chunk, start, end, position)
    if not piece.isascii() or "'" in piece:
        start, end = _without_elision(chunk, start, end)
        if NEGATION.match(chunk, start, end):
            return _add_glued(words, chunk, start, end, position)
    if ACRONYM.match(chunk, start, end):
        return _add_glued(words, chunk, start, end, position)
    atoms = [match.span() for match in ATOM.finditer(chunk, start, end)]
    if 1 < len(atoms) <= MAX_JOINED:
        words.append(Word(CONNECTED.sub("", chunk[start:end]), position, start, end, WordRole.JOINED))
    for atom_start, atom_end in atoms:
        position = _add_atom(words, chunk, atom_start, atom_end, position)
    return position


def _without_elision(chunk: str, start: int, end: int) -> tuple[int, int]:
    """Return where a piece starts and ends without an elided article before it and a contraction behind it."""
    elided = ELISION.match(chunk, start, end)
    if elided and elided.end() < end:
        start = elided.end()
    contracted = CONTRACTION.search(chunk, start, end)
    return start, contracted.start() if contracted and contracted.start() > start else end


def _add_glued(words: list[Word], chunk: str, start: int, end: int, position: int) -> int:
    """Add one word without its apostrophes and full stops: `don't`, `U.S.A`."""
    words.append(Word(re.sub(SOFT, "", chunk[start:end]), position, start, end))
    return position + 1


def _add_atom(words: list[Word], chunk: str, start: int, end: int, position: int) -> int:
    if (atom := chunk[start:end]).isalnum():
        words.append(Word(atom, position, start, end))
        _add_humps(words, chunk, start, end, position)
        return position + 1
    version = VERSION.match(chunk, start, end)
    if version:
        return _add_version(words, chunk, version.start(1), end, position)
    if chunk[end - 1] == "#" and not LETTER_SHARP.fullmatch(chunk, start, end):
        end -= 1
    parts = [match.span() for match in PART.finditer(chunk, start, end)]
    glued = parts != [(start, end)]
    if glued:
        words.append(Word(chunk[start:end], position, start, end))
    for at, (part_start, part_end) in enumerate(parts, start=position):
        # A query for C does not mean C++.
        if not glued or len(parts) > 1 or len(normalise(chunk[part_start:part_end])) > 1:
            role = (WordRole.IMPLIED if at > position else WordRole.PART) if glued else WordRole.TYPED
            words.append(Word(chunk[part_start:part_end], at, part_start, part_end, role))
            _add_humps(words, chunk, part_start, part_end, at)
    return position + len(parts)


def _add_version(words: list[Word], chunk: str, start: int, end: int, position: int) -> int:
    """Add a version: 1.2.3 is indexed as itself, as 1.2, as 1, and as 2 and 3 after it."""
    numbers = [match.span() for match in NUMBER.finditer(chunk, start, end)]
    words.append(Word(chunk[start:end], position, start, end))
    for _, number_end in numbers[: min(MAX_JOINED, len(numbers) - 1)]:
        words.append(Word(chunk[start:number_end], position, start, number_end, WordRole.PART))
    for at, (number_start, number_end) in enumerate(numbers[1:], start=position + 1):
        words.append(Word(chunk[number_start:number_end], at, number_start, number_end, WordRole.IMPLIED))
    return position + len(numbers)


def _add_humps(words: list[Word], chunk: str, start: int, end: int, position: int) -> None:
    part = chunk[start:end]
    if not part.isascii() or part.islower() or MANY_ACRONYMS.fullmatch(part):
        return
    humps = HUMP.split(part)
    # Two capitals make a name: a query for git does not mean GitHub, nor java JavaScript.
    if len(humps) > (1 if part[0].islower() else 2) and min(map(len, humps)) > 1:
        for hump in humps:
            words.append(Word(hump, position, start, start + len(hump), WordRole.PART))
            start += len(hump)
