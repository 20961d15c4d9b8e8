"""Cleaning, counting and cutting of plain text."""

from __future__ import annotations

import re

# A tsvector holds at most 1 MiB, so later text could not be searched; no article is as long.
MAX_TEXT = 1_000_000
MAX_FIRST_LINE = 200
MIN_SENTENCE, MAX_SENTENCE = 10, 100

# PostgreSQL refuses NUL, UTF-8 has no lone surrogates, XML no control characters or noncharacters. A soft
# hyphen only tells a typesetter where a word may break; left in, it splits the word for the search.
_UNSTORABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_ASCII_SPACES = re.compile("[ \t\n\r]+")
_WIDE_SPACES = re.compile("[ \t\n\r\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
# Zero-width space, word joiner and byte order mark; the direction marks are of use only beside right-to-left letters.
_ZERO_WIDTH = re.compile("[\u180e\u200b\u2060-\u2064\ufeff]")
_DIRECTION_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
# Joiners belong between letters of some scripts and between emoji.
_LOOSE_JOINERS = re.compile("(?<![^\x00-\x7f])[\u200c\u200d]++|(?<![\u200c\u200d])[\u200c\u200d]++(?![^\x00-\x7f])")
# The look-behind anchors the match at the first blank: from each blank it would take quadratic time.
_SENTENCE_END = re.compile(r"(?<=\w\w)[.!?…](?=\s|$)|[。！？]")
_BLANK_LINES = re.compile(r"(?<![ \t])[ \t]*\n(?:[ \t]*\n)+")

_CJK = "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+")


def clean_text(text: str) -> str:
    """Remove characters that cannot be stored from `text` and make line ends newlines; all other Unicode stays."""
    return _UNSTORABLE.sub("", _LINE_ENDS.sub("\n", text))


def clean_line(text: str | None) -> str | None:
    """Clean `text` and put it on one line, single-spaced; None when nothing is left."""
    return _ASCII_SPACES.sub(" ", clean_text(text or "")).strip() or None


def clean_label(text: str | None) -> str | None:
    """Clean a title, name or description for one line: plain spaces, no invisible characters; None without the rest.

    Invisible characters that shape words or emoji, or order right-to-left text, stay.
    """
    shown = _ZERO_WIDTH.sub("", clean_text(text or ""))
    if not _RIGHT_TO_LEFT.search(shown):
        shown = _DIRECTION_MARKS.sub("", shown)
    return _LOOSE_JOINERS.sub("", _WIDE_SPACES.sub(" ", shown)).strip() or None


def clean_paragraphs(text: str) -> str:
    """Clean `text`, with at most one blank line in a row and none at its ends."""
    return _BLANK_LINES.sub("\n\n", clean_text(text)).strip()


def cut_line(text: str | None, limit: int) -> str | None:
    """Clean `text` as a label of at most `limit` characters, with an ellipsis where it was longer."""
    line = clean_label(text)
    if line is None or len(line) <= limit:
        return line
    return line[: limit - 1].rstrip() + "…"


def first_line(text: str) -> str | None:
    """Return the first line of `text` that contains a word, as its title; cut."""
    line = next((line for line in text[:20_000].splitlines() if _WORD.search(line)), None)
    return cut_line(line, MAX_FIRST_LINE)


def first_sentence(text: str) -> str | None:
    """Return the beginning of the first sentence of `text`, as a title; None where there is no word."""
    line = first_line(text)
    # After an abbreviation the sentence goes on.
    ends = (
        end.start() for end in _SENTENCE_END.finditer(line or "") if end[0] in "。！？" or end.start() > MIN_SENTENCE
    )
    sentence = line and line[: next(ends, len(line))]
    if not sentence or len(sentence) <= MAX_SENTENCE:
        return sentence
    cut = sentence[:MAX_SENTENCE]
    return (cut[: cut.rfind(" ")] if " " in cut else cut).rstrip(" ,;:") + "…"


def count_words(text: str) -> int:
    r"""Count the words in `text`: each Han character and each kana is one, elsewhere each run of `\w`.

    Chinese and Japanese put no spaces between words, so that runs would make a whole sentence one word.
    """
    return sum(1 for _ in _WORD.finditer(text))
