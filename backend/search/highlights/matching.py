"""Matching: finds the words and phrases of a query in a text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from backend.search.highlights.budget import Allowance
from backend.search.highlights.candidate_spans import IS_UNSPACED, CandidatePattern, is_plain
from backend.text.normalisation import normalize
from backend.text.query_language import Filter, Query
from backend.text.stemming import primary_tag
from backend.text.stop_words import is_stop_word
from backend.text.terms import query_forms, query_terms
from backend.text.tokens import TEXT, Token, analyze

# Stemmers that change the beginnings of words, or their script: prefixes cannot find candidates.
CHANGED_BEGINNINGS = {"ga", "id", "nl", "sr", "st", "yi"}
LONGEST_PIECE = 200
# Up to this length a text with letters beyond ASCII is analysed sooner than its pattern is compiled, and within what
# any text of a response may take.
SHORT_TEXT = 200
# Cached queries, and the characters that a cached one may have.
REMEMBERED, LONGEST_REMEMBERED = 256, 100
# Up to the next space, or to ideographs, kana or Hangul.
PIECE = re.compile(rf"[^\s\u2e80-\ud7ff]{{0,{LONGEST_PIECE}}}")

# A form of a word: for each position the lexemes of which one must stand there.
Form = tuple[frozenset[str], ...]


class QueryTerm(NamedTuple):
    """A word or phrase of a query.

    Attributes:
        text: As in the query.
        forms: Its forms; none for a run without spaces, which matches as a substring.
        weight: Its weight in a passage.
        is_phrase: Whether its parts alone are no matches.
    """

    text: str
    forms: tuple[Form, ...]
    weight: float
    is_phrase: bool = False

    @property
    def reach(self) -> int:
        """Maximum distance of its parts, in characters."""
        return 2 * len(self.text) if any(len(form) > 1 for form in self.forms) else 0


class Match(NamedTuple):
    """A match in a text: its span, the term and part that it matches, and its weight."""

    start: int
    end: int
    term: tuple[int, int]
    weight: float


@dataclass(frozen=True, eq=False)
class Matcher:
    """Matcher of a query for texts of one language."""

    language: str | None
    terms: tuple[QueryTerm, ...]
    runs: dict[str, list[int]]
    heads: dict[str, list[tuple[int, Form]]]
    pattern: CandidatePattern | None
    reach: int

    def hits(self, text: str, passage: int | None = None, allowance: Allowance | None = None) -> list[Match]:
        """Return all matches in the order of the text, as far as the allowance permits.

        Of a compound word (`node.js`, 日本語) that occurs nowhere as a whole, the parts match.

        Args:
            text: The text to read.
            passage: After a passage of this length with all terms, the rest may be skipped: no passage is better.
            allowance: Limits for reading; what is read is added to it.
        """
        allowance = allowance or Allowance()
        matches = set(self._whole_hits(text, passage, allowance))
        matched = {hit.term[0] for hit in matches}
        owners, parts = self._by_parts
        if any(index not in matched for index, _ in owners):
            for start, end, at in parts.find(text, allowance):
                if owners[at][0] not in matched:
                    matches.add(Match(start, end, owners[at], parts.terms[at].weight))
        return sorted(matches)

    @cached_property
    def _by_parts(self) -> tuple[list[tuple[int, int]], Matcher]:
        """The matcher of the parts of all compound words, and for each part the indices of its word and of itself."""
        compounds = [(index, _parts(term, self.language)) for index, term in enumerate(self.terms)]
        owners = [(index, part) for index, parts in compounds for part in range(len(parts))]
        return owners, _matcher(tuple(part for _, parts in compounds for part in parts), self.language)

    def _whole_hits(self, text: str, passage: int | None, allowance: Allowance) -> Iterator[Match]:
        # Words and runs together are not found in the order of the text.
        is_ordered = passage is not None and not (self.runs and self.heads)
        latest: dict[int, int] = {}
        last = len(text)
        for start, end, index in self.find(text, allowance):
            if start > last:
                return
            yield Match(start, end, (index, 0), self.terms[index].weight)
            if is_ordered and passage is not None and last == len(text):
                latest[index] = start
                if len(latest) == len(self.terms) and end - min(latest.values()) <= passage:
                    last = start + passage

    def find(self, text: str, allowance: Allowance) -> Iterator[tuple[int, int, int]]:
        """Yield matches as start, end and index of the term."""
        if not self.terms:
            return
        if self.pattern is None or (len(text) <= SHORT_TEXT and not self.runs and not is_plain(text)):
            yield from self._read(text, 0, len(text), allowance)
            return
        begin = end = seen = 0
        limit = min(len(text), allowance.left_to_scan)
        try:
            for span in self.pattern.finditer(text, limit):
                # The span to analyse exhausts the allowance already.
                if end - begin >= allowance.left_to_analyse:
                    break
                seen = span.end()
                run = IS_UNSPACED.match(span[0])
                indexes = self.runs.get(normalize("NFKC", span[0])) if run else None
                if indexes is not None:
                    allowance.analyse(len(span[0]) * len(indexes))
                    yield from ((*span.span(), index) for index in indexes)
                    continue
                start, stop = max(0, span.start() - self.reach), min(len(text), span.end() + self.reach)
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
        by_position: dict[int, list[Token]] = defaultdict(list)
        if self.reach:
            for token in tokens:
                by_position[token.position].append(token)
        for token in tokens:
            for index, form in self.heads.get(token.term, ()):
                if not allowance.compare(len(form)):
                    return
                for match in (token,) if len(form) == 1 else _follow(form, token.position, by_position):
                    yield begin + match.start, begin + match.end, index


def matcher_for(query: Query, language: str | None) -> Matcher:
    """Return the matcher of a query, cached for short queries: one of 1,000 characters takes 400 kB."""
    is_short = sum(len(unit.text) for unit in query.units if not isinstance(unit, Filter)) <= LONGEST_REMEMBERED
    return (_remembered if is_short else make_matcher)(query, language)


def make_matcher(query: Query, language: str | None) -> Matcher:
    """Build the matcher of a query: its telling words (or all, without any), and its phrases.

    Args:
        query: The parsed query.
        language: BCP 47 tag of the texts.
    """
    words = list(dict.fromkeys(query.words))
    telling = [word for word in words if not is_stop_word(word, language)] or ([] if query.phrases else words)
    chunks = [_term(piece[0], language) for word in telling for piece in TEXT.finditer(word)]
    phrases = [_term(phrase, language, is_phrase=True) for phrase in query.phrases]
    return _matcher(tuple(term for term in chunks + phrases if term), primary_tag(language))


_remembered = lru_cache(maxsize=REMEMBERED)(make_matcher)


def _term(text: str, language: str | None, *, is_phrase: bool = False) -> QueryTerm | None:
    """Build a term from a piece of a query; None without a word."""
    # Long words are rarer, but any two words outweigh one.
    weight = 1 + min(len(text), 20) / 100
    match = TEXT.fullmatch(text)
    if match and match.lastgroup == "run" and primary_tag(language) not in CHANGED_BEGINNINGS:
        return QueryTerm(text, (), weight, is_phrase)
    forms = [query_terms(text, [language])] if is_phrase else query_forms(text, [language])
    frozen = tuple(tuple(frozenset(lexemes) for lexemes in form) for form in forms if form)
    return QueryTerm(text, frozen, weight, is_phrase) if frozen else None


def _matcher(terms: tuple[QueryTerm, ...], language: str | None) -> Matcher:
    runs: dict[str, list[int]] = defaultdict(list)
    for index, term in enumerate(terms):
        if not term.forms:
            runs[normalize("NFKC", term.text)].append(index)
    heads: dict[str, list[tuple[int, Form]]] = defaultdict(list)
    rarest = [*runs, *(term.text for term in terms if not term.forms)]
    for index, term in enumerate(terms):
        for form in term.forms:
            for lexeme in form[0]:
                heads[lexeme].append((index, form))
            rarest += max(form, key=lambda lexemes: min(map(len, lexemes)))
    pattern = None
    if rarest and (language not in CHANGED_BEGINNINGS or not heads):
        pattern = CandidatePattern(rarest)
    return Matcher(language, terms, dict(runs), dict(heads), pattern, max((term.reach for term in terms), default=0))


def _parts(term: QueryTerm, language: str | None) -> tuple[QueryTerm, ...]:
    postings = query_terms(term.text, [language])
    if term.is_phrase or len(postings) < 2:
        return ()
    if not term.forms:
        return tuple(QueryTerm(posting[0], (), term.weight / len(postings)) for posting in postings)
    telling = [posting for posting in postings if not any(is_stop_word(lexeme, language) for lexeme in posting)]
    return tuple(QueryTerm("", ((frozenset(posting),),), term.weight / len(postings)) for posting in telling)


def _follow(form: Form, position: int, by_position: dict[int, list[Token]]) -> list[Token]:
    """Return the tokens of a form that begins at a position; none if it does not."""
    tokens = []
    for at, lexemes in enumerate(form, start=position):
        token = next((token for token in by_position.get(at, ()) if token.term in lexemes), None)
        if token is None:
            return []
        tokens.append(token)
    return tokens


def _piece_start(text: str, at: int) -> int:
    lowest = max(0, at - LONGEST_PIECE)
    while at > lowest and not (text[at - 1].isspace() or "\u2e80" <= text[at - 1] <= "\ud7ff"):
        at -= 1
    return at


def _piece_end(text: str, at: int) -> int:
    match = PIECE.match(text, at)
    return match.end() if match else at
