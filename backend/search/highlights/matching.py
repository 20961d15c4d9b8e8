"""Where a text holds what a query wants."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from backend.search.highlights.budget import Allowance
from backend.search.highlights.candidate_spans import IS_UNSPACED, spotter
from backend.text.analysis import Token, analyze, is_stop_word, query_forms, query_terms
from backend.text.normalisation import normalize
from backend.text.query_language import Filter, Query
from backend.text.stemming import primary_tag
from backend.text.tokens import TEXT

# Stemmers that change beginnings of words or put them into other letters: no word can be passed over.
UNSPOTTABLE = {"ga", "id", "nl", "sr", "st", "yi"}
LONGEST_PIECE = 200
# Queries that are remembered, and how many characters of theirs are looked for at most.
REMEMBERED, LONGEST_REMEMBERED = 256, 100
# To the next space, or to where ideographs, kana or Hangul begin.
PIECE = re.compile(rf"[^\s\u2e80-\ud7ff]{{0,{LONGEST_PIECE}}}")

# One way to write something: place after place, the lexemes of which one must stand there.
Form = tuple[frozenset[str], ...]


class Wanted(NamedTuple):
    """A word or phrase to be found.

    Attributes:
        text: As it is in the query.
        forms: The ways it may be written; none for a run of characters without spaces, which stands wherever it does.
        weight: What a passage is worth for holding it.
        is_phrase: Whether its parts are worth nothing.
    """

    text: str
    forms: tuple[Form, ...]
    weight: float
    is_phrase: bool = False

    @property
    def reach(self) -> int:
        """How far from one of its words the others may be, in characters."""
        return 2 * len(self.text) if any(len(form) > 1 for form in self.forms) else 0


class Hit(NamedTuple):
    """A stretch of a text to mark, what it is for, and what that is worth."""

    start: int
    end: int
    wanted: tuple[int, int]
    weight: float


@dataclass(frozen=True, eq=False)
class Matcher:
    """What to mark in texts of one language."""

    language: str | None
    wanted: tuple[Wanted, ...]
    runs: dict[str, list[int]]
    heads: dict[str, list[tuple[int, Form]]]
    spots: re.Pattern[str] | None
    reach: int

    def hits(self, text: str, passage: int | None = None, allowance: Allowance | None = None) -> list[Hit]:
        """Every stretch to mark, in the order of the text, as far as it may be read.

        Where a word of several parts (`node.js`, 日本語) stands nowhere as a whole, its parts are marked.

        Args:
            text: What to look through.
            passage: Once so many characters hold all that is wanted, what lies as far behind them again or further
                may be left out: no passage is better.
            allowance: How much may be read; what is read is counted there.
        """
        allowance = allowance or Allowance()
        found = set(self._whole_hits(text, passage, allowance))
        met = {hit.wanted[0] for hit in found}
        owners, parts = self._by_parts
        if any(index not in met for index, _ in owners):
            for start, end, at in parts.find(text, allowance):
                if owners[at][0] not in met:
                    found.add(Hit(start, end, owners[at], parts.wanted[at].weight))
        return sorted(found)

    @cached_property
    def _by_parts(self) -> tuple[list[tuple[int, int]], Matcher]:
        """What looks for the parts of all words that have several, and whose part each is: the word's index, and its
        own among the parts of that word."""
        several = [(index, _parts(one, self.language)) for index, one in enumerate(self.wanted)]
        owners = [(index, part) for index, parts in several for part in range(len(parts))]
        return owners, _matcher(tuple(part for _, parts in several for part in parts), self.language)

    def _whole_hits(self, text: str, passage: int | None, allowance: Allowance) -> Iterator[Hit]:
        # Words and runs that are looked for together do not come in the order of the text.
        is_ordered = passage is not None and not (self.runs and self.heads)
        latest: dict[int, int] = {}
        last = len(text)
        for start, end, index in self.find(text, allowance):
            if start > last:
                return
            yield Hit(start, end, (index, 0), self.wanted[index].weight)
            if is_ordered and passage is not None and last == len(text):
                latest[index] = start
                if len(latest) == len(self.wanted) and end - min(latest.values()) <= passage:
                    last = start + passage

    def find(self, text: str, allowance: Allowance) -> Iterator[tuple[int, int, int]]:
        """Where the wanted stand: start, end, and which of them it is."""
        if not self.wanted:
            return
        if self.spots is None:
            yield from self._read(text, 0, len(text), allowance)
            return
        begin = end = seen = 0
        limit = min(len(text), allowance.left_to_scan)
        try:
            for spot in self.spots.finditer(text, 0, limit):
                # What there is to read already is all that may be.
                if end - begin >= allowance.left_to_analyse:
                    break
                seen = spot.end()
                run = IS_UNSPACED.match(spot[0])
                indexes = self.runs.get(normalize("NFKC", spot[0])) if run else None
                if indexes is not None:
                    allowance.analyse(len(spot[0]) * len(indexes))
                    yield from ((*spot.span(), index) for index in indexes)
                    continue
                start, stop = max(0, spot.start() - self.reach), min(len(text), spot.end() + self.reach)
                if stop <= end:
                    continue
                if self.reach or not run:
                    start, stop = _piece_start(text, start), _piece_end(text, stop)
                if start > end:
                    yield from self._read(text, begin, end, allowance)
                    begin = start
                end = stop
            else:
                seen = limit
            yield from self._read(text, begin, end, allowance)
        finally:
            allowance.scanned += seen

    def _read(self, text: str, begin: int, end: int, allowance: Allowance) -> Iterator[tuple[int, int, int]]:
        end = begin + allowance.analyse(end - begin)
        tokens = analyze(text[begin:end], self.language)
        places: dict[int, list[Token]] = defaultdict(list)
        if self.reach:
            for token in tokens:
                places[token.position].append(token)
        for token in tokens:
            for index, form in self.heads.get(token.term, ()):
                if not allowance.compare(len(form)):
                    return
                for one in (token,) if len(form) == 1 else _follow(form, token.position, places):
                    yield begin + one.start, begin + one.end, index


def matcher(query: Query, language: str | None) -> Matcher:
    """What to mark for a query, remembered if it is short: one of 1,000 characters takes 400 kB."""
    is_short = sum(len(unit.text) for unit in query.units if not isinstance(unit, Filter)) <= LONGEST_REMEMBERED
    return (_remembered if is_short else make_matcher)(query, language)


def make_matcher(query: Query, language: str | None) -> Matcher:
    """What to mark for a query: its words, those that say little only when there are no others, and its phrases.

    Args:
        query: What was asked for.
        language: BCP 47 tag of the texts.
    """
    words = list(dict.fromkeys(query.words))
    telling = [word for word in words if not is_stop_word(word, language)] or ([] if query.phrases else words)
    chunks = [_wanted(found[0], language) for word in telling for found in TEXT.finditer(word)]
    phrases = [_wanted(phrase, language, is_phrase=True) for phrase in query.phrases]
    return _matcher(tuple(one for one in chunks + phrases if one), primary_tag(language))


_remembered = lru_cache(maxsize=REMEMBERED)(make_matcher)


def _wanted(text: str, language: str | None, *, is_phrase: bool = False) -> Wanted | None:
    """What a piece of a query asks for; None if it holds no word."""
    # Long words are rare ones, but any two words are worth more than one.
    weight = 1 + min(len(text), 20) / 100
    found = TEXT.fullmatch(text)
    if found and found.lastgroup == "run" and primary_tag(language) not in UNSPOTTABLE:
        return Wanted(text, (), weight, is_phrase)
    forms = [query_terms(text, [language])] if is_phrase else query_forms(text, [language])
    frozen = tuple(tuple(frozenset(place) for place in form) for form in forms if form)
    return Wanted(text, frozen, weight, is_phrase) if frozen else None


def _matcher(wanted: tuple[Wanted, ...], language: str | None) -> Matcher:
    runs: dict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(wanted):
        if not one.forms:
            runs[normalize("NFKC", one.text)].append(index)
    heads: dict[str, list[tuple[int, Form]]] = defaultdict(list)
    rarest = [*runs, *(one.text for one in wanted if not one.forms)]
    for index, one in enumerate(wanted):
        for form in one.forms:
            for lexeme in form[0]:
                heads[lexeme].append((index, form))
            rarest += max(form, key=lambda place: min(map(len, place)))
    spots = None
    if rarest and (language not in UNSPOTTABLE or not heads):
        spots = spotter(rarest)
    return Matcher(language, wanted, dict(runs), dict(heads), spots, max((one.reach for one in wanted), default=0))


def _parts(one: Wanted, language: str | None) -> tuple[Wanted, ...]:
    places = query_terms(one.text, [language])
    if one.is_phrase or len(places) < 2:
        return ()
    if not one.forms:
        return tuple(Wanted(place[0], (), one.weight / len(places)) for place in places)
    telling = [place for place in places if not any(is_stop_word(lexeme, language) for lexeme in place)]
    return tuple(Wanted("", ((frozenset(place),),), one.weight / len(places)) for place in telling)


def _follow(form: Form, position: int, places: dict[int, list[Token]]) -> list[Token]:
    """The tokens of a form that begins at a position; none if it does not."""
    found = []
    for at, place in enumerate(form, start=position):
        token = next((token for token in places.get(at, ()) if token.term in place), None)
        if token is None:
            return []
        found.append(token)
    return found


def _piece_start(text: str, at: int) -> int:
    lowest = max(0, at - LONGEST_PIECE)
    while at > lowest and not (text[at - 1].isspace() or "\u2e80" <= text[at - 1] <= "\ud7ff"):
        at -= 1
    return at


def _piece_end(text: str, at: int) -> int:
    found = PIECE.match(text, at)
    return found.end() if found else at
